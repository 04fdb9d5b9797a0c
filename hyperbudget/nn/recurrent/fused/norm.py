"""A layer norm in a window, with the gradients of its gain and offset over all steps."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.tape import Tape


class Norm:
    """``y = gain * normalised(x) + offset`` over the last dimension.

    x, y: shape (..., batch, size); gain, offset: shape (..., size). On the tape are normalised(x), and 1 / deviation of
    shape (..., batch, 1).
    """

    def __init__(self, tape: Tape, batch: int, gain: Tensor, offset: Tensor, epsilon: float) -> None:
        self.gain, self.offset, self.epsilon = gain.unsqueeze(-2), offset.unsqueeze(-2), epsilon
        *gates, size = gain.shape
        self.values = tape.room(gain, *gates, batch, size).each()
        self.scale = tape.room(gain, *gates, batch, 1).each()

    def forward(self, t: int, x: Tensor, y: Tensor) -> None:
        """Write y, which may be x."""
        values, _, scale = torch.native_layer_norm(x, x.shape[-1:], None, None, self.epsilon)
        self.values[t].copy_(values)
        self.scale[t].copy_(scale)
        torch.addcmul(self.offset, values, self.gain, out=y)

    def begin_backward(self) -> None:
        """Before the last step's `backward`."""
        values, scale = self.values[-1], self.scale[-1]
        self.grad_gain, self.grad_offset = torch.zeros_like(values), torch.zeros_like(values)
        self.mean, self.one = torch.zeros_like(scale), torch.ones_like(scale)

    def backward(self, t: int, grad: Tensor) -> None:
        """Overwrite the gradient of y with that of x."""
        values = self.values[t]
        self.grad_gain.addcmul_(grad, values)
        self.grad_offset.add_(grad)
        # Of `values`, whose mean is 0 and whose deviation is 1: that of x is `scale` times as large.
        inner, _, _ = torch.ops.aten.native_layer_norm_backward(
            grad.mul_(self.gain), values, values.shape[-1:], self.mean, self.one, None, None, [True, False, False]
        )
        torch.mul(inner, self.scale[t], out=grad)

    def gradients(self) -> tuple[Tensor, Tensor]:
        """Of gain and offset. Their sums over the batch are taken here, once, and not at every step."""
        return self.grad_gain.sum(-2), self.grad_offset.sum(-2)
