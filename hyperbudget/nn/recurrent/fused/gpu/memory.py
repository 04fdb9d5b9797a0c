"""Memory for a whole window in one piece, and products that are written to such memory."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.tape import Replay, Tape


def whole(tape: Tape, like: Tensor, steps: int, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
    """As `Tape.room`, with one tensor for all steps: shape (steps, ...).

    On a GPU memory is not given back between windows, and one tensor is less work than many. If the tape does not
    record, all steps lie in one place.
    """
    if isinstance(tape, Replay):
        return next(tape.recorded)
    if not tape.record:
        return like.new_empty(1, *shape, dtype=dtype).expand(steps, *shape)
    tensor = like.new_empty(steps, *shape, dtype=dtype)
    tape.lists.append([tensor])
    return tensor


def multiply(x: Tensor, y: Tensor, out: Tensor) -> Tensor:
    """Write ``x y`` to out, which can be float32 where the factors are bfloat16. Nothing else is allocated on a GPU.

    All are matrices, or in a pack as many as there are runs.
    """
    product = torch.mm if out.dim() == 2 else torch.bmm
    if x.dtype == out.dtype:
        return product(x, y, out=out)
    if out.device.type == "cuda":
        return product(x, y, out_dtype=out.dtype, out=out)
    return product(x.to(out.dtype), y.to(out.dtype), out=out)


def weight_gradient(weight: Tensor, grad: Tensor, x: Tensor) -> Tensor:
    """The gradient of W, of its shape (outputs, inputs) and type, from `grad`, that of all ``W x``.

    grad, x: shape (steps, batch, outputs) and (steps, batch, inputs), of one type. In a pack, runs stand before
    outputs, and in grad and x before the batch.
    """
    out = torch.empty_like(weight, memory_format=torch.contiguous_format)
    grad, x = (tensor.movedim(0, -3).flatten(-3, -2) for tensor in (grad, x))
    return multiply(grad.mT, x, out)
