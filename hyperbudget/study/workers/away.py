"""Runs on a node that does not see the driver's results: they lie there until they end, and are handed over then.

On a cluster without a shared folder a run's checkpoints stay on its node: tried again there it goes on from them, on
another node from the beginning. Its result and its model come to the driver as its worker's answer, and the driver
writes them, the result last.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

from hyperbudget.study.folder import RunFolder, read_json, write_bytes, write_json
from hyperbudget.study.workers.execute import execute
from hyperbudget.study.workers.job import Contact, Job

MODEL = "model, handed over"


class Executor:
    """Executes one job after the other, each in the driver's folder where this node sees it."""

    def __init__(self) -> None:
        self._handed_over: RunFolder | None = None

    def __call__(self, job: Job, contact: Contact | None = None) -> dict[str, Any]:
        """As `hyperbudget.study.workers.execute.execute`; what it returns is for `receive`."""
        if RunFolder(job.folder).attempt.exists():
            return execute(job, contact)
        if self._handed_over:  # the driver has it, as it has given this job
            _clear(self._handed_over)
        folder = own_folder(job)
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.attempt.write_text(job.attempt, encoding="utf-8")
        if (read_json(folder.result) or {}).get("status") != "finished":
            folder.result.unlink(missing_ok=True)  # the driver has it, and wants the run to go on
        result = execute(dataclasses.replace(job, folder=folder.path), contact)
        self._handed_over = folder
        return {**result, MODEL: folder.model.read_bytes() if folder.model.exists() else None}


def own_folder(job: Job) -> RunFolder:
    """Where a run lies on such a node: in the ``$HYPERBUDGET_RESULTS`` that is set there, or at home."""
    base = os.environ.get("HYPERBUDGET_RESULTS") or Path.home() / ".cache" / "hyperbudget" / "results"
    return RunFolder(Path(base).expanduser().absolute() / ".away" / job.folder.parent.parent.name / job.run)


def receive(job: Job, result: dict[str, Any]) -> dict[str, Any]:
    """The result, once what came with it is in the driver's folder."""
    if MODEL not in result:
        return result
    folder, model = RunFolder(job.folder), result.pop(MODEL)
    if model is not None:
        write_bytes(folder.model, model)
    write_json(folder.result, result, durable=True)
    return result


def _clear(folder: RunFolder) -> None:
    """Delete what the driver has; checkpoints stay where the run may go on from them."""
    if folder.checkpoint.exists():
        folder.result.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder.path, ignore_errors=True)
