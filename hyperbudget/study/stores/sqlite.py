"""New SQLite databases, made so that a commit costs little."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

SQLITE = "sqlite:///"

MOUNTS = Path("/proc/self/mounts")
"""Linux's list of what is mounted where."""

OF_ONE_MACHINE = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "tmpfs", "overlay"})
"""File systems that no other machine sees."""


def file_of(uri: str) -> Path | None:
    """The database's file; None when `uri` is of no SQLite database, of one in memory, or one by SQLite's own URI."""
    name = uri.removeprefix(SQLITE).partition("?")[0]
    return Path(name) if uri.startswith(SQLITE) and name and not name.startswith((":", "file:")) else None


def write_ahead(path: Path) -> None:
    """Have the database `path`, made where there is none, write ahead (WAL); it keeps that in its file.

    A commit is then one append, and MLflow's pages read while a driver writes. Not on a file system that other machines
    may share, where it does not work (https://sqlite.org/wal.html): there the database is as SQLite makes it. One that
    is in use, or cannot be opened, is left as it is; whoever uses it will say so.
    """
    if file_system(path) in OF_ONE_MACHINE:
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")


def hurry(path: Path) -> None:
    """Let the connections that SQLAlchemy makes in this process to the database `path` not wait for the disk at every
    commit, where it writes ahead.

    After a loss of power its last commits may be missing then (never a part of one, and none when a process dies): for
    what can be said again.
    """
    _hurried.add(path.resolve())
    if not event.contains(Engine, "connect", _connected):
        event.listen(Engine, "connect", _connected)


_hurried: set[Path] = set()


def _connected(connection: object, record: object) -> None:
    """SQLAlchemy's `connection` to some database is new."""
    if isinstance(connection, sqlite3.Connection):
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        if file and Path(file).resolve() in _hurried:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode == "wal":
                connection.execute("PRAGMA synchronous = NORMAL")


def file_system(path: Path) -> str | None:
    """The kind of file system that `path` lies on, such as ``ext4``, as Linux names it; None where it is not said."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    target = path.resolve()
    depth, kind = 0, None
    for mount in mounts:
        _, where, this, *_ = mount.split(" ")
        place = Path(_ESCAPED.sub(lambda digits: chr(int(digits[1], 8)), where))
        # The deepest; of two at one place the later, which lies on top of the other.
        if len(place.parts) >= depth and (place == target or place in target.parents):
            depth, kind = len(place.parts), this
    return kind


_ESCAPED = re.compile(r"\\([0-7]{3})")
"""How the kernel writes spaces, tabs, ends of lines and backslashes."""
