"""The HyperLSTM over a window as one function of autograd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hyperbudget.nn.recurrent.fused.inputs import Inputs
from hyperbudget.nn.recurrent.fused.tape import Replay, Tape
from hyperbudget.nn.recurrent.fused.window import Window

if TYPE_CHECKING:
    from hyperbudget.nn.recurrent.hyper_lstm import HyperLstmLayer, HyperLstmState


def hyper_lstm(
    layer: HyperLstmLayer, main: Tensor, small: Tensor, state: HyperLstmState, masks: Sequence[Tensor] = ()
) -> tuple[Tensor, HyperLstmState]:
    """The outputs of all steps, shape (T, batch, H), and the last state, as of a loop over ``layer.step``.

    main, small: what x adds to the gates of the main and of the small cell, shape (T, batch, 4 H), (T, batch, 4 h);
    masks: see `RecurrentLayer.forward`; they get no gradient.

    When a backward pass can follow, each step keeps 10 H + 15 h + 12 (N_z + 1) numbers a sample, and with layer norm
    5 H + 5 h + 10 more; the output and what x adds, 5 H + 4 h, come on top. Otherwise a step keeps nothing.

    Raises RuntimeError when the gradients are themselves to be differentiated.
    """
    inputs = Inputs.of(layer, main, small, state, masks)
    record = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in inputs)
    epsilon = getattr(layer.spec, "norm_epsilon", 0.0)
    current = layer.spec.z_from == "current"
    outputs, *last = _HyperLstm.apply(current, epsilon, record, *inputs)  # type: ignore[no-untyped-call]
    return outputs, type(state)(*last)


class _HyperLstm(torch.autograd.Function):
    """A `Window`, and what is saved between its forward and its backward pass."""

    @staticmethod
    def forward(ctx: Any, current: bool, epsilon: float, record: bool, *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs, tape = Inputs(*tensors), Tape(len(tensors[0]), record)
        outputs, *state = Window(inputs, tape, current, epsilon).forward()
        if record:
            ctx.current, ctx.epsilon = current, epsilon
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(outputs, *inputs, *tape.tensors)
        return outputs, *state

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs: Tensor | None, *grad_state: Tensor | None) -> tuple[Tensor | None, ...]:
        count = len(Inputs._fields)
        outputs, *saved = ctx.saved_tensors
        tape = Replay(len(outputs), saved[count:])
        window = Window(Inputs(*saved[:count]), tape, ctx.current, ctx.epsilon)
        return None, None, None, *window.backward(outputs, grad_outputs, grad_state)
