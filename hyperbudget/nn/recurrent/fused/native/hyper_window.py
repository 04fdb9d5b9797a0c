"""The HyperLSTM over a window, with all but its matrix products in C++."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperbudget.nn.recurrent.fused.inputs import HyperInputs
from hyperbudget.nn.recurrent.fused.layout import by_token, with_last
from hyperbudget.nn.recurrent.fused.native.cell import Cell
from hyperbudget.nn.recurrent.fused.native.library import HyperFields, address, addresses, count, function
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.products import Product, steps_at_once, weight_gradient
from hyperbudget.nn.recurrent.fused.tape import Tape


class HyperWindow:
    """As `fused.hyper_window.HyperWindow`, which says what is on the tape; here samples stand before gates."""

    def __init__(self, inputs: HyperInputs, tape: Tape, options: Options) -> None:
        self.inputs, self.steps, self.current, self.products = inputs, tape.steps, options.current, options.products
        self.batch, self.size = inputs.h.shape
        self.hyper = inputs.hyper_h.shape[1]
        norms, hyper_norms = inputs.layer_norms(options.epsilon)
        self.main = Cell(tape, inputs.c, norms, inputs.mask)
        self.small = Cell(tape, inputs.hyper_c, hyper_norms, inputs.hyper_mask)
        room = tape.room(inputs.hyper_h, self.batch, self.hyper, more=1)
        self.hyper_h = room.each()
        self.of_h, self.sources = tape.log(), tape.log()

        numbers = inputs.d_weight.shape[1]
        self.of_x, self.d_weight = (
            inputs.main.contiguous(),
            F.pad(inputs.d_weight, (0, -self.size % count("row_multiple"))),
        )
        self.fields = HyperFields(
            main=self.main.fields, small=self.small.fields, numbers=numbers, stride=self.d_weight.shape[2],
            ids=inputs.ids, of_x=self.of_x, small_of_x=inputs.small.contiguous(), d_weight=self.d_weight, hyper_h=room,
            sums=inputs.h.new_empty(self.batch, 4 * self.size),
            scratch=inputs.h.new_empty(count("hyper_scratch", self.batch, self.size, self.hyper, numbers)),
        )  # fmt: skip

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""
        inputs, hyper_h = self.inputs, self.hyper_h
        of_h = Product(inputs.h_weight, dtype=self.products, times=self.steps)
        of_hyper_h = Product(inputs.hyper_weight, inputs.hyper_bias, dtype=self.products, times=self.steps)
        outputs = inputs.h.new_empty(self.steps, self.batch, self.size)
        self.fields.give(outputs=outputs)
        narrow = hyper_narrow = None
        if self.products != outputs.dtype:
            narrow = outputs.new_empty(self.batch, self.size, dtype=self.products)
            hyper_narrow = outputs.new_empty(self.batch, self.hyper, dtype=self.products)
            self.fields.give(narrow=narrow, hyper_narrow=hyper_narrow)
        small_forward, main_forward = (function(name, self.products, 2) for name in ("small_forward", "main_forward"))

        self.main.c_first.copy_(inputs.c)
        self.small.c_first.copy_(inputs.hyper_c)
        hyper_h[0].copy_(inputs.hyper_h)
        at = ctypes.addressof(self.fields)
        h, projected = inputs.h.to(self.products), of_hyper_h(hyper_h[0].to(self.products))
        for t, output in enumerate(outputs.unbind()):
            products = of_h(h)
            small_forward(at, t, products.data_ptr(), projected.data_ptr())  # eq. 10
            before, projected = projected, of_hyper_h(hyper_h[t + 1] if hyper_narrow is None else hyper_narrow)
            source = projected if self.current else before
            main_forward(at, t, products.data_ptr(), source.data_ptr())  # eqs. 11 to 13
            self.of_h.append(products)
            self.sources.append(source)
            h = output if narrow is None else narrow
        return outputs, outputs[-1].clone(), self.main.c_last.clone(), hyper_h[-1].clone(), self.small.c_last.clone()

    def backward(
        self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]
    ) -> HyperInputs:
        """The gradients of the inputs, from those of what `forward` returned."""
        inputs, main, small, gates = self.inputs, self.main, self.small, 4 * self.hyper
        to_h = Product(inputs.h_weight.T, dtype=self.products, times=self.steps)
        to_hyper_h = Product(inputs.hyper_weight.T, dtype=self.products, times=self.steps)
        # Of hyper_weight h^ for all h^, of which not everything is used for the first and for the last.
        dtype = self.products
        grad_projected = outputs.new_empty(self.steps + 1, self.batch, len(inputs.hyper_weight), dtype=dtype)
        grad_projected[:: self.steps] = 0
        # Of h_weight h for the steps of one product.
        chunk = steps_at_once(self.batch)
        grad_products = outputs.new_empty(min(chunk, self.steps), self.batch, len(inputs.h_weight), dtype=dtype)
        grad_main = torch.empty_like(self.of_x) if inputs.ids is None else torch.zeros_like(self.of_x)
        grad_h_weight = torch.zeros_like(inputs.h_weight)
        grad_d_weight = torch.zeros_like(self.d_weight)

        grad_last, grad_c, grad_hyper_h, grad_hyper_c = (
            None if grad is None else grad.contiguous() for grad in grad_state
        )
        main.begin_backward(grad_c)
        small.begin_backward(grad_hyper_c)
        self.fields.give(
            grad_outputs=with_last(grad_outputs, grad_last, outputs), grad_of_x=grad_main, grad_d_weight=grad_d_weight
        )
        main_backward, small_backward = (
            function("main_backward", self.products, 5),
            function("small_backward", self.products, 4),
        )
        at, last = ctypes.addressof(self.fields), self.steps - 1
        of_step, of_slot, slots = addresses(grad_projected), addresses(grad_products), grad_products.unbind()
        after = grad_projected.unbind()
        grad_h = outputs.new_zeros(outputs.shape[1:], dtype=dtype)
        for t in range(last, -1, -1):
            products, source, slot = self.of_h[t].data_ptr(), self.sources[t].data_ptr(), of_slot[t % chunk]
            main_backward(at, t, grad_h.data_ptr(), products, source, slot, of_step[t + self.current])
            grad_computed = to_hyper_h(after[t + 1])
            more = address(grad_hyper_h) if t == last and grad_hyper_h is not None else None
            small_backward(at, t, grad_computed.data_ptr(), more, slot, of_step[t])
            grad_h = to_h(slots[t % chunk])
            if t % chunk == 0:
                steps = min(chunk, self.steps - t)
                before = outputs[t - 1 : t - 1 + steps] if t else torch.cat([inputs.h[None], outputs[: steps - 1]])
                grad_h_weight += weight_gradient(inputs.h_weight, grad_products[:steps], before.to(dtype))

        own = outputs.dtype
        return HyperInputs(
            grad_main,
            by_token(grad_projected[:-1, :, :gates].to(own), inputs.small, inputs.ids),  # with hyper_weight h^ in a sum
            grad_h.to(own),
            main.grad_c,
            to_hyper_h(grad_projected[0]).to(own),
            small.grad_c,
            grad_h_weight,
            weight_gradient(inputs.hyper_weight, grad_projected, torch.stack(self.hyper_h).to(self.products)),
            grad_projected.sum((0, 1), dtype=own),
            grad_d_weight[..., : self.size],
            *main.norm_gradients(),
            *small.norm_gradients(),
        )
