"""How a window is computed, besides what it is computed from."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Options(NamedTuple):
    """Of a window of an LSTM or a HyperLSTM.

    epsilon: of the layer norms; current: z is of the small cell's state of the same step, and not of the one before;
    products: the type that matrix products are in, the states' own or bfloat16; all else is in the states' own.
    """

    epsilon: float
    current: bool
    products: torch.dtype
