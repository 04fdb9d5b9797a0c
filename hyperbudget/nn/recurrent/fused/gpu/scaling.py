"""From z to the scaling vectors d in a window: within the kernels of the main cell, or by products of their own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.gpu.device import block, launcher
from hyperbudget.nn.recurrent.fused.layout import by_gate

FEW = 8
"""Up to so many numbers, each z is multiplied within the kernel: every sample reads all weights of d, but nothing more
is launched. For more numbers that is the slower way."""
COLUMNS, SLABS = 256, 64
"""Of the gradient of the weights: how many columns a program takes, four a thread, and into how many parts the rows are
cut."""


class Scaling:
    """weight: shape (12, K, H), from z to d, for K numbers of each z; bias: of z, shape (12 K,)."""

    def __init__(self, weight: Tensor, bias: Tensor, batch: int) -> None:
        _, self.numbers, self.size = weight.shape
        self.weight, self.bias = weight.contiguous(), bias.contiguous()
        self.within = self.weight
        self.d: Tensor | None = None
        if self.numbers > FEW:
            self.within = torch.bmm(self.bias.view(12, 1, -1), self.weight).squeeze(1)
            self.d = weight.new_empty(12, batch, self.size)

    def parts(self, rows: Tensor) -> Tensor:
        """A view of shape (..., 12, batch, K) of rows of shape (..., batch, 12 K)."""
        return by_gate(rows, 12)

    def forward(self, z: Tensor, parts: int = 12) -> dict[str, Any]:
        """What a kernel is given for a step with these z, without their bias: rows of shape (batch, 12 K).

        parts: how many of the vectors it wants.
        """
        if self.d is not None:
            torch.bmm(self.parts(z)[:parts], self.weight[:parts], out=self.d[:parts])
        return {
            "z": z, "bias": self.bias, "weight": self.within, "d": self.d, "Z_ROW": z.stride(0),
            "NUMBERS": self.numbers, "PAD": block(self.numbers) if self.d is None else 1,
        }  # fmt: skip

    def begin_backward(self) -> None:
        """Before the last step's `backward`."""
        self.grad_d = None if self.d is None else torch.empty_like(self.d)
        self.grad_z = None if self.d is None else self.d.new_empty(12, self.d.shape[1], self.numbers)

    def backward(self, grad_z: Tensor) -> None:
        """After a step's kernel: write the gradient of its z where the kernel did not, rows of shape (batch, 12 K)."""
        if self.grad_d is not None and self.grad_z is not None:
            torch.bmm(self.grad_d, self.weight.transpose(1, 2), out=self.grad_z)
            self.parts(grad_z).copy_(self.grad_z)

    def gradient(self, grad_sums: Tensor, of_h: Tensor, of_x: Tensor, z: Tensor) -> Tensor:
        """That of the weight, from those of the sums for all steps; see `kernels.scaling_gradient` for the shapes."""
        rows, places = grad_sums.shape[0] * grad_sums.shape[1], min(block(self.numbers), FEW)
        slab = -(-rows // SLABS)
        slabs, columns = -(-rows // slab), min(block(self.size), COLUMNS)
        partial = self.weight.new_empty(slabs, *self.weight.shape)
        grid = (-(-self.numbers // places), 4 * -(-self.size // columns), slabs)
        launcher("scaling_gradient", partial, *grid)(
            grad_sums, of_h, of_x, z, self.bias, partial,
            ROWS=rows, SLAB=slab, OF_H_ROW=of_h.stride(1), Z_ROW=z.stride(1), NUMBERS=self.numbers, PAD=places,
            SIZE=self.size, BLOCK=columns, num_warps=max(columns // 128, 1),
        )  # fmt: skip
        return partial.sum(0)
