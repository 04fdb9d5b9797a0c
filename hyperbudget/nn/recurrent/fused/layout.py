"""How the numbers of a window lie."""

from __future__ import annotations

import torch
from torch import Tensor


def by_gate(rows: Tensor, gates: int) -> Tensor:
    """A view of shape (..., gates, batch, size) of rows of shape (..., batch, gates * size)."""
    return rows.view(*rows.shape[:-1], gates, -1).transpose(-3, -2)


def by_token(grad: Tensor, like: Tensor, ids: Tensor | None) -> Tensor:
    """The gradient of what each token adds, of the shape of `like`, (tokens, outputs), from that of what each x adds.

    grad: shape (T, batch, outputs); without ids, shape (T, batch), it is what was asked for.
    """
    if ids is None:
        return grad
    contiguous = torch.contiguous_format
    return torch.zeros_like(like, memory_format=contiguous).index_add_(0, ids.flatten(), grad.flatten(0, 1))


def start(grad: Tensor | None, like: Tensor) -> Tensor:
    """Memory for the gradient of a state, which begins with that of the last one: 0 if there is none."""
    contiguous = torch.contiguous_format
    return torch.zeros_like(like, memory_format=contiguous) if grad is None else grad.clone(memory_format=contiguous)


def with_last(grad_outputs: Tensor | None, grad_last: Tensor | None, outputs: Tensor) -> Tensor | None:
    """The gradient of all outputs, in one piece, when the last one is also part of the state."""
    if grad_last is None:
        return None if grad_outputs is None else grad_outputs.contiguous()
    contiguous = torch.contiguous_format
    total = torch.zeros_like(outputs) if grad_outputs is None else grad_outputs.clone(memory_format=contiguous)
    total[-1] += grad_last
    return total
