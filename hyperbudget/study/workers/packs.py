"""Packs: small runs of equal shapes that one worker trains as one program, each with a result of its own."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperbudget.config import Study
from hyperbudget.study.folder import RunFolder, read_json
from hyperbudget.study.search.candidates import Candidate
from hyperbudget.study.workers.execute import commit, keep, prepare
from hyperbudget.study.workers.job import Contact, Crowded, Job, Superseded, check_attempt
from hyperbudget.study.workers.machine import now
from hyperbudget.study.workers.reasons import failed, reason
from hyperbudget.study.workers.reporter import Reporter
from hyperbudget.train.pack.key import packable
from hyperbudget.train.spec import RunSpec

if TYPE_CHECKING:
    from hyperbudget.train.loop import Curve

SIZE = 32
"""Runs of a pack on a GPU, where the study leaves it to us."""
SMALL = 1_000_000
"""Learnable parameters up to which it is left to us: a larger network fills a GPU alone."""


def size(study: Study, gpus: float) -> int:
    """How many runs share a pack at most, on a worker with so many GPUs; 1: there are no packs.

    On a CPU a pack is no faster than its runs one after the other, so there it has to be asked for.
    """
    pack = study.resources.pack
    if pack == "auto":
        return SIZE if gpus > 0 else 1
    return 1 if pack == "off" else pack


def key(study: Study, chosen: Candidate, spec: RunSpec) -> str | None:
    """Runs with the same may share a pack; None for one that no pack trains."""
    if study.resources.pack == "auto" and chosen.anatomy.learnable > SMALL:
        return None
    return packable(spec)


def execute(jobs: Sequence[Job], contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    """Train `jobs`, of one `key`, but those that have a result; returns all results, in their order.

    As `hyperbudget.study.workers.execute` does each, but that their numbers are those of the runs alone up to rounding.
    Raises Crowded when they cannot be trained together, as when memory is not enough for so many.
    """
    started = now()
    results = {job.run: read_json(RunFolder(job.folder).result) for job in jobs}
    left = [(job, contact) for job, contact in zip(jobs, contacts, strict=True) if results[job.run] is None]
    if left:
        left.sort(key=lambda pair: pair[0].run)  # a pack that is tried again finds its checkpoint
        ours, theirs = zip(*left, strict=True)
        for job, outcome in zip(ours, train(ours, theirs), strict=True):
            results[job.run] = commit(job, started, outcome)
        for file in checkpoint_file(ours).parent.glob(f"{checkpoint_file(ours).name}*"):
            file.unlink(missing_ok=True)
    return [dict(results[job.run] or {}) for job in jobs]


def train(jobs: Sequence[Job], contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    """The trainings' parts of the results, as plain JSON data."""
    import torch

    from hyperbudget.data.text import TextData
    from hyperbudget.train import checkpoint
    from hyperbudget.train.loop import Pruned
    from hyperbudget.train.pack.training import PackedTraining

    for job in jobs:
        check_attempt(job)
        RunFolder(job.folder).tidy()
    specs = [RunSpec.from_fields(job.fields) for job in jobs]
    data, device = prepare(jobs[0], specs[0])
    assert isinstance(data, TextData)
    reporters = [Reporter(job, contact) for job, contact in zip(jobs, contacts, strict=True)]
    file = checkpoint_file(jobs)
    file.parent.mkdir(exist_ok=True)

    def evaluated(curves: Mapping[int, Curve]) -> Collection[int]:
        with ThreadPoolExecutor(len(curves)) as threads:  # each may wait for an answer, and none for another's
            go_on = dict(zip(curves, threads.map(lambda run: reporters[run](curves[run]), curves), strict=True))
        stopped = [run for run, goes_on in go_on.items() if not goes_on]
        for run in stopped:  # as a training of its own would leave it
            checkpoint.save(pack.alone(run), RunFolder(jobs[run].folder).checkpoint)
        return stopped

    def check_attempts() -> None:
        for job in jobs:
            check_attempt(job)

    for contact in contacts:
        contact.phase = "training"
    try:
        pack = PackedTraining(
            specs, data, device, checkpoint_file=file, checkpoint_seconds=jobs[0].checkpoint_seconds,
            before_checkpoint=check_attempts, evaluated=evaluated,
        )  # fmt: skip
        for contact in contacts:
            contact.training = pack
        found = pack.run()
    except (Superseded, OSError):
        raise
    except Exception as error:  # whichever run it is that cannot be trained: alone it will say so
        raise Crowded(reason(error)) from None
    outcomes = []
    for job, spec, result, model, reporter in zip(jobs, specs, found, pack.models(), reporters, strict=True):
        if isinstance(result, Pruned):
            outcomes.append(reporter.stopped(result.curve, "bpc"))
        elif isinstance(result, Exception):
            outcomes.append(failed(result))
        else:
            assert model is not None
            outcome = keep(job, spec, dataclasses.asdict(result), model, data, device)
            outcomes.append({**outcome, "device": f"{outcome['device']}, in a pack of {len(jobs)}"})
    if device.type == "cuda":
        torch.cuda.empty_cache()  # the next run of this worker may be of another shape
    return outcomes


def checkpoint_file(jobs: Sequence[Job]) -> Path:
    """Where the pack of these runs keeps its state: beside the runs, by their names."""
    name = hashlib.sha256("\n".join(job.run for job in jobs).encode()).hexdigest()[:16]
    return jobs[0].folder.parent.parent / "packs" / f"{name}.pt"
