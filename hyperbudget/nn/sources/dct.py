"""Kernels learnt as their lowest frequencies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hyperbudget.nn.sources.base import he_deviation
from hyperbudget.nn.sources.stacked import StackedKernels
from hyperbudget.nn.spec import Dct, KernelShape


class DctKernels(StackedKernels):
    """Kernels as the inverse of a four-dimensional DCT-II of which only low frequencies are learnt.

    The coding of compressed weight search (Koutnik, Gomez & Schmidhuber 2010), with coefficients trained by gradient
    where they were evolved. A kernel of m weights has ``Dct.kept`` learnt coefficients, those of the lowest frequencies
    in simplex order (see `simplex`); all others are 0:

    ``K[o, i, r, c] = sqrt(m / kept) sum_pqst C[p, q, s, t] b_out(p, o) b_in(q, i) b_height(s, r) b_width(t, c)``

    with the orthonormal basis b of `dct_basis`. The transform conserves energy, so with this factor kernel and
    coefficients have the same mean square. The coefficients are drawn with the kernel's He deviation: they start at the
    size of free weights whatever the share, and one step of Adam changes a kernel by as much as a free one.

    Parameters: ``coefficients``, an entry of shape (kernels, kept) for each distinct kernel shape.
    """

    groups = {"coefficients": "kernels"}

    def __init__(self, shapes: Sequence[KernelShape], spec: Dct) -> None:
        super().__init__(shapes)
        coefficients = []
        self.boxes: list[tuple[int, int, int, int]] = []
        for number, (shape, layers) in enumerate(self.stacked.items()):
            kept = spec.kept(shape)
            coefficients.append(torch.randn(len(layers), kept) * he_deviation(shape))
            frequencies = simplex(shape, kept)
            out, into, height, width = (int(size) + 1 for size in frequencies.amax(0))
            self.boxes.append((out, into, height, width))
            p, q, s, t = frequencies.unbind(1)
            spatial = torch.kron(dct_basis(shape.height, height), dct_basis(shape.width, width))
            # All of these follow from the shapes: a checkpoint need not hold them.
            self._keep(f"place_{number}", ((p * into + q) * height + s) * width + t)
            self._keep(f"out_{number}", dct_basis(shape.out_channels, out) * math.sqrt(shape.weights / kept))
            self._keep(f"in_{number}", dct_basis(shape.in_channels, into))
            self._keep(f"spatial_{number}", spatial)
        self.coefficients = nn.ParameterList(coefficients)

    def _keep(self, name: str, tensor: Tensor) -> None:
        kind = torch.get_default_dtype() if tensor.is_floating_point() else tensor.dtype
        self.register_buffer(name, tensor.to(kind), persistent=False)

    def stacks(self) -> list[Tensor]:
        """See `StackedKernels.stacks`: one axis after the other, for all kernels of a shape at once."""
        stacks = []
        for number, (shape, box) in enumerate(zip(self.stacked, self.boxes, strict=True)):
            coefficients = self.coefficients[number]
            place, out, into, spatial = (
                self.get_buffer(f"{name}_{number}") for name in ("place", "out", "in", "spatial")
            )
            filled = coefficients.new_zeros(len(coefficients), math.prod(box)).index_copy(1, place, coefficients)
            x = filled.view(-1, box[0], box[1], box[2] * box[3]) @ spatial.T  # (kernels, box out, box in, pixels)
            x = into @ x  # (kernels, box out, in_channels, pixels)
            x = out @ x.flatten(2)  # (kernels, out_channels, in_channels x pixels)
            stacks.append(x.view(-1, *shape))
        return stacks


def dct_basis(size: int, kept: int) -> Tensor:
    """The first `kept` functions of the orthonormal DCT-II over `size` points, in float64: shape (size, kept).

    ``b(k, x) = sqrt((2 - [k = 0]) / size) cos(pi (x + 1/2) k / size)``
    """
    points = torch.arange(size, dtype=torch.float64) + 0.5
    frequencies = torch.arange(kept, dtype=torch.float64)
    basis = torch.cos(torch.outer(points, frequencies) * (math.pi / size)) * math.sqrt(2 / size)
    basis[:, 0] /= math.sqrt(2)
    return basis


def simplex(shape: KernelShape, kept: int) -> Tensor:
    """The `kept` lowest frequencies of a kernel: those with the smallest sum of their four indices.

    Returned: shape (kept, 4), integers. Equal sums stand in row-major order, where the paper takes those nearest to
    each axis in turn.
    """
    every = torch.cartesian_prod(*(torch.arange(size) for size in shape))
    return every[torch.argsort(every.sum(1), stable=True)[:kept]]
