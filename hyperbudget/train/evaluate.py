"""Measuring a classifier of images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperbudget.nn.image_model import ImageModel
from hyperbudget.train.objective import Precision, autocast
from hyperbudget.train.problem import Score


@torch.no_grad()
def evaluate(
    model: ImageModel, images: Tensor, labels: Tensor, precision: Precision = "fp32", batch_size: int = 1000
) -> Score:
    """Score `model` on `images`, shape (n, channels, size, size), and `labels`, shape (n,). Kernels are made once."""
    training = model.training
    model.eval()
    kernels = model.source()
    wrong = torch.zeros((), dtype=torch.int64, device=labels.device)
    loss = torch.zeros((), dtype=torch.float64, device=labels.device)
    for x, y in zip(images.split(batch_size), labels.split(batch_size), strict=True):  # type: ignore[no-untyped-call]
        with autocast(x.device, precision):
            logits = model.apply_kernels(x.contiguous(memory_format=torch.channels_last), kernels).float()
        wrong += (logits.argmax(1) != y).sum()
        loss += F.cross_entropy(logits, y, reduction="sum")
    model.train(training)
    return Score(wrong.item() / len(labels), loss.item() / len(labels))
