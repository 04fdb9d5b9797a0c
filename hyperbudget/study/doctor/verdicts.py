"""What the facts of a machine mean for a study's runs: ok, a warning, or something that will fail, and what to set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hyperbudget.study.doctor.examine import GIBI, MEBI, Facts
from hyperbudget.study.folder import masked
from hyperbudget.study.workers import cluster
from hyperbudget.study.workers.cluster import Node

LITTLE_DISK, NO_DISK = 5 * GIBI, 200 * MEBI
LITTLE_MEMORY = GIBI
"""For each run that is trained at once."""
CLOCK = 5.0
"""Seconds that clocks may differ: time stamps of runs are compared, and their order is shown."""

Verdict = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `way_out`: what to do, unless it is ok."""

    name: str
    verdict: Verdict
    found: str
    way_out: str = ""


@dataclass(frozen=True)
class Place:
    """A machine, or what is shared by all of them, and how it stands."""

    name: str
    checks: list[Check]

    @property
    def well(self) -> bool:
        """Nothing to say of it."""
        return all(check.verdict == "ok" for check in self.checks)


@dataclass(frozen=True)
class Wanted:
    """What is examined, and for what. `folder`: where results go; `tasks`: whose data are looked at, and with `read`
    read; `cpus`, `gpus`: of one run; `storage`, `tracking`: URIs, None where there is none to ask.
    """

    folder: Path
    tasks: tuple[str, ...]
    storage: str | None
    tracking: str | None
    address: str = "local"
    cpus: float = 1.0
    gpus: float = 0.0
    read: bool = True


def places(node: Node, wanted: Wanted) -> int:
    """How many runs `node` has room for at once."""
    needs = [(node.resources.get(kind, 0.0), need) for kind, need in (("CPU", wanted.cpus), ("GPU", wanted.gpus))]
    return int(min(have / need for have, need in needs if need) + 1e-9)


def runs(count: int) -> str:
    """``1 run``, ``2 runs``, ``no runs``."""
    return f"{count or 'no'} run{'s' * (count != 1)}"


def versions(facts: Facts, here: Facts) -> Check:
    """Whether a node has what is installed here."""
    other = [f"{name} {version}" for name, version in facts.versions.items() if here.versions[name] != version]
    if not other:
        return Check("versions", "ok", ", ".join(f"{name} {version}" for name, version in facts.versions.items()))
    theirs = ", ".join(
        f"{name} {here.versions[name]}" for name in here.versions if here.versions[name] != facts.versions[name]
    )
    fatal = any(name.startswith(("Python", "ray", "hyperbudget")) for name in other)
    return Check("versions", "FAIL" if fatal else "warn", f"{', '.join(other)}; here {theirs}", "install the same")


def machine(facts: Facts, wanted: Wanted, node: Node | None = None) -> Iterator[Check]:
    """What every machine needs; `node`: what Ray has of it."""
    at_once = places(node, wanted) if node else 1
    if node is None:
        yield Check("versions", "ok", ", ".join(f"{name} {version}" for name, version in facts.versions.items()))
    cpus = node.resources.get("CPU", 0.0) if node else facts.cores
    found = f"{facts.cores} cores" + (f", of which Ray has {cpus:g}" if node else "")
    crowded = node is not None and cpus > facts.cores
    yield Check(
        "CPUs", "warn" if crowded else "ok", found, "start Ray there with --num-cpus of its cores" if crowded else ""
    )
    yield _gpus(facts, node)
    if facts.memory_free is not None:
        little = facts.memory_free < LITTLE_MEMORY * max(at_once, 1)
        found = f"{_size(facts.memory_free)} free of {_size(facts.memory or 0)}"
        found += f", for {runs(at_once)} at once" if node else ""
        yield Check(
            "memory", "warn" if little else "ok", found, "fewer runs at once: raise resources.cpus" if little else ""
        )
    yield _native(facts)
    yield from _results(facts, wanted)
    yield from (_data(facts, index) for index in range(len(facts.data)))
    names = sorted(name for name in facts.settings if name != cluster.DEFAULTS)
    yield Check("settings", "ok", ", ".join(f"{name}={masked(facts.settings[name])}" for name in names) or "none set")


