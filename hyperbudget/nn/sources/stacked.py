"""What sources have in common that compute all kernels of one shape together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from hyperbudget.nn.sources.base import KernelSource
from hyperbudget.nn.spec import KernelShape


class StackedKernels(KernelSource):
    """Computes one stack of kernels for each distinct shape, and hands the kernels out in the network's order.

    `stacked` has an entry for each distinct shape, in the order of first use: which of the network's kernels have it.
    """

    def __init__(self, shapes: Sequence[KernelShape]) -> None:
        super().__init__(shapes)
        self.stacked: dict[KernelShape, list[int]] = {}
        for layer, shape in enumerate(self.shapes):
            self.stacked.setdefault(shape, []).append(layer)

    @abstractmethod
    def stacks(self) -> list[Tensor]:
        """For each entry of `stacked`, its kernels: shape (layers, out_channels, in_channels, height, width)."""

    def forward(self) -> list[Tensor]:
        """See `KernelSource.forward`."""
        kernels: dict[int, Tensor] = {}
        for layers, stack in zip(self.stacked.values(), self.stacks(), strict=True):
            kernels.update(zip(layers, stack.unbind(), strict=True))
        return [kernels[layer] for layer in range(len(self.shapes))]
