"""The digest of data that no constant pins: computed once, then kept beside the files it was computed from.

It holds for as long as their names, sizes and modification times are the same, so that asking for it reads no data.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from hyperbudget.data.tasks import SPLIT_SEED, ImageTask
from hyperbudget.errors import UserError

NAME = ".digest.json"


def state(task: ImageTask, folder: Path, files: Sequence[Path]) -> str:
    """What decides a digest: the split, and name, size in bytes and modification time in ns of each of `files`."""
    return json.dumps([SPLIT_SEED, task.splits, [_stat(folder, file) for file in files]])


def kept(folder: Path, state: str) -> str | None:
    """The digest that was kept for `state`; None if there is none."""
    try:
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    digest = content.get("digest") if isinstance(content, dict) and content.get("state") == state else None
    return digest if isinstance(digest, str) else None


def keep(folder: Path, state: str, digest: str) -> None:
    """Keep `digest` (hex) for `state`, atomically; a folder that cannot be written to is left as it is."""
    if kept(folder, state) == digest:
        return
    part = folder / f"{NAME}.{os.getpid()}.part"
    try:
        part.write_text(json.dumps({"state": state, "digest": digest}), encoding="utf-8")
        os.replace(part, folder / NAME)
    except OSError:
        part.unlink(missing_ok=True)


def _stat(folder: Path, file: Path) -> list[str | int]:
    """A file that is missing has the size -1: reading it is what reports it."""
    try:
        found = file.stat()
    except OSError:
        return [str(file.relative_to(folder)), -1, -1]
    return [str(file.relative_to(folder)), found.st_size, found.st_mtime_ns]


def check_digest(task: str, found: str, expected: str) -> None:
    """Raise UserError when a task's data are not those that this version knows by their digest."""
    if found != expected:
        raise UserError(
            f"{task}: the data differ from those that this version of hyperbudget knows "
            f"(digest {found[:12]}..., expected {expected[:12]}...); results would not be comparable"
        )
