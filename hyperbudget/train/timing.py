"""How long a run will take, from a few steps on random images: nothing is trained and no data are needed."""

from __future__ import annotations

import dataclasses
import time

import torch

from hyperbudget.data.splits import ImageData
from hyperbudget.data.tasks import TASKS
from hyperbudget.train.loop import Training
from hyperbudget.train.spec import RunSpec

WARMUP, MEASURED, IMAGES = 2, 6, 500


def estimate_seconds(spec: RunSpec, device: torch.device) -> float:
    """Seconds that the run of `spec` would take alone on `device`, evaluations included."""
    settings = spec.training
    steps = min(WARMUP + MEASURED, settings.steps)
    trial = dataclasses.replace(spec, training=dataclasses.replace(settings, steps=max(steps, settings.warmup + 1)))
    training = Training(trial, random_data(spec.task, settings.batch_size), device)
    for _ in range(min(WARMUP, steps - 1)):
        training.take_step()
    began = time.perf_counter()
    measured = max(steps - WARMUP, 1)
    for _ in range(measured):
        training.take_step()
    _wait(device)
    step = (time.perf_counter() - began) / measured

    training.problem.score("validation")
    _wait(device)
    began = time.perf_counter()
    training.problem.score("validation")
    _wait(device)
    per_image = (time.perf_counter() - began) / IMAGES

    _, validation, test = TASKS[spec.task].splits
    evaluations = -(-settings.steps // settings.evaluate_every)
    return step * settings.steps + per_image * (evaluations * validation + test)


def random_data(task: str, batch_size: int) -> ImageData:
    """Random images of the task's shape, enough for one batch and an evaluation."""
    shape = TASKS[task]
    generator = torch.Generator().manual_seed(0)

    def draw(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.rand(count, shape.channels, shape.size, shape.size, generator=generator)
        return images, torch.randint(shape.classes, (count,), generator=generator)

    return ImageData(shape, "", *draw(batch_size), *draw(IMAGES), *draw(1))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
