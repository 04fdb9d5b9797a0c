"""The idx format: a big-endian header (magic number, sizes), then the values as unsigned bytes. Compressed or not.

Source: http://yann.lecun.com/exdb/mnist/, "FILE FORMATS FOR THE MNIST DATABASE".
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GZIP_MAGIC = b"\x1f\x8b"


class BadFileError(Exception):
    """A file whose content is not what it should be; the message says in which way, and reads on from the name."""


def read_content(path: Path) -> bytes:
    """The content of a file, unzipped if it is gzip by its first bytes (whatever its name says).

    Raises BadFileError when it cannot be read or unzipped.
    """
    with reading(path):
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what reading and unzipping `path` raises into BadFileError."""
    try:
        yield
    except EOFError as error:
        there = path.stat().st_size
        raise BadFileError(f"is cut off: its gzip stream has no end ({there:,} bytes are there)") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadFileError(f"is damaged: {error}") from error
    except OSError as error:
        raise BadFileError(f"cannot be read: {error.strerror or error}") from error


def parse_idx(content: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The values of an idx file of unsigned bytes, as a read-only view of shape `shape` on `content`.

    Raises BadFileError when the magic number, the sizes or the length are not those of such an array.
    """
    magic = 0x0800 | len(shape)  # 08: unsigned byte; then the number of dimensions
    header = 4 + 4 * len(shape)
    if len(content) < header:
        raise BadFileError(f"is cut off: it ends after {len(content)} bytes, inside the header of {header}")
    found, *sizes = struct.unpack_from(f">{1 + len(shape)}I", content)
    if found != magic:
        raise BadFileError(f"is no idx file of this kind: it starts with 0x{found:08x} instead of 0x{magic:08x}")
    if tuple(sizes) != shape:
        raise BadFileError(f"holds {_product(sizes)} values, expected {_product(shape)}")
    extra = len(content) - header - int(np.prod(shape))
    if extra < 0:
        raise BadFileError(f"is cut off: it ends {-extra:,} bytes early")
    if extra > 0:
        raise BadFileError(f"has {extra:,} bytes too many")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def check_sha256(content: bytes, expected: str) -> None:
    """Raise BadFileError unless `content` has the sha256 `expected` (hex)."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise BadFileError(f"is not the official file: its content has sha256 {found[:12]}..., not {expected[:12]}...")


def _product(sizes: list[int] | tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in sizes)
