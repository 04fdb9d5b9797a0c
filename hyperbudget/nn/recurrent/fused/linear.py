"""What a layer's input adds to its gates in all steps, with oneDNN where that is faster."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from hyperbudget.nn.recurrent.fused.products import FEW, Product, packs, weight_gradient
from hyperbudget.nn.recurrent.fused.switch import product_type, transformed, usable


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``W x + b``, as `torch.nn.functional.linear`.

    x: shape (time, batch, inputs); weight: shape (outputs, inputs); bias: shape (outputs,).
    """
    if transformed() or not (usable(x, weight) and product_type(x) == x.dtype and packs(weight, FEW)):
        return F.linear(x, weight, bias)
    result: Tensor = _Linear.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return result


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return Product(weight, bias, dtype=x.dtype, times=FEW)(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            Product(weight.T, dtype=x.dtype, times=FEW)(grad) if of_x else None,
            weight_gradient(weight, grad, x) if of_weight else None,
            grad.sum((0, 1)) if of_bias else None,
        )
