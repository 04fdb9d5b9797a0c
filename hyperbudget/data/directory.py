"""Where the data sets lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "HYPERBUDGET_DATA_DIR"


def data_dir() -> Path:
    """``$HYPERBUDGET_DATA_DIR`` if it is set and not empty, else ``~/.cache/hyperbudget/data``; it need not exist."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "hyperbudget" / "data"
