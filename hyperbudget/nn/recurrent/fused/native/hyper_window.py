"""The HyperLSTM over a window, in C++."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperbudget.nn.recurrent.fused.inputs import HyperInputs
from hyperbudget.nn.recurrent.fused.layout import with_last
from hyperbudget.nn.recurrent.fused.native.cell import Cell
from hyperbudget.nn.recurrent.fused.native.library import HyperFields, call, count
from hyperbudget.nn.recurrent.fused.native.product import add_gradient, panels
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.products import steps_at_once
from hyperbudget.nn.recurrent.fused.tape import Tape


class HyperWindow:
    """As `fused.hyper_window.HyperWindow`, which says what is on the tape; here samples stand before gates."""

    def __init__(self, inputs: HyperInputs, tape: Tape, options: Options) -> None:
        self.inputs, self.steps, self.products = inputs, tape.steps, options.products
        self.batch, self.size = inputs.h.shape
        norms, hyper_norms = inputs.layer_norms(options.epsilon)
        self.main = Cell(tape, inputs.c, norms, inputs.mask)
        self.small = Cell(tape, inputs.hyper_c, hyper_norms, inputs.hyper_mask)
        hyper, numbers = inputs.hyper_h.shape[1], inputs.d_weight.shape[1]
        room, product = tape.room(inputs.hyper_h, self.batch, hyper, more=1), inputs.h.new_empty(0, dtype=self.products)
        self.hyper_h = room.each()
        self.of_x, self.small_of_x = inputs.main.contiguous(), inputs.small.contiguous()
        self.d_weight = F.pad(inputs.d_weight, (0, -self.size % count("row_multiple")))
        self.fields = HyperFields(
            main=self.main.fields, small=self.small.fields, steps=self.steps, current=options.current,
            numbers=numbers, stride=self.d_weight.shape[2], ids=inputs.ids,
            of_x=self.of_x, small_of_x=self.small_of_x, d_weight=self.d_weight, hyper_h=room,
            products=tape.room(product, self.batch, len(inputs.h_weight)),
            projected=tape.room(product, self.batch, len(inputs.hyper_weight), more=1),
            sums=inputs.h.new_empty(self.batch, 4 * self.size),
            scratch=inputs.h.new_empty(count("hyper_scratch", self.batch, self.size, hyper, numbers)),
        )  # fmt: skip

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""
        inputs, dtype = self.inputs, self.products
        outputs = inputs.h.new_empty(self.steps, self.batch, self.size)
        self.fields.give(
            outputs=outputs,
            h_weight=panels(inputs.h_weight, dtype=dtype),
            hyper_weight=panels(inputs.hyper_weight, inputs.hyper_bias, dtype=dtype),
            last_h=inputs.h.to(dtype, copy=True, memory_format=torch.contiguous_format),
            last_hyper_h=inputs.hyper_h.to(dtype, copy=True, memory_format=torch.contiguous_format),
        )
        self.main.c_first.copy_(inputs.c)
        self.small.c_first.copy_(inputs.hyper_c)
        self.hyper_h[0].copy_(inputs.hyper_h)
        call("hyper_forward", dtype, self.fields)
        last = outputs[-1], self.main.c_last, self.hyper_h[-1], self.small.c_last
        return outputs, *(state.clone() for state in last)

    def backward(
        self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]
    ) -> HyperInputs:
        """The gradients of the inputs, from those of what `forward` returned."""
        inputs, main, small, dtype = self.inputs, self.main, self.small, self.products
        grad_last, grad_c, grad_hyper_last, grad_hyper_c = (
            None if grad is None else grad.contiguous() for grad in grad_state
        )
        main.begin_backward(grad_c)
        small.begin_backward(grad_hyper_c)
        # Of hyper_weight h^ for all h^, of which not everything is used for the first and for the last.
        grad_projected = outputs.new_empty(self.steps + 1, self.batch, len(inputs.hyper_weight), dtype=dtype)
        grad_projected[:: self.steps] = 0
        # Of h_weight h for the steps of one product.
        chunk = min(steps_at_once(self.batch), self.steps)
        grad_products = outputs.new_empty(chunk, self.batch, len(inputs.h_weight), dtype=dtype)
        start = torch.empty_like if inputs.ids is None else torch.zeros_like
        grad_main, grad_small = start(self.of_x), start(self.small_of_x)
        grad_h = torch.zeros_like(inputs.h, dtype=dtype, memory_format=torch.contiguous_format)
        grad_hyper_h = torch.empty_like(inputs.hyper_h, dtype=dtype, memory_format=torch.contiguous_format)
        grad_h_weight, grad_hyper_weight, grad_d_weight = (
            torch.zeros_like(weight, memory_format=torch.contiguous_format)
            for weight in (inputs.h_weight, inputs.hyper_weight, self.d_weight)
        )
        self.fields.give(
            h_weight=panels(inputs.h_weight.T, dtype=dtype), hyper_weight=panels(inputs.hyper_weight.T, dtype=dtype),
            grad_outputs=with_last(grad_outputs, grad_last, outputs), grad_last=grad_hyper_last,
            grad_of_x=grad_main, grad_small_of_x=grad_small, grad_d_weight=grad_d_weight,
            grad_h=grad_h, grad_hyper_h=grad_hyper_h, grad_products=grad_products, grad_projected=grad_projected,
        )  # fmt: skip
        before = torch.cat([inputs.h[None], outputs[:-1]]).to(dtype)
        for end in range(self.steps, 0, -chunk):
            begin = max(0, end - chunk)
            call("hyper_backward", dtype, self.fields, begin, end)
            add_gradient(grad_h_weight, grad_products[: end - begin], before[begin:end])
        add_gradient(grad_hyper_weight, grad_projected, torch.stack(self.hyper_h).to(dtype))
        return HyperInputs(
            grad_main,
            grad_small,
            grad_h.to(outputs.dtype),
            main.grad_c,
            grad_hyper_h.to(outputs.dtype),
            small.grad_c,
            grad_h_weight,
            grad_hyper_weight,
            grad_projected.sum((0, 1), dtype=outputs.dtype),
            grad_d_weight[..., : self.size],
            *main.norm_gradients(),
            *small.norm_gradients(),
        )
