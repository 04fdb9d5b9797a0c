"""The two formats of a CIFAR-10 batch: binary records, and a pickled dictionary, read without running what it says.

Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Dataset layout".
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperbudget.data.files import BadFileError

CHANNELS, SIZE, CLASSES = 3, 32, 10
PIXELS = CHANNELS * SIZE * SIZE
RECORD = 1 + PIXELS  # bytes: the label, then the red, the green and the blue plane, row by row

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Images, shape (n, 3, 32, 32), and labels, shape (n,)."""

ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),  # what NumPy 2 calls it
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
"""The names that the publisher's pickles refer to: those of one NumPy array."""


def parse_binary(content: bytes, count: int) -> Batch:
    """A batch of `count` records. Raises BadFileError."""
    if len(content) % RECORD:
        raise BadFileError(f"has {len(content):,} bytes, which is no multiple of the {RECORD:,} of a record")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    return _checked(records[:, 1:], records[:, 0].tolist(), count)


def parse_pickle(content: bytes, count: int) -> Batch:
    """A batch of `count` images, pickled by Python 2 or 3. Raises BadFileError; nothing that the file names is run."""
    batch = _unpickle(content)
    if not isinstance(batch, dict):
        raise BadFileError("is no CIFAR-10 batch: what it pickles is no dictionary")
    pixels = _array(_entry(batch, "data"))
    labels = _entry(batch, "labels")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise BadFileError("is no CIFAR-10 batch: its `labels` are no list of whole numbers")
    if len(labels) != len(pixels):
        raise BadFileError(f"holds {len(pixels):,} images, but {len(labels):,} labels")
    return _checked(pixels, labels, count)


def _checked(pixels: NDArray[np.uint8], labels: list[int], count: int) -> Batch:
    if len(labels) != count:
        raise BadFileError(f"holds {len(labels):,} images, expected {count:,}")
    for index, label in enumerate(labels):
        if not 0 <= label < CLASSES:
            raise BadFileError(f"has the label {label} at image {index:,}, expected 0 ... {CLASSES - 1}")
    return pixels.reshape(-1, CHANNELS, SIZE, SIZE), np.array(labels, np.uint8)


class _Named:
    """Stands for a NumPy name in a pickle and notes what is asked of it: the arguments of its call, and its state."""

    def __init__(self, name: str, arguments: tuple[Any, ...] = ()) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None

    def __call__(self, *arguments: Any) -> _Named:
        return _Named(self.name, arguments)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    """Builds plain values, and `_Named` in place of the admitted names; every other name is refused."""

    def find_class(self, module: str, name: str) -> _Named:
        if (module, name) not in ADMITTED:
            raise BadFileError(f"is no CIFAR-10 batch: its pickle asks for {module}.{name}, which was not run")
        return _Named(name)


def _unpickle(content: bytes) -> Any:
    try:
        return _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except BadFileError:
        raise
    except Exception as error:  # damaged pickles raise nearly anything
        raise BadFileError(f"is no whole pickle: {' '.join(str(error).split()) or type(error).__name__}") from error


def _entry(batch: dict[Any, Any], name: str) -> Any:
    """Python 2 wrote the names as bytes, Python 3 as text."""
    for key in (name.encode(), name):
        if key in batch:
            return batch[key]
    raise BadFileError(f"is no CIFAR-10 batch: it has no {name!r}")


def _array(value: Any) -> NDArray[np.uint8]:
    """The array, shape (n, 3072), that NumPy would have made of `value`. Raises BadFileError if it is another kind."""
    try:
        _, shape, dtype, fortran, content = value.state
        if (value.name, dtype.name) != ("_reconstruct", "dtype") or dtype.arguments[0] not in (b"u1", "u1"):
            raise ValueError(value)
        pixels = np.frombuffer(content, np.uint8).reshape(shape, order="F" if fortran else "C")
        if pixels.ndim != 2 or pixels.shape[1] != PIXELS:
            raise ValueError(shape)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise BadFileError(f"is no CIFAR-10 batch: its `data` are no bytes of shape (images, {PIXELS:,})") from error
    return pixels
