"""What a training step minimises, in the precision and the way of execution that the settings ask for."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperbudget.errors import UserError
from hyperbudget.nn.image_model import ImageModel
from hyperbudget.train.spec import TrainingSpec

Precision = Literal["fp32", "bf16"]
Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context in which products are computed in `precision`; parameters keep their own."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def objective(model: ImageModel, settings: TrainingSpec, device: torch.device) -> Objective:
    """A function from images and labels to the loss and to what is minimised: the loss with its L2 term.

    The loss is the mean cross entropy in nats. With ``settings.compile`` the function is compiled: by its first call,
    which takes from seconds to minutes. Raises UserError where it could not be.
    """

    def compute(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        kernels = model.source()
        with autocast(device, settings.precision):
            logits = model.apply_kernels(images, kernels)
        loss = F.cross_entropy(logits.float(), labels)
        if not settings.l2:
            return loss, loss
        return loss, loss + 0.5 * settings.l2 * torch.stack([kernel.square().sum() for kernel in kernels]).sum()

    if not settings.compile:
        return compute
    if device.type == "cpu" and not compiler():
        raise UserError(
            f"training.compile: needs a C++ compiler, and {socket.gethostname()} has no g++, clang++ or CXX; install "
            "one, or leave compile out"
        )
    # On a GPU the whole step becomes one CUDA graph: launching its hundreds of small kernels costs more than they do.
    compiled: Objective = torch.compile(compute, mode="reduce-overhead" if device.type == "cuda" else "default")
    return compiled


def compiler() -> str | None:
    """The C++ compiler that torch.compile would call on this machine's CPU."""
    return next(filter(None, map(shutil.which, (os.environ.get("CXX", ""), "g++", "clang++"))), None)
