"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch


def save(state: dict[str, Any], path: Path) -> int:
    """Write tensors and plain values to `path` by an atomic rename; returns the size in bytes."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        torch.save(state, partial)
        size = partial.stat().st_size
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return size


def load(path: Path, device: torch.device) -> dict[str, Any] | None:
    """What `save` wrote, or None when there is no file or it cannot be read: training then starts from the beginning.

    Loads tensors and plain values only, never code.
    """
    try:
        return torch.load(path, map_location=device, weights_only=True)  # type: ignore[no-any-return]
    except FileNotFoundError:
        return None
    except Exception:  # a damaged file can fail in any way inside zipfile, pickle or torch
        return None
