"""What a worker does: one run, from its specification to its result file. Knows nothing of Optuna or MLflow."""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperbudget.errors import UserError
from hyperbudget.study.folder import RunFolder, read_json, write_json

if TYPE_CHECKING:
    from hyperbudget.data.splits import ImageData
    from hyperbudget.data.text import TextData
    from hyperbudget.nn.export import Metadata
    from hyperbudget.train.spec import RunSpec


@dataclass(frozen=True)
class Job:
    """One attempt at one run. `attempt` is the driver's token: a worker whose token was replaced must not write."""

    run: str
    fields: dict[str, Any]
    data_digest: str
    folder: Path
    attempt: str
    threads: int
    checkpoint_seconds: float = 10.0


class Superseded(Exception):
    """Another driver has taken this run over."""


def execute(job: Job) -> dict[str, Any]:
    """Train `job` unless its result is there, and return the result: ``status`` is ``finished`` or ``failed``.

    What the training itself does wrong (divergence, an exception) is a result with a ``reason``, never an exception
    of this function: whatever this function raises is the machine's fault, and may be tried again.
    """
    folder = RunFolder(job.folder)
    done = read_json(folder.result)
    if done is not None:
        return dict(done)
    check_attempt(job)
    started = now()
    try:
        outcome = {"status": "finished", "reason": None, **train(job, folder)}
    except Superseded:
        raise
    except Exception as error:
        outcome = {"status": "failed", "reason": reason(error), "traceback": traceback.format_exc()}
    outcome |= {"run": job.run, "seed": job.fields["seed"], "data_digest": job.data_digest}
    outcome |= {"started": started, "finished": now(), **machine()}
    check_attempt(job)
    write_json(folder.result, outcome)
    folder.checkpoint.unlink(missing_ok=True)
    return outcome


def train(job: Job, folder: RunFolder) -> dict[str, Any]:
    """The training's part of the result, as plain JSON data."""
    import torch

    from hyperbudget.data.load import load
    from hyperbudget.nn.export import write_export
    from hyperbudget.train import memory
    from hyperbudget.train.loop import Training
    from hyperbudget.train.spec import RunSpec

    torch.set_num_threads(job.threads)
    memory.keep()
    spec = RunSpec.from_fields(job.fields)
    data = load(spec.task)
    if data.digest != job.data_digest:
        raise UserError(f"the data of {spec.task} on {socket.gethostname()} differ from the driver's")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True
    training = Training(
        spec,
        data,
        device,
        checkpoint_file=folder.checkpoint,
        checkpoint_seconds=job.checkpoint_seconds,
        before_checkpoint=lambda: check_attempt(job),
    )
    result = dataclasses.asdict(training.run())
    check_attempt(job)
    size = write_export(training.model, metadata(job.run, spec, result, data), folder.model)
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {job.threads} thread{'s' if job.threads > 1 else ''}"
    )
    return {**result, "compact_bytes": size, "device": name}


def metadata(run: str, spec: RunSpec, result: Mapping[str, Any], data: ImageData | TextData) -> Metadata:
    """What stands in the file of a run's model."""
    from hyperbudget.data.splits import ImageData
    from hyperbudget.nn.export import Metadata

    fields = spec.fields()
    common = Metadata(
        form="compact", model=fields["model"], task=spec.task, run=run, training=fields["training"], seed=spec.seed,
        validation_error=result["validation_error"], test_error=result["test_error"], data_digest=data.digest,
    )  # fmt: skip
    if not isinstance(data, ImageData):
        return dataclasses.replace(common, vocabulary=tuple(data.vocabulary))
    mean, deviation = (None if value is None else tuple(value.tolist()) for value in (data.mean, data.deviation))
    return dataclasses.replace(common, **data.task.shape, mean=mean, deviation=deviation)  # type: ignore[arg-type]


def check_attempt(job: Job) -> None:
    """Raise Superseded unless this attempt is still the one that may write."""
    if RunFolder(job.folder).attempt.read_text(encoding="utf-8") != job.attempt:
        raise Superseded(job.run)


def reason(error: Exception) -> str:
    """One line for a table: what went wrong, without the traceback."""
    from hyperbudget.train.loop import Diverged

    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Diverged):
        return f"diverged: {message}"
    if isinstance(error, UserError):
        return message
    return f"{type(error).__name__}: {message}"


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
