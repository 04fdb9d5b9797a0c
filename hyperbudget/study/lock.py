"""One driver a study at a time: a lock that ends with its process, and a sign of life where locks are not shared.

Machines that share a folder share its locks on most file systems, but not on all (Lustre with ``localflock``, NFS with
``local_lock``). So a driver also writes a sign of life beside the lock, every few seconds. One that finds the sign of
another machine waits a little: a sign that changes is of a driver that is alive. No clocks are compared.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hyperbudget.errors import UserError
from hyperbudget.study.beat import repeating
from hyperbudget.study.folder import StudyFolder, read_json, write_json

BEAT = 5.0
"""Seconds between two signs of life."""
SILENCE = 4 * BEAT
"""After so many seconds without one a driver is taken for dead."""


def lock_path(folder: StudyFolder) -> Path:
    """Beside the study's folder, so that setting the folder aside leaves the lock where it is."""
    return folder.path.with_name(f".{folder.path.name}.lock")


def sign_path(folder: StudyFolder) -> Path:
    """The sign of life of the study's driver; there is none when a driver has ended by itself."""
    return folder.path.with_name(f".{folder.path.name}.driver")


@contextlib.contextmanager
def locked(folder: StudyFolder, say: Callable[[str], None] = lambda text: None) -> Iterator[None]:
    """Hold the study's lock. Raises UserError when another driver has it, here or on another machine."""
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_path(folder))
        lock.acquire(timeout=0)
    except Timeout:
        raise _another(folder) from None
    except OSError as error:
        raise UserError(f"{folder.path}: cannot be written ({error.strerror}); set HYPERBUDGET_RESULTS") from None
    try:
        _refuse_one_elsewhere(folder, say)
        with _signs_of_life(folder):
            yield
    finally:
        lock.release()


def driver_alive(folder: StudyFolder) -> bool:
    """Whether a process holds the study's lock, or gave a sign of life on another machine a moment ago."""
    if not lock_path(folder).exists():
        return False
    lock = FileLock(lock_path(folder))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    with contextlib.suppress(OSError):
        return _elsewhere(folder) is not None and time.time() - sign_path(folder).stat().st_mtime < SILENCE
    return False


def _another(folder: StudyFolder, host: str = "") -> UserError:
    where = f", on {host}" if host else ""
    return UserError(
        f"{folder.path}: another 'hyperbudget run' is at work on this study{where}; wait for it or stop it"
    )


def _elsewhere(folder: StudyFolder) -> dict[str, Any] | None:
    """The sign of a driver on another machine; None where there is none, or it is being written."""
    with contextlib.suppress(UserError, OSError):
        sign: dict[str, Any] | None = read_json(sign_path(folder))
        return sign if sign and sign["host"] != socket.gethostname() else None
    return None


def _refuse_one_elsewhere(folder: StudyFolder, say: Callable[[str], None]) -> None:
    """Raise UserError when a driver on another machine is alive, which has not ended by itself, at least."""
    before = _elsewhere(folder)
    if before is None:
        return
    say(f"a driver on {before['host']} has not ended by itself; waiting {SILENCE:g} s for a sign of life of it")
    until = time.monotonic() + SILENCE
    while time.monotonic() < until:
        time.sleep(BEAT / 5)
        now = _elsewhere(folder)
        if now is None:
            return
        if now != before:
            raise _another(folder, now["host"])


@contextlib.contextmanager
def _signs_of_life(folder: StudyFolder) -> Iterator[None]:
    path = sign_path(folder)

    def give() -> None:
        with contextlib.suppress(OSError):  # a full disk is said by what needs it
            sign = {"host": socket.gethostname(), "process": os.getpid(), "beat": secrets.token_hex(4)}
            write_json(path, sign)

    try:
        with repeating(give, BEAT, "signs of life"):
            yield
    finally:
        path.unlink(missing_ok=True)
