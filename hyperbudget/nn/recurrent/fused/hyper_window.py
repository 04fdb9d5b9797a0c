"""The HyperLSTM over a window of T steps, forward and backward in time, on tensors without gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.cell import Cell
from hyperbudget.nn.recurrent.fused.inputs import HyperInputs
from hyperbudget.nn.recurrent.fused.layout import by_gate
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.products import Product, each, steps_at_once, weight_gradient
from hyperbudget.nn.recurrent.fused.tape import Tape


class HyperWindow:
    """One window, in PyTorch alone. All is in the states' own type, products as well.

    Gates stand before the batch in here, so that one gate's numbers are one piece of memory. Besides what the two cells
    keep, there are on the tape h^ before and after each step, the products ``h_weight h_{t-1}``, and those of
    hyper_weight that z is in. In a pack, runs stand before gates, or where there are none before the batch.
    """

    def __init__(self, inputs: HyperInputs, tape: Tape, options: Options) -> None:
        self.inputs, self.steps, self.current = inputs, tape.steps, options.current
        *self.runs, self.batch, self.size = inputs.h.shape
        self.hyper = inputs.hyper_h.shape[-1]
        norms, hyper_norms = inputs.layer_norms(options.epsilon)
        self.main = Cell(tape, inputs.c, norms, inputs.mask)
        self.small = Cell(tape, inputs.hyper_c, hyper_norms, inputs.hyper_mask)
        self.hyper_h = tape.room(inputs.hyper_h, *inputs.hyper_h.shape, more=1).each()
        self.products, self.projected = tape.log(), tape.log()

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""
        inputs, main, small, hyper_h = self.inputs, self.main, self.small, self.hyper_h
        of_h = self._product(inputs.h_weight)
        of_hyper_h = self._product(inputs.hyper_weight, inputs.hyper_bias)
        outputs = inputs.h.new_empty(self.steps, *inputs.h.shape)
        of_x, small_of_x = by_gate(inputs.main, 4).unbind(), by_gate(inputs.small, 4).unbind()
        small_sums, d = self._empty(4, self.hyper), self._empty(12, self.size)
        scale_h, scale_x, sums = torch.split(d, 4, -3)
        d_weight, all_d = each(inputs.d_weight), each(d)

        main.c[0].copy_(inputs.c)
        small.c[0].copy_(inputs.hyper_c)
        hyper_h[0].copy_(inputs.hyper_h)
        h, projected = inputs.h, of_hyper_h(hyper_h[0])
        for t, output in enumerate(outputs.unbind()):
            products = of_h(h)
            # eq. 10
            torch.add(self.small_part(products), small_of_x[t], out=small_sums).add_(self.gate_part(projected))
            small.forward(t, small_sums, hyper_h[t + 1])
            # eqs. 11 and 12
            before, projected = projected, of_hyper_h(hyper_h[t + 1])
            source = projected if self.current else before
            torch.bmm(each(self.z_part(source)), d_weight, out=all_d)
            sums.addcmul_(scale_h, self.main_part(products)).addcmul_(scale_x, of_x[t])
            # eq. 13
            main.forward(t, sums, output)
            self.products.append(products)
            self.projected.append(source)
            h = output
        return outputs, h.clone(), main.c[-1].clone(), hyper_h[-1].clone(), small.c[-1].clone()

    def backward(
        self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]
    ) -> HyperInputs:
        """The gradients of the inputs, from those of what `forward` returned."""
        inputs, main, small = self.inputs, self.main, self.small
        to_h = self._product(inputs.h_weight.mT)
        to_hyper_h = self._product(inputs.hyper_weight.mT)
        scale_weight, z_weight = each(inputs.d_weight.narrow(-3, 0, 8)), each(inputs.d_weight).mT
        of_x, states = by_gate(inputs.main, 4).unbind(), torch.cat([inputs.h.unsqueeze(0), outputs[:-1]])

        # Of what x adds in all steps; of hyper_weight h^ for all h^; of h_weight h for the steps of one product.
        grad_main = torch.empty_like(inputs.main)
        rows = inputs.h.shape[:-1]
        grad_projected = outputs.new_empty(self.steps + 1, *rows, inputs.hyper_weight.shape[-2])
        grad_projected[:: self.steps] = 0  # of the first and of the last h^ not everything is used
        chunk = steps_at_once(self.batch)
        grad_products = outputs.new_empty(min(chunk, self.steps), *rows, inputs.h_weight.shape[-2])
        grad_of_x = by_gate(grad_main, 4).unbind()
        grad_of_hyper_h, grad_z = self.gate_part(grad_projected).unbind(), self.z_part(grad_projected).unbind()
        grad_of_main, grad_of_small = self.main_part(grad_products).unbind(), self.small_part(grad_products).unbind()
        grad_h_weight, grad_d_weight = torch.zeros_like(inputs.h_weight), torch.zeros_like(inputs.d_weight)
        # Of one step.
        grad_d, scales = self._empty(12, self.size), self._empty(8, self.size)
        (grad_scale_h, grad_scale_x, grad_sums), (scale_h, scale_x) = (torch.split(t, 4, -3) for t in (grad_d, scales))
        all_grad_d, all_scales, all_grad_d_weight = each(grad_d), each(scales), each(grad_d_weight)

        grad_h, grad_c, grad_hyper_h, grad_hyper_c = (
            torch.zeros_like(tensor) if grad is None else grad
            for grad, tensor in zip(grad_state, inputs[2:6], strict=True)
        )
        main.begin_backward(grad_c)
        small.begin_backward(grad_hyper_c)
        last = self.steps - 1
        for t in range(last, -1, -1):
            slot = t % chunk
            if grad_outputs is not None:
                grad_h = grad_h + grad_outputs[t]
            # eq. 13
            main.backward(t, grad_h, grad_sums)
            # eqs. 11 and 12: the scaling vectors are computed again, which is less work than to keep them
            z = self.z_part(self.projected[t])
            torch.bmm(each(z.narrow(-3, 0, 8)), scale_weight, out=all_scales)
            torch.mul(grad_sums, scale_h, out=grad_of_main[slot])
            torch.mul(grad_sums, scale_x, out=grad_of_x[t])
            torch.mul(grad_sums, self.main_part(self.products[t]), out=grad_scale_h)
            torch.mul(grad_sums, of_x[t], out=grad_scale_x)
            all_grad_d_weight.baddbmm_(each(z).mT, all_grad_d)
            grad_z[t + self.current].copy_(torch.bmm(all_grad_d, z_weight).view(z.shape))
            # eq. 10
            total = to_hyper_h(grad_projected[t + 1])
            small.backward(t, total if t < last else total + grad_hyper_h, grad_of_hyper_h[t])
            grad_of_small[slot].copy_(grad_of_hyper_h[t])
            grad_h = to_h(grad_products[slot])
            if slot == 0:
                seen = states[t : t + chunk]
                grad_now = grad_products[: len(seen)]
                grad_h_weight += weight_gradient(inputs.h_weight, grad_now, seen)

        return HyperInputs(
            grad_main,
            grad_projected[:-1, ..., : 4 * self.hyper],  # hyper_weight h^ and what x adds stand in one sum
            grad_h,
            main.grad_c,
            to_hyper_h(grad_projected[0]),
            small.grad_c,
            grad_h_weight,
            weight_gradient(inputs.hyper_weight, grad_projected, torch.stack(self.hyper_h)),
            grad_projected.sum((0, -2)),
            grad_d_weight,
            *main.norm_gradients(),
            *small.norm_gradients(),
        )

    def _empty(self, gates: int, size: int) -> Tensor:
        return self.inputs.h.new_empty(*self.runs, gates, self.batch, size)

    def _product(self, weight: Tensor, bias: Tensor | None = None) -> Product:
        return Product(weight, bias, dtype=weight.dtype, times=self.steps)

    def main_part(self, products: Tensor) -> Tensor:
        """What ``h_weight h`` has for the main cell, shape (..., 4, batch, H)."""
        return by_gate(products[..., : 4 * self.size], 4)

    def small_part(self, products: Tensor) -> Tensor:
        """What ``h_weight h`` has for the small cell, shape (..., 4, batch, h)."""
        return by_gate(products[..., 4 * self.size :], 4)

    def gate_part(self, projected: Tensor) -> Tensor:
        """What ``hyper_weight h^`` has for the small cell's next step, shape (..., 4, batch, h)."""
        return by_gate(projected[..., : 4 * self.hyper], 4)

    def z_part(self, projected: Tensor) -> Tensor:
        """The z in ``hyper_weight h^``, shape (..., 12, batch, K)."""
        return by_gate(projected[..., 4 * self.hyper :], 12)
