"""The idx format: a big-endian header (magic number, sizes), then the values as unsigned bytes.

Source: http://yann.lecun.com/exdb/mnist/, "FILE FORMATS FOR THE MNIST DATABASE".
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from hyperbudget.data.files import BadFileError


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


def _product(sizes: list[int] | tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in sizes)
