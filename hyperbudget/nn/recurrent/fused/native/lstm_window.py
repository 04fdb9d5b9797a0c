"""The LSTM over a window, with all but its matrix products in C++."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.inputs import LstmInputs
from hyperbudget.nn.recurrent.fused.layout import by_token, with_last
from hyperbudget.nn.recurrent.fused.native.cell import Cell
from hyperbudget.nn.recurrent.fused.native.library import LstmFields, function
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.products import Product, weight_gradient
from hyperbudget.nn.recurrent.fused.tape import Tape


class LstmWindow:
    """As `fused.lstm_window.LstmWindow`, but samples stand before gates."""

    def __init__(self, inputs: LstmInputs, tape: Tape, options: Options) -> None:
        self.inputs, self.steps, self.products = inputs, tape.steps, options.products
        self.cell = Cell(tape, inputs.c, inputs.layer_norms(options.epsilon), inputs.mask)
        self.of_x = inputs.main.contiguous()
        scratch = inputs.h.new_empty(5 * inputs.h.shape[1])
        self.fields = LstmFields(cell=self.cell.fields, ids=inputs.ids, of_x=self.of_x, scratch=scratch)

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""
        inputs, cell = self.inputs, self.cell
        of_h = Product(inputs.h_weight, dtype=self.products, times=self.steps)
        outputs = inputs.h.new_empty(self.steps, *inputs.h.shape)
        narrow = None if self.products == outputs.dtype else torch.empty_like(inputs.h, dtype=self.products)
        self.fields.give(outputs=outputs, narrow=narrow)
        forward, at = function("lstm_forward", self.products, 1), ctypes.addressof(self.fields)
        cell.c_first.copy_(inputs.c)
        h = inputs.h.to(self.products)
        for t, output in enumerate(outputs.unbind()):
            products = of_h(h)
            forward(at, t, products.data_ptr())
            h = output if narrow is None else narrow
        return outputs, outputs[-1].clone(), cell.c_last.clone()

    def backward(self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]) -> LstmInputs:
        """The gradients of the inputs, from those of what `forward` returned."""
        inputs, cell = self.inputs, self.cell
        to_h = Product(inputs.h_weight.T, dtype=self.products, times=self.steps)
        grad_last, grad_c = grad_state
        cell.begin_backward(grad_c)
        grad_main = outputs.new_empty(*outputs.shape[:2], len(inputs.h_weight))
        grad_products = (
            grad_main if self.products == outputs.dtype else torch.empty_like(grad_main, dtype=self.products)
        )
        self.fields.give(
            grad_outputs=with_last(grad_outputs, grad_last, outputs),
            grad_of_x=grad_main,
            grad_products=None if grad_products is grad_main else grad_products,
        )
        backward, at = function("lstm_backward", self.products, 1), ctypes.addressof(self.fields)
        grad_h = torch.zeros_like(inputs.h, dtype=self.products, memory_format=torch.contiguous_format)
        of_step = grad_products.unbind()
        for t in range(self.steps - 1, -1, -1):
            backward(at, t, grad_h.data_ptr())
            grad_h = to_h(of_step[t])
        before = torch.cat([inputs.h.unsqueeze(0), outputs[:-1]]).to(self.products)
        grad_weight = weight_gradient(inputs.h_weight, grad_products, before)
        grad_of_x = by_token(grad_main, inputs.main, inputs.ids)
        return LstmInputs(grad_of_x, grad_h.to(outputs.dtype), cell.grad_c, grad_weight, *cell.norm_gradients())
