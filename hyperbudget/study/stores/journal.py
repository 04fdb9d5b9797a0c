"""Optuna's journal: a file that is only ever appended to, with whole lines in it whoever was killed."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from hyperbudget.data.lock import exclusive
from hyperbudget.errors import UserError

JOURNAL = "journal:"


def open_journal(uri: str) -> JournalStorage:
    """The storage at ``journal:FILE``; the file is made. Raises UserError when it cannot be."""
    path = journal_path(uri)
    if not path.parent.is_dir():
        raise UserError(f"--storage {uri}: there is no folder {path.parent}; make it, or name another file")
    if path.is_dir():
        raise UserError(f"--storage {uri}: is a folder; name a file in it")
    return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalLock(path)))


def journal_path(uri: str) -> Path:
    """The file of ``journal:FILE`` or ``journal:///FILE``."""
    path = uri.removeprefix(JOURNAL)
    if re.match(r"//[^/]", path):
        raise UserError(f"--storage {uri}: a journal has no host; journal:///{path[2:]} names the file from the root")
    path = "/" + path.lstrip("/") if path.startswith("//") else path
    if not path:
        raise UserError(f"--storage {uri}: names no file, such as journal:/shared/optuna.log")
    return Path(path).expanduser().absolute()


class JournalLock:
    """What holds writers of a journal apart. It ends with its process, and gives out whole lines only.

    Optuna's own locks are files that outlive a killed process, and block the next one for half a minute; and a line
    that a killed process left torn makes a journal unreadable at the next append.
    """

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self._held = contextlib.ExitStack()

    def acquire(self) -> bool:
        """Wait for the lock."""
        with contextlib.ExitStack() as held:
            held.enter_context(exclusive(self.journal.with_name(f"{self.journal.name}.flock")))
            cut_torn_line(self.journal)
            self._held = held.pop_all()
        return True

    def release(self) -> None:
        """Give it back."""
        self._held.close()


def cut_torn_line(journal: Path) -> None:
    """Cut a last line without an end off `journal`: whoever wrote it never took it for written."""
    with open(journal, "r+b") as file:
        end = file.seek(0, os.SEEK_END)
        kept = end
        while kept:
            start = max(0, kept - 4096)
            file.seek(start)
            newline = file.read(kept - start).rfind(b"\n")
            if newline >= 0:
                kept = start + newline + 1
                break
            kept = start
        if kept < end:
            file.truncate(kept)
