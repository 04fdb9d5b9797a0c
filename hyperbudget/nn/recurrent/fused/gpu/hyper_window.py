"""The HyperLSTM over a window, with all but its matrix products in kernels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperbudget.nn.recurrent.fused.gpu.cell import Cell
from hyperbudget.nn.recurrent.fused.gpu.device import launcher
from hyperbudget.nn.recurrent.fused.gpu.memory import multiply, weight_gradient, whole
from hyperbudget.nn.recurrent.fused.gpu.scaling import Scaling
from hyperbudget.nn.recurrent.fused.gpu.states import States
from hyperbudget.nn.recurrent.fused.inputs import HyperInputs
from hyperbudget.nn.recurrent.fused.layout import start
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.tape import Tape

ALIGNED = 8
"""Numbers that a row of what hyper_weight gives is filled up to a multiple of: fast products want it."""


class HyperWindow:
    """As `fused.hyper_window.HyperWindow`, but samples stand before gates.

    Besides what the two cells and the `States` of h and h^ keep, there are on the tape the products ``h_weight
    h_{t-1}``, and ``hyper_weight h^``, without bias, for h^ before and after each step.
    """

    def __init__(self, inputs: HyperInputs, tape: Tape, options: Options) -> None:
        self.inputs, self.steps, self.current, self.products = inputs, tape.steps, options.current, options.products
        batch, self.size = inputs.h.shape[-2:]
        self.hyper, rows = inputs.hyper_h.shape[-1], inputs.h.shape[:-1]
        self.programs = rows.numel()
        norms, hyper_norms = inputs.layer_norms(options.epsilon)
        self.main = Cell(tape, inputs.c, norms, inputs.mask)
        self.small = Cell(tape, inputs.hyper_c, hyper_norms, inputs.hyper_mask)
        self.states = States(tape, inputs.h, options.products)
        self.hyper_states = States(tape, inputs.hyper_h, options.products)
        mixed = options.products != inputs.h.dtype
        self.hyper_outputs = whole(
            Tape(self.steps, False) if mixed else tape, inputs.h, self.steps, *inputs.hyper_h.shape
        )
        self.of_h = whole(tape, inputs.h, self.steps, *rows, inputs.h_weight.shape[-2])
        self.rows = inputs.hyper_weight.shape[-2]
        fill = -self.rows % ALIGNED
        self.of_hyper_h = whole(tape, inputs.h, self.steps + 1, *rows, self.rows + fill)
        self.h_weight = inputs.h_weight.to(options.products)
        self.hyper_weight = F.pad(inputs.hyper_weight.to(options.products), (0, 0, 0, fill))
        gates = 4 * self.hyper
        self.bias = inputs.hyper_bias[..., :gates].contiguous()
        self.scaling = Scaling(inputs.d_weight, inputs.hyper_bias[..., gates:], batch)

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""
        inputs, main, small, states, hyper_states = self.inputs, self.main, self.small, self.states, self.hyper_states
        plain, scaled = (launcher(f"{kind}_forward", inputs.h, self.programs) for kind in ("plain", "scaled"))
        outputs = inputs.h.new_empty(self.steps, *inputs.h.shape)
        of_x, small_of_x = inputs.main.contiguous().unbind(), inputs.small.contiguous().unbind()
        of_h, small_of_h = self.of_h.unbind(), self.small_part(self.of_h).unbind()
        of_hyper_h, z = self.of_hyper_h.unbind(), self.z_part(self.of_hyper_h).unbind()
        rows = {"OF_H_ROW": self.of_h.shape[-1]}

        main.c[0].copy_(inputs.c)
        small.c[0].copy_(inputs.hyper_c)
        states.begin(outputs)
        hyper_states.begin(self.hyper_outputs)
        multiply(hyper_states.before[0], self.hyper_weight.mT, of_hyper_h[0])
        for t, h in enumerate(outputs.unbind()):
            multiply(states.before[t], self.h_weight.mT, of_h[t])
            # eq. 10
            plain(
                of_h=small_of_h[t], of_x=small_of_x[t], of_own=of_hyper_h[t], bias=self.bias,
                h=self.hyper_outputs[t], narrow=hyper_states.narrow[t], OF_OWN_ROW=self.of_hyper_h.shape[-1],
                **rows, **small.forward(t),
            )  # fmt: skip
            # eqs. 11 to 13. An earlier z is read first: where nothing is kept, both lie in one place.
            if self.current:
                multiply(hyper_states.before[t + 1], self.hyper_weight.mT, of_hyper_h[t + 1])
            scaled(
                of_h=of_h[t], of_x=of_x[t], h=h, narrow=states.narrow[t],
                **rows, **self.scaling.forward(z[t + self.current]), **main.forward(t),
            )  # fmt: skip
            if not self.current:
                multiply(hyper_states.before[t + 1], self.hyper_weight.mT, of_hyper_h[t + 1])
        return outputs, outputs[-1].clone(), main.c[-1].clone(), self.hyper_outputs[-1].clone(), small.c[-1].clone()

    def backward(
        self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]
    ) -> HyperInputs:
        """The gradients of the inputs, from those of what `forward` returned."""
        inputs, main, small, scaling = self.inputs, self.main, self.small, self.scaling
        plain, scaled = (launcher(f"{kind}_backward", outputs, self.programs) for kind in ("plain", "scaled"))
        of_x = inputs.main.contiguous()
        of_h, each_of_x, z = self.of_h.unbind(), of_x.unbind(), self.z_part(self.of_hyper_h)
        grad_each = [None] * self.steps if grad_outputs is None else grad_outputs.contiguous().unbind()

        grad_main, grad_sums = torch.empty_like(of_x), torch.empty_like(of_x)
        grad_products = torch.empty_like(self.of_h, dtype=self.products)
        # For the first and for the last h^ not everything is used, and what rows are filled up with is not at all.
        grad_projected = torch.zeros_like(self.of_hyper_h, dtype=self.products)
        grad_of_x, grad_each_sums = grad_main.unbind(), grad_sums.unbind()
        grad_of_h, grad_small = grad_products.unbind(), self.small_part(grad_products).unbind()
        grad_of_hyper_h, grad_z = grad_projected.unbind(), self.z_part(grad_projected).unbind()
        rows = {"OF_H_ROW": of_h[0].shape[-1]}

        grad_last, grad_c, grad_last_hyper, grad_hyper_c = grad_state
        grad_h, grad_hyper_h = start(grad_last, inputs.h), torch.empty_like(small.c[0])
        main.begin_backward(grad_c)
        small.begin_backward(grad_hyper_c)
        scaling.begin_backward()
        for t in range(self.steps - 1, -1, -1):
            at = t + self.current
            # eqs. 13 to 11
            scaled(
                grad_h=grad_h, grad_outputs=grad_each[t], of_h=of_h[t], of_x=each_of_x[t],
                grad_sums=grad_each_sums[t], grad_of_h=grad_of_h[t], grad_of_x=grad_of_x[t], grad_z=grad_z[at],
                grad_d=scaling.grad_d, **rows, **scaling.forward(z[at], parts=8), **main.backward(t),
            )  # fmt: skip
            scaling.backward(grad_z[at])
            # eq. 10
            multiply(grad_of_hyper_h[t + 1], self.hyper_weight, grad_hyper_h)
            if t == self.steps - 1 and grad_last_hyper is not None:
                grad_hyper_h += grad_last_hyper
            plain(
                grad_h=grad_hyper_h, grad_outputs=None, grad_sums=grad_small[t], grad_also=grad_of_hyper_h[t],
                GRAD_SUMS_ROW=rows["OF_H_ROW"], GRAD_ALSO_ROW=grad_projected.shape[-1], **small.backward(t),
            )  # fmt: skip
            multiply(grad_of_h[t], self.h_weight, grad_h)
        multiply(grad_of_hyper_h[0], self.hyper_weight, grad_hyper_h)

        own = outputs.dtype
        return HyperInputs(
            grad_main,
            grad_projected[:-1, ..., : 4 * self.hyper].to(own),  # hyper_weight h^ and what x adds stand in one sum
            grad_h,
            main.grad_c,
            grad_hyper_h,
            small.grad_c,
            weight_gradient(inputs.h_weight, grad_products, self.states.all(outputs)[:-1]),
            weight_gradient(
                inputs.hyper_weight, grad_projected[..., : self.rows], self.hyper_states.all(self.hyper_outputs)
            ),
            grad_projected.sum((0, -2), dtype=own)[..., : self.rows],
            scaling.gradient(grad_sums, self.of_h, of_x, z[self.current :][: self.steps]),
            *main.norm_gradients(),
            *small.norm_gradients(),
        )

    def small_part(self, rows: Tensor) -> Tensor:
        """What ``h_weight h`` has for the small cell: the last of rows of shape (..., 4 H + 4 h)."""
        return rows[..., 4 * self.size :]

    def z_part(self, rows: Tensor) -> Tensor:
        """What ``hyper_weight h^`` has for z, shape (..., 12 K); before it is what the small cell's next step gets."""
        return rows[..., 4 * self.hyper : self.rows]
