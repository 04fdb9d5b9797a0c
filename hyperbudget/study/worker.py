"""What a worker does: one run, from its specification to its result file. Knows nothing of Optuna or MLflow."""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
import socket
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hyperbudget.budget.quantity import show_duration
from hyperbudget.errors import UserError
from hyperbudget.study.folder import RunFolder, read_json, write_json
from hyperbudget.study.usage import Usage

if TYPE_CHECKING:
    import torch

    from hyperbudget.data.splits import ImageData
    from hyperbudget.data.text import TextData
    from hyperbudget.nn.build import Model
    from hyperbudget.nn.export import Metadata
    from hyperbudget.study.board import Mark
    from hyperbudget.train.loop import Curve, Training
    from hyperbudget.train.pack.training import PackedTraining
    from hyperbudget.train.spec import RunSpec


@dataclass(frozen=True)
class Job:
    """One attempt at one run. `attempt` is the driver's token: a worker whose token was replaced must not write.

    `asks`: at every evaluation the training asks whether to go on. `time_limit`: seconds of training. `shares_gpu`: it
    has a part of one only. `pack`: what it has in common with the jobs that it may share a pack with; None for none.
    """

    run: str
    fields: dict[str, Any]
    data_digest: str
    folder: Path
    attempt: str
    threads: int
    checkpoint_seconds: float = 10.0
    asks: bool = False
    time_limit: float | None = None
    shares_gpu: bool = False
    system_metrics: bool = False
    pack: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """One entry of a run's curve. `seconds`: wall time of the training so far; `usage`: of the machine, if wanted."""

    step: int
    train_loss: float
    validation_error: float
    seconds: float
    usage: Mapping[str, float] | None = None


class Superseded(Exception):
    """Another driver has taken this run over."""


class NoData(OSError):
    """This node has not the data that the driver has: a machine's fault, and none of the run's."""


class Crowded(Exception):
    """Several runs could not be trained side by side, as where they share a GPU whose memory is not enough."""


@dataclass
class Contact:
    """What a run has of the world while it trains: nothing, unless its worker gives it more.

    `report` is told of every evaluation and whether the run asks, and says whether it is to go on; `say` is for what
    the user should know. `mark` is how far the run is: see `hyperbudget.study.board.Mark`.
    """

    report: Callable[[Evaluation, bool], bool] = lambda evaluation, asks: True
    say: Callable[[str], None] = lambda text: None
    phase: str = "begun"
    training: Training | PackedTraining | None = None

    def mark(self) -> Mark:
        """The phase, and the step where there is one."""
        return self.phase, self.training.step if self.training else 0


def execute(job: Job, contact: Contact | None = None) -> dict[str, Any]:
    """Train `job` unless its result is there, and return the result.

    Its ``status`` is ``finished``, ``failed``, or ``pruned`` where the answer at an evaluation was to stop. What the
    training itself does wrong (divergence, an exception) is a result with a ``reason``, never an exception of this
    function: whatever this function raises is the machine's fault, and may be tried again.
    """
    folder = RunFolder(job.folder)
    done = read_json(folder.result)
    if done is not None:
        return dict(done)
    check_attempt(job)
    folder.tidy()
    started = now()
    try:
        outcome = train(job, folder, contact or Contact())
    except (Superseded, OSError):
        raise
    except Exception as error:
        if job.shares_gpu and out_of_memory(error) == "GPU":
            raise Crowded(reason(error)) from None
        outcome = failed(error)
    return commit(job, started, outcome)


