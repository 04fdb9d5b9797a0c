"""A lock between processes and threads, from the standard library alone; it ends with the process that holds it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def exclusive(path: Path, *, waiting: str | None = None) -> Iterator[None]:
    """Hold the lock file `path` (created, and left in place), waiting for whichever process or thread has it.

    `waiting` is said, on stderr, when somebody has it.
    Where the platform or the file system knows no such lock, go on without one. Raises OSError when the lock file
    cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor, waiting)
        yield
    finally:
        os.close(descriptor)  # releases the lock


def _lock(descriptor: int, waiting: str | None) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting:
            print(waiting, file=sys.stderr, flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
