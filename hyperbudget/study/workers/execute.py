"""What a worker does: one run, from its specification to its result file. Knows nothing of Optuna or MLflow."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hyperbudget.errors import UserError
from hyperbudget.study.folder import RunFolder, read_json, write_json
from hyperbudget.study.workers.job import Contact, Crowded, Job, NoData, Superseded, check_attempt
from hyperbudget.study.workers.machine import machine, now
from hyperbudget.study.workers.reasons import failed, out_of_memory, reason
from hyperbudget.study.workers.reporter import Reporter

if TYPE_CHECKING:
    import torch

    from hyperbudget.data.splits import ImageData
    from hyperbudget.data.text import TextData
    from hyperbudget.nn.build import Model
    from hyperbudget.nn.export import Metadata
    from hyperbudget.train.spec import RunSpec


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
