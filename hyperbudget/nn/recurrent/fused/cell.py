"""The gates of one LSTM in a window: `gates.update` step by step, with its gradient written by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.norm import Norm
from hyperbudget.nn.recurrent.fused.tape import Tape
from hyperbudget.nn.recurrent.gates import LayerNorms

# They want the value of the function, not its argument, and write where they are told to.
sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
tanh_backward = torch.ops.aten.tanh_backward.grad_input


class Cell:
    """An LSTM without its matrix products.

    On the tape are i, tanh(g), f, o, shape (4, batch, size), and of shape (batch, size) c before and after each step,
    and the tanh in h. Without a tape that records, nothing outlives a step but c. In a pack, runs stand before all.
    """

    def __init__(self, tape: Tape, c: Tensor, norms: LayerNorms | None, mask: Tensor | None) -> None:
        *runs, batch, size = c.shape
        self.gates = tape.room(c, *runs, 4, batch, size).each()
        self.c = tape.room(c, *c.shape, more=1).each()
        self.shown = tape.room(c, *c.shape).each()
        self.mask = None if mask is None else mask.unbind()
        self.norms: tuple[Norm, ...] = ()
        if norms is not None:
            gate_norm = Norm(tape, batch, norms.gain, norms.offset, norms.epsilon)
            self.norms = (gate_norm, Norm(tape, batch, norms.c_gain, norms.c_offset, norms.epsilon))

    def forward(self, t: int, sums: Tensor, h: Tensor) -> None:
        """Write h, shape (batch, size). sums: for i, g, f, o, shape (4, batch, size); they are lost."""
        gates, c, shown = self.gates[t], self.c[t + 1], self.shown[t]
        if self.norms:
            self.norms[0].forward(t, sums, sums)
        torch.sigmoid(sums, out=gates)
        i, g, f, o = gates.unbind(-3)
        torch.tanh(sums.select(-3, 1), out=g)
        torch.mul(f, self.c[t], out=c)
        c.addcmul_(i, g if self.mask is None else g * self.mask[t])
        if self.norms:
            self.norms[1].forward(t, c, shown)
        torch.tanh(shown if self.norms else c, out=shown)
        torch.mul(o, shown, out=h)

    def begin_backward(self, grad_c: Tensor) -> None:
        """Before the last step's `backward`, with the gradient of the last c."""
        self.grad_c = grad_c.clone()
        self.grad_inner, self.grad_gates = torch.empty_like(grad_c), torch.empty_like(self.gates[-1])
        self.grad_each = self.grad_gates.unbind(-3)
        for norm in self.norms:
            norm.begin_backward()

    def backward(self, t: int, grad_h: Tensor, grad_sums: Tensor) -> None:
        """Write the gradient of the sums; `grad_c` becomes that of c before the step."""
        gates, shown, grad_c, grad_inner = self.gates[t], self.shown[t], self.grad_c, self.grad_inner
        i, g, f, o = gates.unbind(-3)
        grad_i, grad_g, grad_f, grad_o = self.grad_each

        torch.mul(grad_h, shown, out=grad_o)
        torch.mul(grad_h, o, out=grad_inner)
        tanh_backward(grad_inner, shown, grad_input=grad_inner)
        if self.norms:
            self.norms[1].backward(t, grad_inner)
        grad_c.add_(grad_inner)

        torch.mul(grad_c, g, out=grad_i)
        torch.mul(grad_c, i, out=grad_g)
        torch.mul(grad_c, self.c[t], out=grad_f)
        grad_c.mul_(f)
        if self.mask is not None:
            self.grad_gates.narrow(-3, 0, 2).mul_(self.mask[t].unsqueeze(-3))  # of i and g: it is on their product
        sigmoid_backward(self.grad_gates, gates, grad_input=grad_sums)
        tanh_backward(grad_g, g, grad_input=grad_sums.select(-3, 1))
        if self.norms:
            self.norms[0].backward(t, grad_sums)

    def norm_gradients(self) -> tuple[Tensor | None, ...]:
        """Of gain, offset, c_gain and c_offset."""
        return tuple(tensor for norm in self.norms for tensor in norm.gradients()) or (None,) * 4
