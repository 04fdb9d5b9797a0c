"""How long a run will take, from a few steps on random data: nothing is trained and no data set is needed."""

from __future__ import annotations

import dataclasses
import time

import torch

from hyperbudget.data.load import shape as shape_of
from hyperbudget.data.load import sizes
from hyperbudget.data.splits import ImageData
from hyperbudget.data.tasks import TASKS, TextTask, is_text
from hyperbudget.data.text import TextData
from hyperbudget.train import graph
from hyperbudget.train.loop import Training
from hyperbudget.train.spec import RunSpec, TrainingSpec

WARMUP, MEASURED, IMAGES, SYMBOLS = 2, 6, 500, 100


def estimate_seconds(spec: RunSpec, device: torch.device) -> float:
    """Seconds that the run of `spec` would take alone on `device`, evaluations included."""
    settings = spec.training
    warmup = WARMUP if device.type == "cpu" else graph.WARMUP + 1  # that, too, in which a step is captured
    steps = min(warmup + MEASURED, settings.steps)
    trial = dataclasses.replace(spec, training=dataclasses.replace(settings, steps=max(steps, settings.warmup + 1)))
    data = random_text(spec.task, settings) if is_text(spec.task) else random_data(spec.task, settings.batch_size)
    training = Training(trial, data, device)
    for _ in range(min(warmup, steps - 1)):
        training.take_step()
    began = time.perf_counter()
    measured = max(steps - warmup, 1)
    for _ in range(measured):
        training.take_step()
    _wait(device)
    step = (time.perf_counter() - began) / measured

    training.problem.score("validation")
    _wait(device)
    began = time.perf_counter()
    training.problem.score("validation")
    _wait(device)
    each = (time.perf_counter() - began) / (IMAGES if isinstance(data, ImageData) else len(data.validation))

    _, validation, test = sizes(spec.task)
    evaluations = -(-settings.steps // settings.evaluate_every)
    return step * settings.steps + each * (evaluations * validation + test)


def random_data(task: str, batch_size: int) -> ImageData:
    """Random images of the task's shape, enough for one batch and an evaluation."""
    shape = TASKS[task]
    generator = torch.Generator().manual_seed(0)

    def draw(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.rand(count, shape.channels, shape.size, shape.size, generator=generator)
        return images, torch.randint(shape.classes, (count,), generator=generator)

    return ImageData(shape, "", *draw(batch_size), *draw(IMAGES), *draw(1))


def random_text(task: str, settings: TrainingSpec) -> TextData:
    """Random symbols, as many different ones as the task's text has: enough for one step and an evaluation."""
    symbols = shape_of(task)["symbols"]
    generator = torch.Generator().manual_seed(0)

    def draw(count: int) -> torch.Tensor:
        return torch.randint(symbols, (count,), generator=generator).to(torch.uint8)

    train = draw((settings.batch_size + 1) * settings.length)
    return TextData(
        TextTask(task), "", bytes(range(symbols)), train, draw(SYMBOLS * settings.evaluation_rows + 1), draw(2)
    )


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
