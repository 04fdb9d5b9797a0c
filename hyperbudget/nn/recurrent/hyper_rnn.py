"""The HyperRNN: an RNN whose weights a smaller RNN generates anew at every step, for every sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.cells import HyperRnn
from hyperbudget.nn.recurrent import initialise
from hyperbudget.nn.recurrent.layer import LayerState, RecurrentLayer, project, steps


class HyperRnnState(NamedTuple):
    """h of the main cell, shape (batch, hidden_size), and of the small one, (batch, hyper_size)."""

    h: Tensor
    hyper_h: Tensor


class HyperRnnLayer(RecurrentLayer):
    """``h_t = tanh(W_h(z_h) h_{t-1} + W_x(z_x) x_t + b(z_b))`` (eqs. 5-8; the printed eq. 5 leaves x_t out).

    The small cell, an RNN, sees [x_t ; h_{t-1}]. Of its output h^ (of this step, or with ``z_from="previous"`` of the
    one before) there are embeddings ``z_h = W h^ + b``, ``z_x = W h^ + b`` and ``z_b = W h^`` (eq. 6), and of those

    - in the ``efficient`` form (eq. 8) scaling vectors: ``W(z) v = d(z) * (W v)``, with d linear
    - in the ``full`` form (eq. 5) a sum of matrices: ``W(z) v = sum_k z_k (W_k v)``, so no sample has its own matrix

    and a bias ``b(z_b) = W_bz z_b + b_0``.

    Parameters, with H = hidden_size and h = hyper_size; the paper gives no initialisation, A.2.3 is for HyperLSTMs:

    - ``weight_x``, ``weight_h``: W_x of shape (H, input_size), W_h of shape (H, H), orthogonal. In the full form all
      W_k, one below the other: (N_z H, input_size) and (N_z H, H), each orthogonal times `initial_scale` / sqrt(N_z),
      so that their sum has rows of the same length as the efficient form's scaled ones
    - ``bias``: b_0, shape (H,), 0
    - ``hyper_weight_x``, ``hyper_weight_h``, ``hyper_bias``: of the small cell, shape (h, input_size + H), (h, h), (h,)
    - ``z_weight``, ``z_bias``: for z_h and z_x, shape (2, N_z, h), 0, and (2, N_z), 1
    - ``zb_weight``: for z_b, shape (N_z, h), normal with deviation 0.01
    - ``d_weight``: shape (3, H, N_z), `initial_scale` / N_z for d_h and d_x, and 0 for the bias; in the full form it is
      for the bias alone, shape (1, H, N_z)
    """

    groups = {
        "weight_x": "recurrent", "weight_h": "recurrent", "bias": "recurrent",
        "hyper_weight_x": "hyper_cell", "hyper_weight_h": "hyper_cell", "hyper_bias": "hyper_cell",
        "z_weight": "projections", "z_bias": "projections", "zb_weight": "projections", "d_weight": "projections",
    }  # fmt: skip
    state_type = HyperRnnState

    def __init__(self, input_size: int, hidden_size: int, spec: HyperRnn) -> None:
        super().__init__(input_size, hidden_size)
        self.spec = spec
        self.matrices = spec.embedding_size if spec.form == "full" else 1
        size, hyper, embedding = hidden_size, spec.hyper_size, spec.embedding_size
        self.weight_x = nn.Parameter(torch.empty(self.matrices * size, input_size))
        self.weight_h = nn.Parameter(torch.empty(self.matrices * size, size))
        self.bias = nn.Parameter(torch.empty(size))
        self.hyper_weight_x = nn.Parameter(torch.empty(hyper, input_size + size))
        self.hyper_weight_h = nn.Parameter(torch.empty(hyper, hyper))
        self.hyper_bias = nn.Parameter(torch.empty(hyper))
        self.z_weight = nn.Parameter(torch.empty(2, embedding, hyper))
        self.z_bias = nn.Parameter(torch.empty(2, embedding))
        self.zb_weight = nn.Parameter(torch.empty(embedding, hyper))
        self.d_weight = nn.Parameter(torch.empty(1 if spec.form == "full" else 3, size, embedding))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """See `RecurrentLayer.reset_parameters`."""
        super().reset_parameters()
        spec = self.spec
        initialise.input_weights(self.weight_x, self.matrices, spec.input_initialisation)
        initialise.input_weights(self.hyper_weight_x, 1, spec.input_initialisation)
        initialise.orthogonal(self.weight_h, self.matrices)
        initialise.orthogonal(self.hyper_weight_h, 1)
        initialise.embeddings(self.z_weight, self.z_bias, self.zb_weight, spec.z_initialisation)
        self.d_weight[:-1] = spec.initial_scale / spec.embedding_size
        self.d_weight[-1] = 0
        if spec.form == "full":
            for weight in (self.weight_x, self.weight_h):
                weight.mul_(spec.initial_scale / math.sqrt(spec.embedding_size))

    @property
    def state_sizes(self) -> dict[str, int]:
        """See `RecurrentLayer.state_sizes`."""
        return {"h": self.hidden_size, "hyper_h": self.spec.hyper_size}

    def forward(self, x: Tensor, state: LayerState, masks: Sequence[Tensor] = ()) -> tuple[Tensor, HyperRnnState]:
        """See `RecurrentLayer.forward`."""
        h, hyper_h = state
        inputs, rows = self.input_size, len(self.weight_h)
        h_weight = torch.cat([self.weight_h, self.hyper_weight_x[:, inputs:]])
        z_weight = torch.cat([self.z_weight.flatten(0, 1), self.zb_weight])
        z_bias = F.pad(self.z_bias.flatten(), (0, self.spec.embedding_size))
        main = project(x, self.weight_x)
        small = project(x, self.hyper_weight_x[:, :inputs], self.hyper_bias)
        outputs = []
        for now, hyper_now in steps(main, small):
            products = F.linear(h, h_weight)  # of h_{t-1} with everything that it meets
            previous = hyper_h
            hyper_h = torch.tanh(hyper_now + products[:, rows:] + F.linear(hyper_h, self.hyper_weight_h))
            z = F.linear(hyper_h if self.spec.z_from == "current" else previous, z_weight, z_bias)
            h = torch.tanh(self.combine(products[:, :rows], now, z.view(len(z), 3, -1)))
            outputs.append(h)
        return torch.stack(outputs), HyperRnnState(h, hyper_h)

    def combine(self, of_h: Tensor, of_x: Tensor, z: Tensor) -> Tensor:
        """What the tanh is taken of, shape (batch, hidden_size).

        of_h, of_x: ``weight_h h_{t-1}`` and ``weight_x x_t``, shape (batch, rows of the weight); z: z_h, z_x and z_b,
        shape (batch, 3, N_z).
        """
        batch, size = len(z), self.hidden_size
        if self.spec.form == "full":
            terms = torch.cat([of_h.view(batch, -1, size), of_x.view(batch, -1, size)], 1)  # of the W_k
            total = torch.bmm(z[:, :2].reshape(batch, 1, -1), terms).squeeze(1)
            return total + F.linear(z[:, 2], self.d_weight[0], self.bias)
        scale_h, scale_x, bias = torch.bmm(z.transpose(0, 1), self.d_weight.transpose(1, 2)).unbind()
        return scale_h * of_h + scale_x * of_x + bias + self.bias
