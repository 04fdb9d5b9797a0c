"""Files of data: read, unzipped and checked. Every complaint is a `BadFileError`."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def check_sha256(content: bytes, expected: str) -> None:
    """Raise BadFileError unless `content` has the sha256 `expected` (hex)."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise BadFileError(f"is not the official file: its content has sha256 {found[:12]}..., not {expected[:12]}...")
