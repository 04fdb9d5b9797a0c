"""The gates of one LSTM in a window, for the functions of ``cells.cpp``."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.layout import start
from hyperbudget.nn.recurrent.fused.native.library import CellFields
from hyperbudget.nn.recurrent.fused.tape import Tape
from hyperbudget.nn.recurrent.gates import LayerNorms


class Cell:
    """As `fused.cell.Cell`, but on the tape samples stand before gates, as the products give them, and there is less.

    Of shape (batch, 4, size) are i, tanh(g), f, o, or with layer norm what was normalised and of c, too, with 1 /
    deviation, shape (batch, 4) and (batch,). c_first, c_last: c before the first and after the last step.
    """

    def __init__(self, tape: Tape, c: Tensor, norms: LayerNorms | None, mask: Tensor | None) -> None:
        batch, size = c.shape
        kept = tape.room(c, batch, size, more=1)
        self.c_first, self.c_last = kept.pieces[0][0], kept.pieces[-1][-1]
        mask = None if mask is None else mask.contiguous()
        self.fields, self.norms = CellFields(batch=batch, size=size, c=kept, mask=mask), norms
        if norms is None:
            self.fields.give(gates=tape.room(c, batch, 4, size))
        else:
            gain, offset, c_gain, c_offset = (tensor.contiguous() for tensor in norms[:4])
            self.fields.give(
                gain=gain, offset=offset, c_gain=c_gain, c_offset=c_offset, epsilon=norms.epsilon,
                values=tape.room(c, batch, 4, size), scale=tape.room(c, batch, 4),
                c_values=tape.room(c, batch, size), c_scale=tape.room(c, batch),
            )  # fmt: skip

    def begin_backward(self, grad_c: Tensor | None) -> None:
        """Before the last step's, with the gradient of the last c; `grad_c` becomes that of c before each step."""
        self.grad_c = start(grad_c, self.c_first)
        self.fields.give(grad_c=self.grad_c)
        if self.norms is not None:
            self.gradients = [
                torch.zeros_like(tensor, memory_format=torch.contiguous_format) for tensor in self.norms[:4]
            ]
            names = ("grad_gain", "grad_offset", "grad_c_gain", "grad_c_offset")
            self.fields.give(**dict(zip(names, self.gradients, strict=True)))

    def norm_gradients(self) -> tuple[Tensor | None, ...]:
        """Of gain, offset, c_gain and c_offset."""
        return (None,) * 4 if self.norms is None else tuple(self.gradients)
