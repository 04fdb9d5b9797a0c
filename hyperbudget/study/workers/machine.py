"""Where and when a run was trained: what stands in its result."""

from __future__ import annotations

import datetime
import os
import platform
import socket
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Where this process runs."""
    import torch

    return {
        "host": socket.gethostname(),
        "hardware": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        },
    }


def now() -> str:
    """UTC, ISO 8601, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
