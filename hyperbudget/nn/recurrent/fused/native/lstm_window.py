"""The LSTM over a window, in C++."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.inputs import LstmInputs
from hyperbudget.nn.recurrent.fused.layout import by_token, with_last
from hyperbudget.nn.recurrent.fused.native.cell import Cell
from hyperbudget.nn.recurrent.fused.native.library import LstmFields, call
from hyperbudget.nn.recurrent.fused.native.product import add_gradient, panels
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.tape import Tape


class LstmWindow:
    """As `fused.lstm_window.LstmWindow`, but samples stand before gates."""

    def __init__(self, inputs: LstmInputs, tape: Tape, options: Options) -> None:
        self.inputs, self.steps, self.products = inputs, tape.steps, options.products
        self.cell = Cell(tape, inputs.c, inputs.layer_norms(options.epsilon), inputs.mask)
        self.of_x = inputs.main.contiguous()
        scratch = inputs.h.new_empty(5 * inputs.h.shape[1])
        self.fields = LstmFields(
            cell=self.cell.fields, steps=self.steps, ids=inputs.ids, of_x=self.of_x, scratch=scratch
        )

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""
        inputs, cell, dtype = self.inputs, self.cell, self.products
        outputs = inputs.h.new_empty(self.steps, *inputs.h.shape)
        self.fields.give(
            outputs=outputs,
            h_weight=panels(inputs.h_weight, dtype=dtype),
            last_h=inputs.h.to(dtype, copy=True, memory_format=torch.contiguous_format),
            products=outputs.new_empty(len(inputs.h), len(inputs.h_weight), dtype=dtype),
        )
        cell.c_first.copy_(inputs.c)
        call("lstm_forward", dtype, self.fields)
        return outputs, outputs[-1].clone(), cell.c_last.clone()

    def backward(self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]) -> LstmInputs:
        """The gradients of the inputs, from those of what `forward` returned."""
        inputs, cell, dtype = self.inputs, self.cell, self.products
        grad_last, grad_c = grad_state
        cell.begin_backward(grad_c)
        grad_main = outputs.new_empty(*outputs.shape[:2], len(inputs.h_weight))
        grad_products = grad_main if dtype == outputs.dtype else torch.empty_like(grad_main, dtype=dtype)
        grad_h = torch.zeros_like(inputs.h, dtype=dtype, memory_format=torch.contiguous_format)
        self.fields.give(
            h_weight=panels(inputs.h_weight.T, dtype=dtype),
            grad_outputs=with_last(grad_outputs, grad_last, outputs),
            grad_of_x=grad_main,
            grad_h=grad_h,
            grad_products=grad_products,
        )
        call("lstm_backward", dtype, self.fields)
        before = torch.cat([inputs.h.unsqueeze(0), outputs[:-1]]).to(dtype)
        grad_weight = torch.zeros_like(inputs.h_weight, memory_format=torch.contiguous_format)
        add_gradient(grad_weight, grad_products, before)
        grad_of_x = by_token(grad_main, inputs.main, inputs.ids)
        return LstmInputs(grad_of_x, grad_h.to(outputs.dtype), cell.grad_c, grad_weight, *cell.norm_gradients())
