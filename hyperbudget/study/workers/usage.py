"""What a worker's process uses of its machine, as MLflow calls it: metrics under ``system/``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


class Usage:
    """Measures this process, from one call to the next, with what Python, Linux and torch know themselves."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __call__(self) -> dict[str, float]:
        """Percent of one core since the last call; resident memory; with a GPU, torch's memory there, and its most."""
        wall, cpu = time.perf_counter(), time.process_time()
        found = {"system/process_cpu_percentage": 100 * (cpu - self._cpu) / max(wall - self._wall, 1e-9)}
        self._wall, self._cpu = wall, cpu
        if (resident := resident_bytes()) is not None:
            found["system/process_memory_megabytes"] = resident / 1e6
        return found | gpu_memory()


def resident_bytes() -> int | None:
    """This process's resident set; None where only Linux's ``/proc`` would say it."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def gpu_memory() -> dict[str, float]:
    """What this process's tensors take of its GPU; nothing without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return {}
    return {
        "system/gpu_memory_megabytes": torch.cuda.memory_allocated() / 1e6,
        "system/gpu_memory_peak_megabytes": torch.cuda.max_memory_allocated() / 1e6,
    }
