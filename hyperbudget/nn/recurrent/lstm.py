"""The LSTM and the layer-norm LSTM: what dynamic hypernetworks are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.cells import LnLstm, Lstm
from hyperbudget.nn.recurrent import fused, initialise
from hyperbudget.nn.recurrent.gates import LayerNorms, forget_gate, update
from hyperbudget.nn.recurrent.layer import LayerState, RecurrentLayer, columns, project, steps


class LstmState(NamedTuple):
    """h and c, shape (batch, hidden_size)."""

    h: Tensor
    c: Tensor


class LstmLayer(RecurrentLayer):
    """Eq. 9, gates in the order i, g, f, o; with layer norms, LN(W_h h_{t-1} + W_x x_t) instead of a bias.

    Parameters, with H = hidden_size:

    - ``weight_x``, ``weight_h``: shape (4 H, input_size) and (4 H, H), orthogonal for each gate
    - ``bias``: shape (4 H,), 0; or ``norm_gain``, ``norm_offset`` of shape (4, H) and ``norm_c_gain``,
      ``norm_c_offset`` of shape (H,), 1 and 0
    """

    groups = {
        "weight_x": "recurrent", "weight_h": "recurrent", "bias": "recurrent",
        "norm_gain": "norms", "norm_offset": "norms", "norm_c_gain": "norms", "norm_c_offset": "norms",
    }  # fmt: skip
    state_type = LstmState

    def __init__(self, input_size: int, hidden_size: int, spec: Lstm | LnLstm) -> None:
        super().__init__(input_size, hidden_size)
        self.spec = spec
        self.weight_x = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_h = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias = None if spec.layer_norm else nn.Parameter(torch.empty(4 * hidden_size))
        if spec.layer_norm:
            LayerNorms.register(self, hidden_size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """See `RecurrentLayer.reset_parameters`."""
        super().reset_parameters()
        initialise.input_weights(self.weight_x, 4, self.spec.input_initialisation)
        initialise.orthogonal(self.weight_h, 4)

    @property
    def state_sizes(self) -> dict[str, int]:
        """See `RecurrentLayer.state_sizes`."""
        return {"h": self.hidden_size, "c": self.hidden_size}

    @property
    def mask_sizes(self) -> tuple[int, ...]:
        """See `RecurrentLayer.mask_sizes`."""
        return (self.hidden_size,)

    def forward(self, x: Tensor, state: LayerState, masks: Sequence[Tensor] = ()) -> tuple[Tensor, LstmState]:
        """See `RecurrentLayer.forward`."""
        h, c = last = LstmState(*state)
        if fused.usable(h, c, self.weight_h, *([x] if x.is_floating_point() else []), masks=masks):
            bias = (
                None
                if self.bias is None
                else (self.bias.view(4, -1) + forget_gate(self.spec.forget_bias, self.bias)).flatten()
            )
            ids = fused.token_ids(x, h, self.input_size)
            main = project(x, self.weight_x, bias) if ids is None else columns(self.weight_x, bias)
            return fused.lstm(self, main, last, masks, ids)
        norms = LayerNorms.of(self, self.spec.norm_epsilon) if isinstance(self.spec, LnLstm) else None
        outputs = []
        for now, *mask in steps(project(x, self.weight_x, self.bias), *masks):
            gates = (now + F.linear(h, self.weight_h)).view(-1, 4, self.hidden_size)
            h, c = update(gates, c, self.spec.forget_bias, norms, *mask)
            outputs.append(h)
        return torch.stack(outputs), LstmState(h, c)
