"""Weights as the products in C++ want them, and their gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.native.library import TYPES, WeightFields, address, call, count
from hyperbudget.nn.recurrent.fused.products import weight_gradient


def panels(weight: Tensor, bias: Tensor | None = None, *, dtype: torch.dtype) -> WeightFields:
    """``W x + b`` with numbers of this type: W of shape (outputs, inputs), any strides; b of shape (outputs,)."""
    weight = weight.to(dtype)
    outputs, inputs = weight.shape
    room = torch.empty(count(f"packed_bytes_{TYPES[dtype]}", outputs, inputs), dtype=torch.uint8)
    fields = WeightFields(packed=room, bias=bias, inputs=inputs, outputs=outputs)
    call("pack", dtype, fields, weight.data_ptr(), *weight.stride())
    return fields


def add_gradient(total: Tensor, grad: Tensor, x: Tensor) -> None:
    """Add to the gradient of W, of its shape (outputs, inputs), what `grad`, that of some ``W x``, brings.

    grad, x: shape (steps, batch, outputs) and (steps, batch, inputs).
    """
    if x.dtype == torch.bfloat16:
        total += weight_gradient(total, grad, x)
        return
    grad, x = grad.flatten(0, 1), x.flatten(0, 1)
    call("add_gradient", x.dtype, panels(x.T, dtype=x.dtype), grad.shape[1], address(grad), address(total))
