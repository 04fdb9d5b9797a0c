"""What a recurrent layer does in time: how a small cell changes its weights (figure 4), how far its units saturate."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hyperbudget.nn.cells import GATES, LnHyperLstm, LnLstm
from hyperbudget.nn.recurrent.gates import LayerNorms
from hyperbudget.nn.recurrent.hyper_lstm import HyperLstmLayer
from hyperbudget.nn.recurrent.hyper_rnn import HyperRnnLayer
from hyperbudget.nn.recurrent.layer import LayerState, RecurrentLayer
from hyperbudget.nn.recurrent.lstm import LstmLayer
from hyperbudget.nn.recurrent.stack import Recurrent

VECTORS = ("h", "x", "b")
"""What a small cell generates for each gate: d_h, d_x and d_b."""


@torch.no_grad()
def trace(network: Recurrent, x: Tensor, state: Sequence[LayerState] | None = None) -> LayerState:
    """The last layer's state before the first step and after each: its named tuple, of shape (time + 1, batch, size).

    x: as `Recurrent` takes it, time first. It goes step by step, for a layer hands out its last state alone.
    """
    now = tuple(network.initial_state(x.shape[1]) if state is None else state)
    found = [now[-1]]
    for step in x.split(1):  # type: ignore[no-untyped-call]
        _, now = network(step, now)
        found.append(now[-1])
    kind = type(now[-1])
    return kind(*(torch.stack(tensors) for tensors in zip(*found, strict=True)))


def gates_of(layer: RecurrentLayer) -> tuple[str, ...]:
    """The gates whose rows a small cell scales; none where there are no scaling vectors.

    A HyperRNN of eq. 8 has one, its h; that of eq. 5 adds whole matrices instead.
    """
    if isinstance(layer, HyperLstmLayer):
        return GATES
    return ("h",) if isinstance(layer, HyperRnnLayer) and layer.spec.form == "efficient" else ()


@torch.no_grad()
def scaling_vectors(layer: RecurrentLayer, hyper_h: Tensor) -> Tensor:
    """d_h, d_x and d_b of eqs. 11 and 12, or 6 to 8: shape (3, gates, time + 1, batch, hidden_size).

    hyper_h: the small cell's states as `trace` gives them, shape (time + 1, batch, hyper_size). Place t + 1 holds what
    step t used, of its own state or with ``z_from="previous"`` of the one before; place 0 what the state before the
    first step gives. Raises ValueError for a layer that has no `gates_of`.
    """
    if not isinstance(layer, HyperLstmLayer | HyperRnnLayer) or not gates_of(layer):
        raise ValueError(f"layer: {type(layer).__name__} has no scaling vectors")
    z_weight = torch.cat([layer.z_weight, layer.zb_weight[None]])
    z_bias = torch.cat([layer.z_bias, torch.zeros_like(layer.z_bias[:1])])
    d_weight = layer.d_weight.detach()
    if isinstance(layer, HyperRnnLayer):
        z_weight, z_bias, d_weight = (tensor.unsqueeze(1) for tensor in (z_weight, z_bias, d_weight))
    source = hyper_h if layer.spec.z_from == "current" else torch.cat([hyper_h[:1], hyper_h[:-1]])
    z = torch.einsum("vgnk,tbk->vgtbn", z_weight, source) + z_bias[:, :, None, None]
    return torch.einsum("vgsn,vgtbn->vgtbs", d_weight, z)


@torch.no_grad()
def weight_changes(layer: RecurrentLayer, vectors: Tensor) -> Tensor:
    """How much each step changed the weights of each gate (figure 4): shape (gates, time, batch).

    vectors: as `scaling_vectors` gives them. With the weights of gate y at step t, ``W_t = [diag(d_h) W_h,
    diag(d_x) W_x]``, it is the Frobenius norm of W_t - W_{t-1}: as d scales rows,
    ``sqrt(sum_j (d_h,t - d_h,t-1)_j^2 |row j of W_h|^2 + the same of x)``. No matrix is built.
    """
    gates, size = vectors.shape[1], layer.hidden_size
    rows = [layer.get_parameter(name).view(gates, size, -1).square().sum(-1) for name in ("weight_h", "weight_x")]
    return torch.einsum("vgtbs,vgs->gtb", vectors[:2].diff(dim=2).square(), torch.stack(rows)).sqrt()


@torch.no_grad()
def shown_cell(layer: RecurrentLayer, c: Tensor) -> Tensor:
    """phi(c_t) of figure 5, the tanh that h_t = sigmoid(o) * phi(c_t) takes of c, or with layer norm of LN(c).

    c, returned: shape (..., hidden_size), in [-1, 1]. Raises ValueError for a layer without a c.
    """
    if not isinstance(layer, LstmLayer | HyperLstmLayer):
        raise ValueError(f"layer: {type(layer).__name__} has no c")
    if isinstance(layer.spec, LnLstm | LnHyperLstm):
        c = LayerNorms.of(layer, layer.spec.norm_epsilon).cell(c)
    return torch.tanh(c)
