"""What every LSTM does with its four gates: layer norm and the update of c and h."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorms(NamedTuple):
    """The five layer norms of an LSTM: of each gate and of c.

    gain, offset: shape (4, size), in the order i, g, f, o; c_gain, c_offset: shape (size,); epsilon is added to the
    variance.
    """

    gain: Tensor
    offset: Tensor
    c_gain: Tensor
    c_offset: Tensor
    epsilon: float

    def gates(self, gates: Tensor) -> Tensor:
        """gates, returned: shape (batch, 4, size)."""
        return _normalise(gates, self.gain, self.offset, self.epsilon)

    def cell(self, c: Tensor) -> Tensor:
        """c, returned: shape (batch, size)."""
        return _normalise(c, self.c_gain, self.c_offset, self.epsilon)

    @staticmethod
    def register(layer: nn.Module, size: int, prefix: str = "") -> None:
        """Give `layer` the parameters ``norm_gain``, ``norm_offset``, ``norm_c_gain`` and ``norm_c_offset``."""
        for name, shape in {"norm": (4, size), "norm_c": (size,)}.items():
            layer.register_parameter(f"{prefix}{name}_gain", nn.Parameter(torch.ones(shape)))
            layer.register_parameter(f"{prefix}{name}_offset", nn.Parameter(torch.zeros(shape)))

    @classmethod
    def of(cls, layer: nn.Module, epsilon: float, prefix: str = "") -> LayerNorms:
        """The parameters that `register` gave `layer`."""
        gain, offset, c_gain, c_offset = (
            getattr(layer, f"{prefix}{name}")  # in a pack they are no nn.Parameter
            for name in ("norm_gain", "norm_offset", "norm_c_gain", "norm_c_offset")
        )
        return cls(gain, offset, c_gain, c_offset, epsilon)


def _normalise(x: Tensor, gain: Tensor, offset: Tensor, epsilon: float) -> Tensor:
    return torch.addcmul(offset, F.layer_norm(x, x.shape[-1:], eps=epsilon), gain)


def forget_gate(bias: float, like: Tensor) -> Tensor:
    """What `update` adds to the sums of the four gates, shape (4, 1): nothing but to the third, f."""
    added = like.new_zeros(4, 1)
    added[2] = bias  # not from a list of Python: that would be copied to the device, which no CUDA graph captures
    return added


def update(
    gates: Tensor, c: Tensor, forget_bias: float, norms: LayerNorms | None = None, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The new h and c, each of shape (batch, size): eq. 13, or the last lines of eqs. 9 and 10.

    gates: sums for i, g, f, o, shape (batch, 4, size); c: shape (batch, size); mask: the same, 0 or 1 / keep
    probability. The mask is on what is added to c: what c remembers is never dropped (Semeniuta et al. 2016). The
    layer norm of c is for h alone: the c that is handed on stays raw.
    """
    if norms is not None:
        gates = norms.gates(gates)
    i, g, f, o = gates.unbind(1)
    candidate = torch.tanh(g)
    if mask is not None:
        candidate = candidate * mask
    c = torch.sigmoid(f + forget_bias) * c + torch.sigmoid(i) * candidate
    shown = c if norms is None else norms.cell(c)
    return torch.sigmoid(o) * torch.tanh(shown), c
