"""What a window is a function of: a layer's parameters in the form that the loop over its steps wants them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperbudget.nn.recurrent.gates import LayerNorms, forget_gate

if TYPE_CHECKING:
    from hyperbudget.nn.recurrent.hyper_lstm import HyperLstmLayer
    from hyperbudget.nn.recurrent.lstm import LstmLayer

SEQUENCES = ("main", "small", "mask", "hyper_mask")
"""Inputs that begin with the steps. In a pack, runs stand behind these, and in all other inputs before all."""


class HyperInputs(NamedTuple):
    """Of a HyperLSTM. With T steps, H = hidden_size, h = hyper_size, K = N_z + 1.

    - main, small: what x adds to the gates of the main and of the small cell, shape (T, batch, 4 H), (T, batch, 4 h)
    - h, c, hyper_h, hyper_c: the state before the first step
    - h_weight: shape (4 H + 4 h, H), as in `StepWeights`
    - hyper_weight, hyper_bias: shape (4 h + 12 K, h) and (4 h + 12 K,), from h^ to the small cell's gates one step
      later, and to z_h, z_x, z_b; the last number of each z is always 1
    - d_weight: shape (12, K, H), from z_h, z_x, z_b to d_h, d_x, d_b; the last number of each z_b meets b_0
    - gain, offset, c_gain, c_offset: the main cell's layer norms, if there are any; then the small cell's
    - mask, hyper_mask: of recurrent dropout, if there is any, shape (T, batch, H) and (T, batch, h)
    - ids: x as token ids, int64 of shape (T, batch), if main and small have one row for each token instead

    The forget bias is part of what comes last before a sigmoid: of hyper_bias and b_0, or of the offsets.
    """

    main: Tensor
    small: Tensor
    h: Tensor
    c: Tensor
    hyper_h: Tensor
    hyper_c: Tensor
    h_weight: Tensor
    hyper_weight: Tensor
    hyper_bias: Tensor
    d_weight: Tensor
    gain: Tensor | None = None
    offset: Tensor | None = None
    c_gain: Tensor | None = None
    c_offset: Tensor | None = None
    hyper_gain: Tensor | None = None
    hyper_offset: Tensor | None = None
    hyper_c_gain: Tensor | None = None
    hyper_c_offset: Tensor | None = None
    mask: Tensor | None = None
    hyper_mask: Tensor | None = None
    ids: Tensor | None = None

    @property
    def steps(self) -> int:
        """T."""
        return len(self.main if self.ids is None else self.ids)

    @classmethod
    def of(
        cls,
        layer: HyperLstmLayer,
        main: Tensor,
        small: Tensor,
        state: Sequence[Tensor],
        masks: Sequence[Tensor],
        ids: Tensor | None,
    ) -> HyperInputs:
        """Those of a layer: autograd takes their gradients from here to its parameters."""
        weights, size, hyper = layer.step_weights(), layer.hidden_size, layer.spec.hyper_size
        forget = forget_gate(layer.spec.forget_bias, main)
        b_0, hyper_bias = layer.bias.view(4, size), main.new_zeros(4, hyper)
        norms: list[Tensor | None] = [None] * 8
        if weights.norms is None or weights.hyper_norms is None:
            b_0, hyper_bias = b_0 + forget, hyper_bias + forget
        else:
            both = (weights.norms, weights.hyper_norms)
            norms = [t for n in both for t in (n.gain, n.offset + forget, n.c_gain, n.c_offset)]
        z_weight = F.pad(weights.z_weight.view(12, -1, hyper), (0, 0, 0, 1)).flatten(0, 1)
        z_bias = F.pad(weights.z_bias.view(12, -1), (0, 1), value=1.0).flatten()
        last_row = F.pad(b_0, (0, 0, 8, 0)).unsqueeze(1)
        return cls(  # type: ignore[call-arg]  # four of the state, at most two masks
            main,
            small,
            *state,
            weights.h_weight,
            torch.cat([layer.hyper_weight_h, z_weight]),
            torch.cat([hyper_bias.flatten(), z_bias]),
            torch.cat([weights.d_weight, last_row], 1),
            *norms,
            *(*masks, None, None)[:2],
            ids,
        )

    def layer_norms(self, epsilon: float) -> tuple[LayerNorms | None, LayerNorms | None]:
        """Of the main and of the small cell."""
        return (
            _layer_norms(self.gain, self.offset, self.c_gain, self.c_offset, epsilon),
            _layer_norms(self.hyper_gain, self.hyper_offset, self.hyper_c_gain, self.hyper_c_offset, epsilon),
        )


class LstmInputs(NamedTuple):
    """Of an LSTM. With T steps and H = hidden_size:

    - main: what x adds to the gates, with the bias, shape (T, batch, 4 H)
    - h, c: the state before the first step, shape (batch, H)
    - h_weight: shape (4 H, H)
    - gain, offset, c_gain, c_offset: the layer norms, if there are any
    - mask: of recurrent dropout, if there is any, shape (T, batch, H)
    - ids: x as token ids, int64 of shape (T, batch), if main has one row for each token instead

    The forget bias is part of what comes last before a sigmoid: of `main`, or of the offsets.
    """

    main: Tensor
    h: Tensor
    c: Tensor
    h_weight: Tensor
    gain: Tensor | None = None
    offset: Tensor | None = None
    c_gain: Tensor | None = None
    c_offset: Tensor | None = None
    mask: Tensor | None = None
    ids: Tensor | None = None

    @property
    def steps(self) -> int:
        """T."""
        return len(self.main if self.ids is None else self.ids)

    @classmethod
    def of(
        cls,
        layer: LstmLayer,
        main: Tensor,
        state: Sequence[Tensor],
        masks: Sequence[Tensor],
        ids: Tensor | None,
    ) -> LstmInputs:
        """Those of a layer: autograd takes their gradients from here to its parameters."""
        norms: list[Tensor | None] = [None] * 4
        if layer.bias is None:
            own = LayerNorms.of(layer, 0.0)
            norms = [own.gain, own.offset + forget_gate(layer.spec.forget_bias, main), own.c_gain, own.c_offset]
        return cls(main, *state, layer.weight_h, *norms, *(*masks, None)[:1], ids)  # type: ignore[call-arg]  # two of the state

    def layer_norms(self, epsilon: float) -> LayerNorms | None:
        """Of the gates and of c."""
        return _layer_norms(self.gain, self.offset, self.c_gain, self.c_offset, epsilon)


def _layer_norms(
    gain: Tensor | None, offset: Tensor | None, c_gain: Tensor | None, c_offset: Tensor | None, epsilon: float
) -> LayerNorms | None:
    if gain is None or offset is None or c_gain is None or c_offset is None:
        return None
    return LayerNorms(gain, offset, c_gain, c_offset, epsilon)
