"""The LSTM over a window of T steps, forward and backward in time, on tensors without gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.cell import Cell
from hyperbudget.nn.recurrent.fused.inputs import LstmInputs
from hyperbudget.nn.recurrent.fused.layout import by_gate, with_last
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.products import Product, weight_gradient
from hyperbudget.nn.recurrent.fused.tape import Tape


class LstmWindow:
    """One window, in PyTorch alone. All is in the states' own type, products as well.

    Gates stand before the batch in here, so that one gate's numbers are one piece of memory. On the tape is what the
    cell keeps. In a pack, runs stand before gates, or where there are none before the batch.
    """

    def __init__(self, inputs: LstmInputs, tape: Tape, options: Options) -> None:
        self.inputs, self.steps = inputs, tape.steps
        self.cell = Cell(tape, inputs.c, inputs.layer_norms(options.epsilon), inputs.mask)

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""
        inputs, cell = self.inputs, self.cell
        of_h = Product(inputs.h_weight, dtype=inputs.h.dtype, times=self.steps)
        outputs = inputs.h.new_empty(self.steps, *inputs.h.shape)
        of_x = by_gate(inputs.main, 4).unbind()
        sums = torch.empty_like(of_x[0], memory_format=torch.contiguous_format)
        cell.c[0].copy_(inputs.c)
        h = inputs.h
        for t, output in enumerate(outputs.unbind()):
            torch.add(by_gate(of_h(h), 4), of_x[t], out=sums)
            cell.forward(t, sums, output)
            h = output
        return outputs, h.clone(), cell.c[-1].clone()

    def backward(self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]) -> LstmInputs:
        """The gradients of the inputs, from those of what `forward` returned."""
        inputs, cell = self.inputs, self.cell
        to_h = Product(inputs.h_weight.mT, dtype=outputs.dtype, times=self.steps)
        grad_last, grad_c = grad_state
        grad_outputs = with_last(grad_outputs, grad_last, outputs)
        grad_main = torch.empty_like(inputs.main)
        grad_of_x = by_gate(grad_main, 4).unbind()
        grad_sums = torch.empty_like(grad_of_x[0], memory_format=torch.contiguous_format)
        cell.begin_backward(torch.zeros_like(inputs.c) if grad_c is None else grad_c)
        grad_h = torch.zeros_like(inputs.h)
        for t in range(self.steps - 1, -1, -1):
            cell.backward(t, grad_h if grad_outputs is None else grad_h + grad_outputs[t], grad_sums)
            grad_of_x[t].copy_(grad_sums)
            grad_h = to_h(grad_main[t])
        before = torch.cat([inputs.h.unsqueeze(0), outputs[:-1]])
        grad_weight = weight_gradient(inputs.h_weight, grad_main, before)
        return LstmInputs(grad_main, grad_h, cell.grad_c, grad_weight, *cell.norm_gradients())
