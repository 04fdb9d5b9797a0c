"""The gates of one LSTM in a window, for the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.gpu.device import block, warps
from hyperbudget.nn.recurrent.fused.gpu.memory import whole
from hyperbudget.nn.recurrent.fused.layout import start
from hyperbudget.nn.recurrent.fused.tape import Tape
from hyperbudget.nn.recurrent.gates import LayerNorms


class Cell:
    """As `fused.cell.Cell`, but on the tape samples stand before gates, as the products give them.

    With layer norms, those of the four gates and of c are one: gain, offset, and on the tape the normalised numbers,
    shape (batch, 5, size), and 1 / deviation, shape (batch, 5). In a pack, runs stand before all.
    """

    def __init__(self, tape: Tape, c: Tensor, norms: LayerNorms | None, mask: Tensor | None) -> None:
        *runs, batch, size = c.shape
        nothing: Sequence[Tensor | None] = [None] * tape.steps
        self.gates = whole(tape, c, tape.steps, *runs, batch, 4, size).unbind()
        self.c = whole(tape, c, tape.steps + 1, *c.shape).unbind()
        self.shown = whole(tape, c, tape.steps, *c.shape).unbind()
        self.mask = nothing if mask is None else mask.contiguous().unbind()
        self.gain: Tensor | None = None
        self.offset: Tensor | None = None
        self.values = self.scales = nothing
        self.sizes: dict[str, Any] = {"SIZE": size, "BLOCK": block(size), "num_warps": warps(block(size))}
        self.sizes["RUN"] = batch if runs else None
        self.epsilon = 0.0
        if norms is not None:
            self.gain = torch.cat([norms.gain, norms.c_gain.unsqueeze(-2)], -2).contiguous()
            self.offset = torch.cat([norms.offset, norms.c_offset.unsqueeze(-2)], -2).contiguous()
            self.epsilon = norms.epsilon
            self.values = whole(tape, c, tape.steps, *runs, batch, 5, size).unbind()
            self.scales = whole(tape, c, tape.steps, *runs, batch, 5).unbind()

    def forward(self, t: int) -> dict[str, Any]:
        """What a kernel is given for a step, besides the sums and where h is written."""
        return {
            "c_before": self.c[t], "c": self.c[t + 1], "gates": self.gates[t], "shown": self.shown[t],
            "mask": self.mask[t], "gain": self.gain, "offset": self.offset, "values": self.values[t],
            "scales": self.scales[t], "EPSILON": self.epsilon, **self.sizes,
        }  # fmt: skip

    def begin_backward(self, grad_c: Tensor | None) -> None:
        """Before the last step's, with the gradient of the last c; `grad_c` becomes that of c before each step."""
        self.grad_c = start(grad_c, self.c[0])
        self.grad_gain: Tensor | None = None
        self.grad_offset: Tensor | None = None
        if self.gain is not None:
            rows = (*self.grad_c.shape[:-1], *self.gain.shape[-2:])
            self.grad_gain, self.grad_offset = self.gain.new_zeros(rows), self.gain.new_zeros(rows)

    def backward(self, t: int) -> dict[str, Any]:
        """What a kernel is given for a step, besides the gradients of h and where those of the sums are written."""
        return {
            "grad_c": self.grad_c, "c_before": self.c[t], "gates": self.gates[t], "shown": self.shown[t],
            "mask": self.mask[t], "gain": self.gain, "values": self.values[t], "scales": self.scales[t],
            "grad_gain": self.grad_gain, "grad_offset": self.grad_offset, **self.sizes,
        }  # fmt: skip

    def norm_gradients(self) -> tuple[Tensor | None, ...]:
        """Of gain, offset, c_gain and c_offset."""
        if self.grad_gain is None or self.grad_offset is None:
            return (None,) * 4
        gain, offset = self.grad_gain.sum(-3), self.grad_offset.sum(-3)
        return gain[..., :4, :], offset[..., :4, :], gain[..., 4, :], offset[..., 4, :]
