"""The interface of every kernel source."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from hyperbudget.nn.spec import KernelShape


class KernelSource(nn.Module, ABC):
    """Returns all convolution kernels of a main network, once a forward pass, in one batched computation.

    The main network does not know which source it has. Every kernel has the He deviation sqrt(2 / fan_in) of its own
    fan-in at step 0 (He et al. 2015), whichever source it comes from; unless `Hyper.initialisation` says otherwise.
    """

    groups: ClassVar[dict[str, str]]
    """Group of the anatomy for each of the source's parameters, by the first part of its name."""

    def __init__(self, shapes: Sequence[KernelShape]) -> None:
        super().__init__()
        self.shapes = tuple(shapes)

    @abstractmethod
    def forward(self) -> list[Tensor]:
        """The kernels, in the order of `shapes`: each of shape (out_channels, in_channels, height, width)."""


def he_deviation(shape: KernelShape) -> float:
    """sqrt(2 / fan_in)."""
    return math.sqrt(2 / shape.fan_in)


def he_normal(shape: KernelShape) -> nn.Parameter:
    """A kernel of `shape` with independent normal weights of the He deviation."""
    return nn.Parameter(torch.randn(*shape) * he_deviation(shape))