def commit(job: Job, started: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Write the result of which `outcome` is the training's part: from here on the run has ended."""
    folder = RunFolder(job.folder)
    result = {
        **outcome, "run": job.run, "seed": job.fields["seed"], "data_digest": job.data_digest,
        "started": started, "finished": now(), **machine(),
    }  # fmt: skip
    check_attempt(job)
    write_json(folder.result, result, durable=True)
    if "stopped_at" not in result:
        folder.forget_checkpoints()
    return result


def failed(error: Exception) -> dict[str, Any]:
    """The training's part of the result of a run that went wrong."""
    return {"status": "failed", "reason": reason(error), "traceback": "".join(traceback.format_exception(error))}


def train(job: Job, folder: RunFolder, contact: Contact) -> dict[str, Any]:
    """The training's part of the result, as plain JSON data.

    Of one that was stopped at an evaluation, ``stopped_at`` is the step: its checkpoint stays, to go on from.
    """
    from hyperbudget.train.loop import Pruned, Training
    from hyperbudget.train.spec import RunSpec

    spec = RunSpec.from_fields(job.fields)
    data, device = prepare(job, spec)
    contact.phase = "building"
    reporter = Reporter(job, contact)
    training = Training(
        spec,
        data,
        device,
        checkpoint_file=folder.checkpoint,
        checkpoint_seconds=job.checkpoint_seconds,
        before_checkpoint=lambda: check_attempt(job),
        evaluated=reporter,
        checkpoint_failed=lambda text: contact.say(f"{text}; it trains on without"),
    )
    contact.training, contact.phase = training, "training"
    try:
        result = dataclasses.asdict(training.run())
    except Pruned as stopped:
        return reporter.stopped(stopped.curve, training.problem.metric)
    contact.phase = "saving"
    return keep(job, spec, result, training.model, data, device)


def prepare(job: Job, spec: RunSpec) -> tuple[ImageData | TextData, torch.device]:
    """Make this process ready for `job`: its data, which must be the driver's, and its device.

    Raises NoData where this node has not the data, or others.
    """
    import torch

    from hyperbudget.data.directory import VARIABLE as DATA_VARIABLE
    from hyperbudget.data.directory import data_dir
    from hyperbudget.data.load import load
    from hyperbudget.train import memory

    torch.set_num_threads(job.threads)
    memory.keep()
    try:
        data = load(spec.task)  # fetched here, once a node, where this node has them not
    except UserError as error:
        raise NoData(f"{socket.gethostname()}: {error}") from None
    if data.digest != job.data_digest:
        raise NoData(
            f"{socket.gethostname()}: the data of {spec.task} in {data_dir()} differ from the driver's (digest "
            f"{data.digest[:12]}..., there {job.data_digest[:12]}...); copy the driver's there, or name a folder that "
            f"both see by {DATA_VARIABLE}"
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True
    return data, device


def keep(
    job: Job, spec: RunSpec, result: dict[str, Any], model: Model, data: ImageData | TextData, device: torch.device
) -> dict[str, Any]:
    """Write the model of a training that has come to its end with `result`, and return its part of the result."""
    import torch

    from hyperbudget.nn.export import write_export

    check_attempt(job)
    try:
        size = write_export(model, metadata(job.run, spec, result, data), RunFolder(job.folder).model)
    except UserError as error:  # the disk's fault, and not the training's
        raise OSError(str(error)) from error
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {job.threads} thread{'s' if job.threads > 1 else ''}"
    )
    return {"status": "finished", "reason": None, **result, "compact_bytes": size, "device": name}


class Reporter:
    """Tells of each evaluation once, those before a checkpoint included, and says whether the training goes on.

    It does after the last one, where there is nothing left to stop; else while it may, by `job`'s time limit and by the
    answer to what it asks.
    """

    def __init__(self, job: Job, contact: Contact) -> None:
        self.job, self.contact = job, contact
        self.told = 0
        self.late = False
        self.usage = Usage()

    def __call__(self, curve: Curve) -> bool:
        columns = (curve.step, curve.train_loss, curve.validation_error, curve.seconds)
        *earlier, newest = (Evaluation(*row) for row in list(zip(*columns, strict=True))[self.told :])
        self.told = len(curve.step)
        if self.job.system_metrics:
            newest = dataclasses.replace(newest, usage=self.usage())
        last = newest.step == self.job.fields["training"]["steps"]
        limit = self.job.time_limit
        self.late = not last and limit is not None and newest.seconds >= limit
        for evaluation in earlier:
            self.contact.report(evaluation, False)
        go_on = self.contact.report(newest, self.job.asks and not last and not self.late)
        return last or (go_on and not self.late)

    def stopped(self, curve: Curve, metric: str) -> dict[str, Any]:
        """The result of a training that does not go on: failed at its time limit, or pruned."""
        step, seconds = curve.step[-1], curve.seconds[-1]
        why: dict[str, Any] = {"status": "pruned", "reason": f"pruned at step {step}"}
        if self.late:
            assert self.job.time_limit is not None
            limit = show_duration(self.job.time_limit)
            steps = self.job.fields["training"]["steps"]
            text = f"time limit: {limit} are over at step {step} of {steps}; raise resources.time_limit to go on"
            why = {"status": "failed", "reason": text, "time_limit": self.job.time_limit}
        best = min(curve.validation_error)
        return {
            **why, "stopped_at": step, "metric": metric, "seconds": seconds,
            "curve": dataclasses.asdict(curve), "validation_error_so_far": best,
        }  # fmt: skip


def goes_on(result: Mapping[str, Any], time_limit: float | None) -> bool:
    """Whether a run that was stopped at its time limit, with `result`, may train on under this one."""
    return bool(result.get("time_limit")) and (time_limit is None or time_limit > result["seconds"])


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
    if place := out_of_memory(error):
        return f"out of memory on the {place}: {message}"
    return f"{type(error).__name__}: {message}"


def out_of_memory(error: Exception) -> Literal["GPU", "CPU"] | None:
    """Which memory was not enough; None for any other error."""
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return "GPU"
    if isinstance(error, MemoryError):
        return "CPU"
    if isinstance(error, RuntimeError):
        if any(words in str(error) for words in ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")):
            return "GPU"
        if "can't allocate memory" in str(error):
            return "CPU"
    return None


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
