"""A window as one function of autograd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hyperbudget.nn.recurrent.fused.inputs import SEQUENCES, HyperInputs, LstmInputs
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.paths import Window
from hyperbudget.nn.recurrent.fused.switch import product_type, selected, transformed
from hyperbudget.nn.recurrent.fused.tape import Replay, Tape

if TYPE_CHECKING:
    from hyperbudget.nn.recurrent.hyper_lstm import HyperLstmLayer, HyperLstmState
    from hyperbudget.nn.recurrent.lstm import LstmLayer, LstmState


def token_ids(x: Tensor, like: Tensor, tokens: int) -> Tensor | None:
    """x, shape (T, batch), as int64 without gaps, if it holds token ids that a window of states like this looks up.

    Raises IndexError for ids that are not below `tokens`.
    """
    if x.is_floating_point() or not selected(like, len(x)).looks_up:
        return None
    if x.min() < 0 or x.max() >= tokens:
        raise IndexError(f"token ids from {int(x.min())} to {int(x.max())}: should be from 0 to {tokens - 1}")
    return x.long().contiguous()


def lstm(
    layer: LstmLayer, main: Tensor, state: LstmState, masks: Sequence[Tensor] = (), ids: Tensor | None = None
) -> tuple[Tensor, LstmState]:
    """The outputs of all steps, shape (T, batch, H), and the last state, as of a loop over the steps.

    main: what x adds to the gates, with the bias and the forget bias, shape (T, batch, 4 H), or where there are
    `token_ids`, shape (tokens, 4 H); masks: see `RecurrentLayer.forward`; they get no gradient.

    When a backward pass can follow, each step keeps 6 H numbers a sample, and with layer norm 5 H + 5 more; in C++ H
    fewer, and with layer norm 5 H fewer. The output and what x adds, 5 H, come on top. Otherwise a step keeps nothing.

    Raises RuntimeError when the gradients are themselves to be differentiated.
    """
    inputs = LstmInputs.of(layer, main.to(state.h.dtype), state, masks, ids)
    options = Options(getattr(layer.spec, "norm_epsilon", 0.0), True, product_type(state.h))
    outputs, *last = _compute(selected(state.h, inputs.steps).lstm, options, inputs)
    return outputs, type(state)(*last)


def hyper_lstm(
    layer: HyperLstmLayer,
    main: Tensor,
    small: Tensor,
    state: HyperLstmState,
    masks: Sequence[Tensor] = (),
    ids: Tensor | None = None,
) -> tuple[Tensor, HyperLstmState]:
    """The outputs of all steps, shape (T, batch, H), and the last state, as of a loop over ``layer.step``.

    main, small: what x adds to the gates of the main and of the small cell, shape (T, batch, 4 H), (T, batch, 4 h), or
    where there are `token_ids`, shape (tokens, 4 H), (tokens, 4 h); masks: see `RecurrentLayer.forward`; they get no
    gradient.

    When a backward pass can follow, each step keeps 10 H + 15 h + 12 (N_z + 1) numbers a sample, and with layer norm
    5 H + 5 h + 10 more; in C++ H + h fewer, and with layer norm 5 H + 5 h fewer. The output and what x adds, 5 H + 4 h,
    come on top. Otherwise a step keeps nothing.

    Raises RuntimeError when the gradients are themselves to be differentiated.
    """
    dtype = state.h.dtype
    inputs = HyperInputs.of(layer, main.to(dtype), small.to(dtype), state, masks, ids)
    current = layer.spec.z_from == "current"
    options = Options(getattr(layer.spec, "norm_epsilon", 0.0), current, product_type(state.h))
    outputs, *last = _compute(selected(state.h, inputs.steps).hyper_lstm, options, inputs)
    return outputs, type(state)(*last)


def _compute(window: type[Window], options: Options, inputs: LstmInputs | HyperInputs) -> tuple[Tensor, ...]:
    if transformed():
        together: tuple[Tensor, ...] = _Packed.apply(window, options, type(inputs), *inputs)  # type: ignore[no-untyped-call]
        return together
    record = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in inputs)
    results: tuple[Tensor, ...] = _Function.apply(window, options, type(inputs), record, *inputs)  # type: ignore[no-untyped-call]
    return results


class _Function(torch.autograd.Function):
    """A window, and what is saved between its forward and its backward pass. It is told what type products are of."""

    @staticmethod
    def forward(
        ctx: Any, window: type[Window], options: Options, kind: type[Any], record: bool, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        inputs = kind(*tensors)
        tape = Tape(inputs.steps, record)
        with torch.autocast(tensors[0].device.type, enabled=False):
            outputs, *state = window(inputs, tape, options).forward()
        if record:
            ctx.window, ctx.options, ctx.kind = window, options, kind
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(outputs, *inputs, *tape.tensors)
        return outputs, *state

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs: Tensor | None, *grad_state: Tensor | None) -> tuple[Tensor | None, ...]:
        count = len(ctx.kind._fields)
        outputs, *saved = ctx.saved_tensors
        tape = Replay(len(outputs), saved[count:])
        with torch.autocast(outputs.device.type, enabled=False):
            window = ctx.window(ctx.kind(*saved[:count]), tape, ctx.options)
            gradients = window.backward(outputs, grad_outputs, grad_state)
        return None, None, None, None, *gradients


class _Packed(torch.autograd.Function):
    """A window under `torch.vmap` over runs: one window of all of them."""

    @staticmethod
    def forward(*inputs: Any) -> tuple[Tensor, ...]:
        raise NotImplementedError("only vectorised")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Without one no transform takes a function."""

    @staticmethod
    def vmap(
        info: Any, in_dims: Any, window: type[Window], options: Options, kind: type[Any], *tensors: Tensor | None
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        def with_runs(name: str, tensor: Tensor | None, runs: int | None) -> Tensor | None:
            if tensor is None:
                return None
            place = int(name in SEQUENCES)  # behind time
            if runs is None:
                return tensor.unsqueeze(place).expand(*tensor.shape[:place], info.batch_size, *tensor.shape[place:])
            return tensor.movedim(runs, place)

        places = in_dims[-len(tensors) :]
        inputs = kind(*(with_runs(*one) for one in zip(kind._fields, tensors, places, strict=True)))
        results = _compute(window, options, inputs)
        return results, (1, *[0] * (len(results) - 1))
