"""Hard tying: one kernel handed out many times."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from hyperbudget.nn.sources.base import KernelSource, he_normal
from hyperbudget.nn.spec import KernelShape, Shared


class SharedKernels(KernelSource):
    """One parameter for all kernels of a scope (`Shared.tied`): the far end of weight sharing in depth.

    A scope has one basic kernel B, the largest of those that it stands for; all others are put together from B:

    ``K[o, i, r, c] = sqrt(fan_in of B / fan_in of K) B[o mod O, i mod I, (r + r0) mod H, (c + c0) mod W]``

    for B of shape (O, I, H, W): the first channels of a larger axis, all channels over and over on a shorter one. The
    offsets r0 and c0 bring the middles of both kernels together, so a 1 x 1 kernel is the middle of a 3 x 3 one. The
    factor gives each kernel the He deviation of its own fan-in; it is 1 for kernels of B's shape, which are B itself.

    Parameters: ``weights``, one basic kernel a scope.
    """

    groups = {"weights": "kernels"}

    def __init__(self, shapes: Sequence[KernelShape], spec: Shared) -> None:
        super().__init__(shapes)
        tied = spec.tied(list(shapes))
        scopes = {shape: number for number, members in enumerate(tied.values()) for shape in members}
        self.weights = nn.ParameterList(he_normal(basic) for basic in tied)
        self.basic = [(shape, scopes[shape]) for shape in self.shapes]

    def forward(self) -> list[Tensor]:
        """See `KernelSource.forward`; kernels of one shape are the same tensor."""
        kernels = {shape: fit(self.weights[scope], shape) for shape, scope in dict(self.basic).items()}
        return [kernels[shape] for shape in self.shapes]


def fit(basic: Tensor, shape: KernelShape) -> Tensor:
    """The kernel of `shape` that `basic` stands for, by the formula of `SharedKernels`."""
    own = KernelShape(*basic.shape)
    if own == shape:
        return basic
    kernel = basic
    for axis, (size, wanted) in enumerate(zip(own, shape, strict=True)):
        start = (size // 2 - wanted // 2) % size if axis >= 2 else 0
        repeats = [1] * len(shape)
        repeats[axis] = -(-(start + wanted) // size)
        kernel = kernel.repeat(repeats).narrow(axis, start, wanted)
    return kernel * math.sqrt(own.fan_in / shape.fan_in)
