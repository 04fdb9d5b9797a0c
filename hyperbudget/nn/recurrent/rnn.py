"""The basic recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.cells import Rnn
from hyperbudget.nn.recurrent import initialise
from hyperbudget.nn.recurrent.layer import LayerState, RecurrentLayer, project, steps


class RnnState(NamedTuple):
    """h, shape (batch, hidden_size)."""

    h: Tensor


class RnnLayer(RecurrentLayer):
    """``h_t = tanh(W_h h_{t-1} + W_x x_t + b)`` (eq. 4).

    Parameters, with H = hidden_size: ``weight_x`` and ``weight_h``, shape (H, input_size) and (H, H), orthogonal;
    ``bias``, shape (H,), 0.
    """

    groups = {"weight_x": "recurrent", "weight_h": "recurrent", "bias": "recurrent"}
    state_type = RnnState

    def __init__(self, input_size: int, hidden_size: int, spec: Rnn) -> None:
        super().__init__(input_size, hidden_size)
        self.spec = spec
        self.weight_x = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_h = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.empty(hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """See `RecurrentLayer.reset_parameters`."""
        super().reset_parameters()
        initialise.input_weights(self.weight_x, 1, self.spec.input_initialisation)
        initialise.orthogonal(self.weight_h, 1)

    @property
    def state_sizes(self) -> dict[str, int]:
        """See `RecurrentLayer.state_sizes`."""
        return {"h": self.hidden_size}

    def forward(self, x: Tensor, state: LayerState, masks: Sequence[Tensor] = ()) -> tuple[Tensor, RnnState]:
        """See `RecurrentLayer.forward`."""
        (h,) = state
        outputs = []
        for (now,) in steps(project(x, self.weight_x, self.bias)):
            h = torch.tanh(now + F.linear(h, self.weight_h))
            outputs.append(h)
        return torch.stack(outputs), RnnState(h)
