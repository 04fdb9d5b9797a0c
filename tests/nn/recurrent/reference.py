"""Eqs. 4-13 written out: one sample, one gate, one step at a time, with one-hot inputs and whole weight matrices."""

import torch
from torch import Tensor

from hyperbudget.nn.cells import Cell, HyperLstm, HyperRnn, LnHyperLstm, LnLstm, Lstm, Rnn

Parameters = dict[str, Tensor]


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def layer_norm(x: Tensor, gain: Tensor, offset: Tensor, epsilon: float) -> Tensor:
    centred = x - x.sum() / len(x)
    return gain * centred / torch.sqrt((centred * centred).sum() / len(x) + epsilon) + offset


def gate(weight: Tensor, number: int) -> Tensor:
    """The rows of gate i, g, f or o."""
    return weight[number * len(weight) // 4 : (number + 1) * len(weight) // 4]


def lstm_update(spec, p: Parameters, sums: list[Tensor], c: Tensor, mask: Tensor, prefix: str = "") -> list[Tensor]:
    """h and c of eq. 13 from what the layer norms of i, g, f, o are taken of."""
    if spec.layer_norm:
        gain, offset = p[prefix + "norm_gain"], p[prefix + "norm_offset"]
        sums = [layer_norm(y, gain[n], offset[n], spec.norm_epsilon) for n, y in enumerate(sums)]
    i, g, f, o = sums
    c = sigmoid(f + spec.forget_bias) * c + sigmoid(i) * (torch.tanh(g) * mask)
    inner = c
    if spec.layer_norm:
        inner = layer_norm(c, p[prefix + "norm_c_gain"], p[prefix + "norm_c_offset"], spec.norm_epsilon)
    return [sigmoid(o) * torch.tanh(inner), c]


def lstm_sums(p: Parameters, x: Tensor, h: Tensor, prefix: str = "") -> list[Tensor]:
    """W_h h + W_x x + b for each gate."""
    sums = [
        gate(p[prefix + "weight_h"], n) @ h + gate(p[prefix + "weight_x"], n) @ x for n in range(4)
    ]  # fmt: skip
    if prefix + "bias" in p:
        sums = [y + gate(p[prefix + "bias"], n) for n, y in enumerate(sums)]
    return sums


def rnn_step(spec: Rnn, p: Parameters, x: Tensor, state: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
    (h,) = state
    return [torch.tanh(p["weight_h"] @ h + p["weight_x"] @ x + p["bias"])]  # eq. 4


def lstm_step(spec: Lstm | LnLstm, p: Parameters, x: Tensor, state: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
    h, c = state
    return lstm_update(spec, p, lstm_sums(p, x, h), c, masks[0])  # eq. 9


def hyper_rnn_step(spec: HyperRnn, p: Parameters, x: Tensor, state: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
    h, hyper_h = state
    x_hat = torch.cat([x, h])
    new_hyper_h = torch.tanh(p["hyper_weight_h"] @ hyper_h + p["hyper_weight_x"] @ x_hat + p["hyper_bias"])
    source = new_hyper_h if spec.z_from == "current" else hyper_h
    z_h, z_x = (p["z_weight"][n] @ source + p["z_bias"][n] for n in range(2))  # eq. 6
    z_b = p["zb_weight"] @ source
    if spec.form == "full":  # eq. 5: this sample's own matrices
        weight_h = sum(z * w for z, w in zip(z_h, p["weight_h"].chunk(spec.embedding_size), strict=True))
        weight_x = sum(z * w for z, w in zip(z_x, p["weight_x"].chunk(spec.embedding_size), strict=True))
        bias = p["d_weight"][0] @ z_b + p["bias"]
    else:  # eqs. 7 and 8
        weight_h = torch.diag(p["d_weight"][0] @ z_h) @ p["weight_h"]
        weight_x = torch.diag(p["d_weight"][1] @ z_x) @ p["weight_x"]
        bias = p["d_weight"][2] @ z_b + p["bias"]
    return [torch.tanh(weight_h @ h + weight_x @ x + bias), new_hyper_h]


def hyper_lstm_step(
    spec: HyperLstm | LnHyperLstm, p: Parameters, x: Tensor, state: list[Tensor], masks: list[Tensor]
) -> list[Tensor]:
    h, c, hyper_h, hyper_c = state
    x_hat = torch.cat([x, h])
    sums = lstm_sums(p, x_hat, hyper_h, "hyper_")
    new_hyper_h, new_hyper_c = lstm_update(spec, p, sums, hyper_c, masks[1], "hyper_")  # eq. 10
    source = new_hyper_h if spec.z_from == "current" else hyper_h
    sums = []
    for n in range(4):
        z_h, z_x = (p["z_weight"][k, n] @ source + p["z_bias"][k, n] for k in range(2))  # eq. 11
        z_b = p["zb_weight"][n] @ source
        weight_h = torch.diag(p["d_weight"][0, n] @ z_h) @ gate(p["weight_h"], n)  # eq. 12
        weight_x = torch.diag(p["d_weight"][1, n] @ z_x) @ gate(p["weight_x"], n)
        bias = p["d_weight"][2, n] @ z_b + gate(p["bias"], n)
        sums.append(weight_h @ h + weight_x @ x + bias)
    return [*lstm_update(spec, p, sums, c, masks[0]), new_hyper_h, new_hyper_c]  # eq. 13


STEPS = {
    Rnn: rnn_step, Lstm: lstm_step, LnLstm: lstm_step, HyperRnn: hyper_rnn_step,
    HyperLstm: hyper_lstm_step, LnHyperLstm: hyper_lstm_step,
}  # fmt: skip


def run(
    spec: Cell, layers: list[Parameters], x: Tensor, state: list[list[Tensor]], masks: list[list[Tensor]] | None = None
) -> tuple[Tensor, list[list[Tensor]]]:
    """Outputs of shape (time, batch, hidden_size) and the last state of a stack of layers.

    x: shape (time, batch, inputs); state: a list of tensors (batch, size) for each layer; masks: two tensors (time,
    batch, size) for each layer, of the main and of the small cell.
    """
    step = STEPS[type(spec)]
    rows, ends = [], []
    for b in range(x.shape[1]):
        now = [[tensor[b] for tensor in tensors] for tensors in state]
        outputs = []
        for t in range(len(x)):
            below = x[t, b]
            for n, p in enumerate(layers):
                dropped = [mask[t, b] for mask in masks[n]] if masks else [torch.ones(()), torch.ones(())]
                now[n] = step(spec, p, below, now[n], dropped)
                below = now[n][0]
            outputs.append(below)
        rows.append(torch.stack(outputs))
        ends.append(now)
    last = [[torch.stack([end[n][k] for end in ends]) for k in range(len(state[n]))] for n in range(len(layers))]
    return torch.stack(rows, 1), last
