"""Files that are there whole or not at all, also after a power cut."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch


def previous(path: Path) -> Path:
    """Where the checkpoint before the one at `path` is kept."""
    return path.with_name(f"{path.name}.prev")


def save(state: dict[str, Any], path: Path) -> int:
    """Write tensors and plain values to `path` by an atomic rename; returns the size in bytes.

    What was there is kept as `previous`. Raises OSError when the disk does not take it; both files stay then.
    """
    buffer = io.BytesIO()  # written by torch itself, a full disk would be a RuntimeError among others
    torch.save(state, buffer)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            path.replace(previous(path))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return buffer.getbuffer().nbytes


def load(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The first of `states`, or None: training then starts from the beginning."""
    return next(states(path, device), None)


def states(path: Path, device: torch.device) -> Iterator[dict[str, Any]]:
    """What `save` wrote last, and what it wrote before that, as far as they are there and can be read.

    Loads tensors and plain values only, never code.
    """
    for file in (path, previous(path)):
        try:
            state = torch.load(file, map_location=device, weights_only=True)
        except Exception:  # no file, or a damaged one, which fails in any way inside zipfile, pickle or torch
            continue
        if isinstance(state, dict):
            yield state
