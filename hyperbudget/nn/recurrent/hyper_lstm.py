"""The HyperLSTM: an LSTM whose weights a smaller LSTM scales anew at every step, for every sample."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.cells import HyperLstm, LnHyperLstm
from hyperbudget.nn.recurrent import fused, initialise
from hyperbudget.nn.recurrent.gates import LayerNorms, update
from hyperbudget.nn.recurrent.layer import LayerState, RecurrentLayer, columns, project, steps


class HyperLstmState(NamedTuple):
    """h and c of the main cell, shape (batch, hidden_size), and of the small one, (batch, hyper_size)."""

    h: Tensor
    c: Tensor
    hyper_h: Tensor
    hyper_c: Tensor


class StepWeights(NamedTuple):
    """The parameters of `HyperLstmLayer.step`, put together for few matrix products.

    With H = hidden_size, h = hyper_size:

    - h_weight: shape (4 H + 4 h, H), from h_{t-1} to the gates of the main and of the small cell
    - z_weight, z_bias: shape (12 N_z, h) and (12 N_z,), from h^ to z_h, z_x, z_b
    - d_weight: shape (12, N_z, H), from z_h, z_x, z_b to d_h, d_x, d_b
    """

    h_weight: Tensor
    z_weight: Tensor
    z_bias: Tensor
    d_weight: Tensor
    norms: LayerNorms | None
    hyper_norms: LayerNorms | None


class HyperLstmLayer(RecurrentLayer):
    """Eqs. 10-13, gates in the order i, g, f, o.

    The small cell, an LSTM, sees [x_t ; h_{t-1}]. Of its output h^ (of this step, or with ``z_from="previous"`` of the
    one before) there are three embeddings z for each gate y, and of those two scaling vectors and a bias:

    - ``z_h = W h^ + b``, ``z_x = W h^ + b``, ``z_b = W h^`` (eq. 11)
    - ``y = LN(d_h(z_h) * W_h h_{t-1} + d_x(z_x) * W_x x_t + d_b(z_b) + b_0)``, each d linear (eq. 12)

    Without layer norm, LN is the identity. With it, its offset replaces the small cell's bias (unless `hyper_bias`),
    while the main cell keeps b_0.

    Parameters, with H = hidden_size and h = hyper_size; they start as in A.2.3:

    - ``weight_x``, ``weight_h``: W_x of shape (4 H, input_size), W_h of shape (4 H, H), orthogonal for each gate;
      ``bias``: b_0 of shape (4 H,), 0
    - ``hyper_weight_x`` of shape (4 h, input_size + H), ``hyper_weight_h`` of shape (4 h, h), ``hyper_bias`` of shape
      (4 h,): the same of the small cell
    - ``z_weight``, ``z_bias``: for z_h and z_x, shape (2, 4, N_z, h), 0, and (2, 4, N_z), 1
    - ``zb_weight``: for z_b, shape (4, N_z, h), normal with deviation 0.01
    - ``d_weight``: for d_h, d_x and d_b, shape (3, 4, H, N_z), `initial_scale` / N_z and for d_b 0, so that d_h and
      d_x start at `initial_scale` (Cooijmans et al. 2016)
    - ``norm_gain``, ``norm_offset`` of shape (4, H), ``norm_c_gain``, ``norm_c_offset`` of shape (H,), and the same
      with ``hyper_`` before the name and h for H: 1 and 0
    """

    groups = {
        "weight_x": "recurrent", "weight_h": "recurrent", "bias": "recurrent",
        "hyper_weight_x": "hyper_cell", "hyper_weight_h": "hyper_cell", "hyper_bias": "hyper_cell",
        "z_weight": "projections", "z_bias": "projections", "zb_weight": "projections", "d_weight": "projections",
        "norm_gain": "norms", "norm_offset": "norms", "norm_c_gain": "norms", "norm_c_offset": "norms",
        "hyper_norm_gain": "norms", "hyper_norm_offset": "norms",
        "hyper_norm_c_gain": "norms", "hyper_norm_c_offset": "norms",
    }  # fmt: skip
    state_type = HyperLstmState

    def __init__(self, input_size: int, hidden_size: int, spec: HyperLstm | LnHyperLstm) -> None:
        super().__init__(input_size, hidden_size)
        self.spec = spec
        size, hyper, embedding = hidden_size, spec.hyper_size, spec.embedding_size
        self.weight_x = nn.Parameter(torch.empty(4 * size, input_size))
        self.weight_h = nn.Parameter(torch.empty(4 * size, size))
        self.bias = nn.Parameter(torch.empty(4 * size))
        self.hyper_weight_x = nn.Parameter(torch.empty(4 * hyper, input_size + size))
        self.hyper_weight_h = nn.Parameter(torch.empty(4 * hyper, hyper))
        biased = not isinstance(spec, LnHyperLstm) or spec.hyper_bias
        self.hyper_bias = nn.Parameter(torch.empty(4 * hyper)) if biased else None
        self.z_weight = nn.Parameter(torch.empty(2, 4, embedding, hyper))
        self.z_bias = nn.Parameter(torch.empty(2, 4, embedding))
        self.zb_weight = nn.Parameter(torch.empty(4, embedding, hyper))
        self.d_weight = nn.Parameter(torch.empty(3, 4, size, embedding))
        if spec.layer_norm:
            LayerNorms.register(self, size)
            LayerNorms.register(self, hyper, "hyper_")
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """See `RecurrentLayer.reset_parameters`."""
        super().reset_parameters()
        for weight in (self.weight_x, self.hyper_weight_x):
            initialise.input_weights(weight, 4, self.spec.input_initialisation)
        for weight in (self.weight_h, self.hyper_weight_h):
            initialise.orthogonal(weight, 4)
        initialise.embeddings(self.z_weight, self.z_bias, self.zb_weight, self.spec.z_initialisation)
        self.d_weight[:2] = self.spec.initial_scale / self.spec.embedding_size
        self.d_weight[2] = 0

    @property
    def state_sizes(self) -> dict[str, int]:
        """See `RecurrentLayer.state_sizes`."""
        size, hyper = self.hidden_size, self.spec.hyper_size
        return {"h": size, "c": size, "hyper_h": hyper, "hyper_c": hyper}

    @property
    def mask_sizes(self) -> tuple[int, ...]:
        """See `RecurrentLayer.mask_sizes`: the main cell's, and where it is asked for the small one's."""
        return (self.hidden_size, self.spec.hyper_size) if self.spec.hyper_dropout else (self.hidden_size,)

    def step_weights(self) -> StepWeights:
        """The parameters as `step` wants them."""
        norms = hyper_norms = None
        if isinstance(self.spec, LnHyperLstm):
            norms = LayerNorms.of(self, self.spec.norm_epsilon)
            hyper_norms = LayerNorms.of(self, self.spec.norm_epsilon, "hyper_")
        return StepWeights(
            h_weight=torch.cat([self.weight_h, self.hyper_weight_x[:, self.input_size :]]),
            z_weight=torch.cat([self.z_weight.flatten(0, 2), self.zb_weight.flatten(0, 1)]),
            z_bias=F.pad(self.z_bias.flatten(), (0, 4 * self.spec.embedding_size)),
            d_weight=self.d_weight.flatten(0, 1).transpose(1, 2),
            norms=norms,
            hyper_norms=hyper_norms,
        )

    def step(
        self,
        x: Tensor,
        hyper_x: Tensor,
        state: HyperLstmState,
        weights: StepWeights,
        mask: Tensor | None = None,
        hyper_mask: Tensor | None = None,
    ) -> HyperLstmState:
        """The state after one more step.

        x: W_x x_t, shape (batch, 4 H); hyper_x: what x_t adds to the small cell's gates, shape (batch, 4 h); masks: see
        `gates.update`.
        """
        batch, size, hyper = len(x), self.hidden_size, self.spec.hyper_size
        products = F.linear(state.h, weights.h_weight)  # of h_{t-1} with everything that it meets
        main, small = torch.split(products, [4 * size, 4 * hyper], 1)

        # eq. 10
        small = small + hyper_x + F.linear(state.hyper_h, self.hyper_weight_h)
        hyper_h, hyper_c = update(
            small.view(batch, 4, hyper), state.hyper_c, self.spec.forget_bias, weights.hyper_norms, hyper_mask
        )
        # eq. 11: all twelve z, and eq. 12: what is linear in each of them
        source = hyper_h if self.spec.z_from == "current" else state.hyper_h
        z = F.linear(source, weights.z_weight, weights.z_bias).view(batch, 12, -1)
        d = torch.bmm(z.transpose(0, 1), weights.d_weight).view(3, 4, batch, size)
        scale_h, scale_x, bias = d.transpose(1, 2).unbind()
        gates = bias + self.bias.view(4, size)
        gates = gates + scale_h * main.view(batch, 4, size) + scale_x * x.view(batch, 4, size)
        # eq. 13
        h, c = update(gates, state.c, self.spec.forget_bias, weights.norms, mask)
        return HyperLstmState(h, c, hyper_h, hyper_c)

    def forward(self, x: Tensor, state: LayerState, masks: Sequence[Tensor] = ()) -> tuple[Tensor, HyperLstmState]:
        """See `RecurrentLayer.forward`."""
        last = HyperLstmState(*state)
        small_weight = self.hyper_weight_x[:, : self.input_size]
        if fused.usable(*last, self.weight_h, *([x] if x.is_floating_point() else []), masks=masks):
            ids = fused.token_ids(x, last.h, self.input_size)
            look = columns if ids is not None else functools.partial(project, x)
            main, small = look(self.weight_x), look(small_weight, self.hyper_bias)
            return fused.hyper_lstm(self, main, small, last, masks, ids)
        main, small = project(x, self.weight_x), project(x, small_weight, self.hyper_bias)
        weights = self.step_weights()
        outputs = []
        for now, hyper_now, *mask in steps(main, small, *masks):
            last = self.step(now, hyper_now, last, weights, *mask)
            outputs.append(last.h)
        return torch.stack(outputs), last
