"""The LSTM over a window, with all but its matrix products in kernels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.gpu.cell import Cell
from hyperbudget.nn.recurrent.fused.gpu.device import launcher
from hyperbudget.nn.recurrent.fused.gpu.memory import multiply, weight_gradient
from hyperbudget.nn.recurrent.fused.gpu.states import States
from hyperbudget.nn.recurrent.fused.inputs import LstmInputs
from hyperbudget.nn.recurrent.fused.layout import start
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.tape import Tape


class LstmWindow:
    """As `fused.lstm_window.LstmWindow`, but samples stand before gates. On the tape are also the `States`."""

    def __init__(self, inputs: LstmInputs, tape: Tape, options: Options) -> None:
        self.inputs, self.steps, self.products = inputs, tape.steps, options.products
        self.rows, self.size = inputs.h.shape[:-1], inputs.h.shape[-1]
        self.cell = Cell(tape, inputs.c, inputs.layer_norms(options.epsilon), inputs.mask)
        self.states = States(tape, inputs.h, options.products)
        self.h_weight = inputs.h_weight.to(options.products)

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""
        cell, states, row = self.cell, self.states, 4 * self.size
        launch = launcher("plain_forward", self.inputs.h, self.rows.numel())
        outputs = self.inputs.h.new_empty(self.steps, *self.inputs.h.shape)
        of_h, of_x = outputs.new_empty(*self.rows, row), self.inputs.main.contiguous().unbind()
        cell.c[0].copy_(self.inputs.c)
        states.begin(outputs)
        for t, h in enumerate(outputs.unbind()):
            multiply(states.before[t], self.h_weight.mT, of_h)
            launch(
                of_h=of_h, of_x=of_x[t], of_own=None, bias=None, h=h, narrow=states.narrow[t],
                OF_H_ROW=row, OF_OWN_ROW=row, **cell.forward(t),
            )  # fmt: skip
        return outputs, outputs[-1].clone(), cell.c[-1].clone()

    def backward(self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]) -> LstmInputs:
        """The gradients of the inputs, from those of what `forward` returned."""
        cell, row, launch = self.cell, 4 * self.size, launcher("plain_backward", outputs, self.rows.numel())
        grad_last, grad_c = grad_state
        grad_each = [None] * self.steps if grad_outputs is None else grad_outputs.contiguous().unbind()
        grad_main = outputs.new_empty(self.steps, *self.rows, row)
        mixed = self.products != outputs.dtype
        grad_products = torch.empty_like(grad_main, dtype=self.products) if mixed else grad_main
        grad_of_x, grad_of_h = grad_main.unbind(), grad_products.unbind()
        grad_h = start(grad_last, self.inputs.h)
        cell.begin_backward(grad_c)
        for t in range(self.steps - 1, -1, -1):
            launch(
                grad_h=grad_h, grad_outputs=grad_each[t], grad_sums=grad_of_x[t],
                grad_also=grad_of_h[t] if mixed else None, GRAD_SUMS_ROW=row, GRAD_ALSO_ROW=row, **cell.backward(t),
            )  # fmt: skip
            multiply(grad_of_h[t], self.h_weight, grad_h)
        grad_weight = weight_gradient(self.inputs.h_weight, grad_products, self.states.all(outputs)[:-1])
        return LstmInputs(grad_main, grad_h, cell.grad_c, grad_weight, *cell.norm_gradients())
