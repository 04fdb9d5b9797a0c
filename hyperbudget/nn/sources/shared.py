"""Hard tying: one kernel handed out many times."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hyperbudget.nn.sources.base import KernelSource, he_normal
from hyperbudget.nn.spec import KernelShape


class SharedKernels(KernelSource):
    """One parameter for all kernels of the same shape: the far end of weight sharing in depth."""

    groups = {"weights": "kernels"}

    def __init__(self, shapes: Sequence[KernelShape]) -> None:
        super().__init__(shapes)
        distinct = list(dict.fromkeys(shapes))
        self.weights = nn.ParameterList(he_normal(shape) for shape in distinct)
        self.index = [distinct.index(shape) for shape in shapes]

    def forward(self) -> list[Tensor]:
        """See `KernelSource.forward`; kernels of one shape are the same tensor."""
        return [self.weights[index] for index in self.index]
