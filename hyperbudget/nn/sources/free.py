"""Kernels learnt directly, and the baking of any other source into them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hyperbudget.nn.sources.base import KernelSource, he_normal
from hyperbudget.nn.spec import KernelShape


class FreeKernels(KernelSource):
    """One parameter a kernel: the plain convolution network."""

    groups = {"weights": "kernels"}

    def __init__(self, shapes: Sequence[KernelShape]) -> None:
        super().__init__(shapes)
        self.weights = nn.ParameterList(he_normal(shape) for shape in shapes)

    def forward(self) -> list[Tensor]:
        """See `KernelSource.forward`."""
        return list(self.weights)

    @classmethod
    def bake(cls, source: KernelSource) -> FreeKernels:
        """Free kernels that equal what `source` returns now: same outputs, nothing left to generate.

        On the same device and of the same type, sharing no memory; torch's random generators are left as they were.
        """
        with torch.random.fork_rng(devices=[]):  # the kernels that it draws are replaced at once
            baked = cls(source.shapes)
        with torch.no_grad():
            kernels = source()
        # No copy_ into them: that would round float64 kernels. Several may be one tensor (`shared`): cloned.
        baked.weights = nn.ParameterList(nn.Parameter(kernel.detach().clone()) for kernel in kernels)
        return baked.train(source.training)
