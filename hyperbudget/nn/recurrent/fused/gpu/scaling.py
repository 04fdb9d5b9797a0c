"""From z to the scaling vectors d in a window: within the kernels of the main cell, or by products of their own."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.gpu.device import block, launcher
from hyperbudget.nn.recurrent.fused.layout import by_gate
from hyperbudget.nn.recurrent.fused.products import each

FEW = 8
"""Up to so many numbers, each z is multiplied within the kernel: every sample reads all weights of d, but nothing more
is launched. For more numbers that is the slower way."""
COLUMNS, SLABS = 256, 64
"""Of the gradient of the weights: how many columns a program takes, four a thread, and into how many parts the rows are
cut."""


class Scaling:
    """weight: shape (12, K, H), from z to d, for K numbers of each z; bias: of z, shape (12 K,); batch: of z.

    In a pack, runs stand before all; but where d is computed before the kernels, behind the twelve parts.
    """

    def __init__(self, weight: Tensor, bias: Tensor, batch: int) -> None:
        *runs, _, self.numbers, self.size = weight.shape
        self.weight, self.bias = weight.contiguous(), bias.contiguous()
        self.runs, self.batch = runs, batch
        self.within = self.weight
        self.d: Tensor | None = None
        if self.numbers > FEW:
            self.within = torch.bmm(self.bias.view(-1, 1, self.numbers), each(self.weight)).view(*runs, 12, self.size)
            self.d = weight.new_empty(12, *runs, batch, self.size)
            self.by_part = self.weight.movedim(-3, 0).contiguous()

    def parts(self, rows: Tensor) -> Tensor:
        """A view of shape (12, batch, K) of rows of shape (batch, 12 K)."""
        return by_gate(rows, 12).movedim(-3, 0)

    def forward(self, z: Tensor, parts: int = 12) -> dict[str, Any]:
        """What a kernel is given for a step with these z, without their bias: rows of shape (batch, 12 K).

        parts: how many of the vectors it wants.
        """
        if self.d is not None:
            torch.bmm(each(self.parts(z)[:parts]), each(self.by_part[:parts]), out=each(self.d[:parts]))
        return {
            "z": z, "bias": self.bias, "weight": self.within, "d": self.d, "Z_ROW": z.stride(-2),
            "NUMBERS": self.numbers, "PAD": block(self.numbers) if self.d is None else 1,
        }  # fmt: skip

    def begin_backward(self) -> None:
        """Before the last step's `backward`."""
        self.grad_d = None if self.d is None else torch.empty_like(self.d)
        self.grad_z = None if self.d is None else self.d.new_empty(*self.d.shape[:-1], self.numbers)

    def backward(self, grad_z: Tensor) -> None:
        """After a step's kernel: write the gradient of its z where the kernel did not, rows of shape (batch, 12 K)."""
        if self.grad_d is not None and self.grad_z is not None:
            torch.bmm(each(self.grad_d), each(self.by_part).mT, out=each(self.grad_z))
            self.parts(grad_z).copy_(self.grad_z)

    def gradient(self, grad_sums: Tensor, of_h: Tensor, of_x: Tensor, z: Tensor) -> Tensor:
        """That of the weight, from those of the sums for all steps; see `kernels.scaling_gradient` for the shapes."""
        rows, places = grad_sums.shape[0] * self.batch, min(block(self.numbers), FEW)
        slab = -(-rows // SLABS)
        slabs, columns = -(-rows // slab), min(block(self.size), COLUMNS)
        partial = self.weight.new_empty(slabs, *self.weight.shape)
        runs = math.prod(self.runs)
        grid = (-(-self.numbers // places), 4 * -(-self.size // columns), slabs * runs)
        launcher("scaling_gradient", partial, *grid)(
            grad_sums, of_h, of_x, z, self.bias, partial,
            ROWS=rows, SLAB=slab, OF_H_ROW=of_h.stride(-2), Z_ROW=z.stride(-2), NUMBERS=self.numbers, PAD=places,
            RUN=self.batch if self.runs else None, RUNS=runs,
            SIZE=self.size, BLOCK=columns, num_warps=max(columns // 128, 1),
        )  # fmt: skip
        return partial.sum(0)
