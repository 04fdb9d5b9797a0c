"""Kernels as products of two thin matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hyperbudget.nn.sources.stacked import StackedKernels
from hyperbudget.nn.spec import KernelShape, LowRank


class LowRankKernels(StackedKernels):
    """``K = A B`` with K read as a matrix of out_channels x (in_channels x height x width) (Denil et al. 2013).

    With such a kernel a convolution is one from in_channels to `rank` channels (B), followed by a 1 x 1 one from there
    to out_channels (A). Each of them keeps the variance at step 0: the entries of B have variance 2 / fan_in, those of
    A 1 / rank, so K has the He deviation for every rank.

    Parameters, with an entry for each distinct kernel shape, n kernels of it and R the rank:

    - ``left``: A, shape (n, out_channels, R)
    - ``right``: B, shape (n, R, in_channels x height x width)
    """

    groups = {"left": "kernels", "right": "kernels"}

    def __init__(self, shapes: Sequence[KernelShape], spec: LowRank) -> None:
        super().__init__(shapes)
        left, right = [], []
        for shape, layers in self.stacked.items():
            left.append(torch.randn(len(layers), shape.out_channels, spec.rank) / math.sqrt(spec.rank))
            right.append(torch.randn(len(layers), spec.rank, shape.fan_in) * math.sqrt(2 / shape.fan_in))
        self.left, self.right = nn.ParameterList(left), nn.ParameterList(right)

    def stacks(self) -> list[Tensor]:
        """See `StackedKernels.stacks`: one batched matrix product for each distinct shape."""
        return [
            torch.bmm(left, right).view(-1, *shape)
            for shape, left, right in zip(self.stacked, self.left, self.right, strict=True)
        ]
