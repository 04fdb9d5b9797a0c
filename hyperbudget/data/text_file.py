"""``text:PATH``: any file, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hyperbudget.data.files import BadFileError, reading
from hyperbudget.errors import UserError

State = tuple[int, int]
"""Size in bytes and modification time in ns: when they change, so may the text have."""


def read_text_file(path: Path) -> bytes:
    """The content of the file. Raises UserError when it cannot be read."""
    with _blaming(path):
        return path.read_bytes()


def file_state(path: Path) -> State:
    """Raises UserError when there is no such file."""
    with _blaming(path):
        found = path.stat()
    return found.st_size, found.st_mtime_ns


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    try:
        with reading(path):
            yield
    except BadFileError as error:
        raise UserError(f"{path}: {error}; after `text:` stands the path of a file") from error