def _gpus(facts: Facts, node: Node | None) -> Check:
    ray_has = node.resources.get("GPU", 0.0) if node else len(facts.gpus)
    names = ", ".join(dict.fromkeys(facts.gpus))
    found = (
        f"{len(facts.gpus)} seen by torch"
        + (f" ({names})" if names else "")
        + (f", {ray_has:g} by Ray" if node else "")
    )
    if ray_has > len(facts.gpus):
        return Check("GPUs", "FAIL", found, "install a torch build with CUDA there, and check its driver (nvidia-smi)")
    if ray_has < len(facts.gpus):
        return Check("GPUs", "warn", found, "start Ray there with --num-gpus, or they are not used")
    if facts.gpus and not facts.triton:
        return Check("GPUs", "warn", f"{found}, no Triton", "pip install triton: recurrent cells are slower without")
    return Check("GPUs", "ok", found)


def _native(facts: Facts) -> Check:
    if facts.native:
        return Check("native cells", "ok", f"compiled ({facts.compiler})")
    if facts.settings.get("HYPERBUDGET_NATIVE") == "0":
        return Check("native cells", "ok", "turned off by HYPERBUDGET_NATIVE=0")
    if facts.compiler is None:
        return Check(
            "native cells", "warn", "no C++ compiler", "install g++: recurrent cells are slower on CPUs without"
        )
    found = f"{facts.compiler} cannot compile them"
    return Check("native cells", "warn", found, "install a newer g++: recurrent cells are slower on CPUs without")


def _results(facts: Facts, wanted: Wanted) -> Iterator[Check]:
    if facts.results:
        yield Check(
            "results", "FAIL", f"cannot be written: {facts.results}", "set HYPERBUDGET_RESULTS to another folder"
        )
    else:
        yield Check("results", "ok", f"{wanted.folder} can be written")
    verdict: Verdict = "FAIL" if facts.disk_free < NO_DISK else "warn" if facts.disk_free < LITTLE_DISK else "ok"
    yield Check(
        "disk", verdict, f"{_size(facts.disk_free)} free", "" if verdict == "ok" else "make room for checkpoints"
    )


def _data(facts: Facts, index: int) -> Check:
    found = facts.data[index]
    name = f"data {found.task}"
    if found.trouble:
        return Check(
            name, "FAIL", masked(found.trouble), f"put them into {facts.data_dir}, or set HYPERBUDGET_DATA_DIR"
        )
    if found.fetched:
        return Check(name, "ok", f"not there; the first run downloads them to {facts.data_dir}, once")
    return Check(name, "ok", f"digest {(found.digest or '')[:12]}")


def same_data(facts: Facts, here: Facts) -> Iterator[Check]:
    """Data that are not those of this machine."""
    for theirs, ours in zip(facts.data, here.data, strict=True):
        if theirs.digest and ours.digest and theirs.digest != ours.digest:
            found = f"other data than here (digest {theirs.digest[:12]}, here {ours.digest[:12]})"
            out = f"delete those in {facts.data_dir}, or name a folder that all nodes share by HYPERBUDGET_DATA_DIR"
            yield Check(f"data {theirs.task}", "FAIL", found, out)


def clock(seen: float, began: float, ended: float) -> Check:
    """A node's clock, `seen` there, which was read between `began` and `ended` here, in seconds since the epoch."""
    off = min(seen - began, 0.0) or max(seen - ended, 0.0)
    if abs(off) <= CLOCK:
        return Check("clock", "ok", "as here")
    return Check("clock", "warn", f"{abs(off):.0f} s {'ahead' if off > 0 else 'behind'}", "set it by NTP")


def pdf() -> Check:
    """Whether reports can be written as PDF here."""
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        what = str(error).splitlines()[0][:120]
        out = "install Pango (apt install libpango-1.0-0 libpangoft2-1.0-0): reports are HTML only without"
        return Check("PDF reports", "warn", f"WeasyPrint cannot be loaded: {what}", out)
    return Check("PDF reports", "ok", f"WeasyPrint {weasyprint.__version__}")


def _size(size: float) -> str:
    return f"{size / GIBI:.1f} GB" if size >= GIBI else f"{size / MEBI:.0f} MB"
