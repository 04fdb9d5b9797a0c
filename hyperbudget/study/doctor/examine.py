"""What a machine has for a study's runs: asked of the driver's machine and, by `doctor`, of every node."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import hyperbudget
from hyperbudget.errors import UserError

PACKAGES = ("torch", "ray", "numpy")
"""Decide results, or whether a driver and its workers understand each other."""
MEBI, GIBI = 2**20, 2**30


@dataclass(frozen=True)
class DataSet:
    """A task's data on a machine. `trouble`: why there are none; `fetched`: a run will download them first."""

    task: str
    digest: str | None = None
    fetched: bool = False
    trouble: str | None = None


@dataclass(frozen=True)
class Facts:
    """Of one machine, as a worker process there finds it. Memory and disk in bytes."""

    versions: dict[str, str]
    cores: int
    threads: int
    memory: int | None
    memory_free: int | None
    gpus: list[str]
    triton: bool
    compiler: str | None
    native: bool
    results: str | None
    """Why results cannot be written; None where they can."""
    disk_free: int
    data_dir: str
    data: list[DataSet]
    settings: dict[str, str]


def examine(results: Path, tasks: Sequence[str], read: bool) -> Facts:
    """Look around here. `read`: read the data that are there, for their digest, which takes seconds for large ones."""
    import torch

    from hyperbudget.data.directory import data_dir
    from hyperbudget.nn.recurrent.fused.native import build

    cuda = torch.cuda.is_available()
    memory, free = _memory()
    place = existing(results)
    versions = {"Python": platform.python_version(), "hyperbudget": hyperbudget.__version__}
    compiler = build.compiler()
    wanted = os.environ.get("HYPERBUDGET_NATIVE") != "0"
    return Facts(
        versions=versions | {name: metadata.version(name) for name in PACKAGES},
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        memory=memory,
        memory_free=free,
        gpus=[torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())] if cuda else [],
        triton=find_spec("triton") is not None,
        compiler=compiler,
        native=wanted and compiler is not None and build.built() is not None,
        results=_unwritable(place),
        disk_free=shutil.disk_usage(place).free,
        data_dir=str(data_dir()),
        data=[data_set(task, read=read) for task in tasks],
        settings={name: value for name, value in os.environ.items() if name.startswith("HYPERBUDGET_")},
    )


def seconds() -> float:
    """What the clock says here, since the epoch."""
    return time.time()


def data_set(task: str, *, read: bool) -> DataSet:
    """The data of `task` here: read, only looked for, or looked for on the net."""
    from hyperbudget.data.download import reachable
    from hyperbudget.data.load import digest, load, missing

    try:
        wanted = missing(task)
        for urls, target in wanted:
            troubles = {url: reachable(url) for url in urls}
            if None not in troubles.values():
                tried = "; ".join(f"{url}: {trouble}" for url, trouble in troubles.items())
                return DataSet(task, trouble=f"{target} is missing and cannot be downloaded ({tried})")
        if wanted:
            return DataSet(task, fetched=True)
        return DataSet(task, digest=load(task).digest if read else digest(task))
    except UserError as error:
        return DataSet(task, trouble=str(error))


def existing(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _unwritable(folder: Path) -> str | None:
    probe = folder / f".doctor-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"x" * 4096)
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    finally:
        if probe.exists():
            probe.unlink()
    return None


def _memory() -> tuple[int | None, int | None]:
    """All of it, and what is available; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None, None
    sizes = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
    return sizes.get("MemTotal"), sizes.get("MemAvailable")
