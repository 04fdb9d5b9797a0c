"""The interface of one recurrent layer, and the products that all of them compute alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.recurrent.fused import linear

LayerState = tuple[Tensor, ...]
"""What a layer hands on from step to step: a named tuple of tensors of shape (batch, size), the output ``h`` first."""


class RecurrentLayer(nn.Module, ABC):
    """One layer of a recurrent network, over a whole sequence."""

    groups: ClassVar[dict[str, str]]
    """Group of the anatomy for each of the layer's parameters, by name."""
    state_type: ClassVar[type[LayerState]]
    """The named tuple that the layer's states are."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size

    @property
    @abstractmethod
    def state_sizes(self) -> dict[str, int]:
        """Size of each tensor of a state, by its name there."""

    @property
    def mask_sizes(self) -> tuple[int, ...]:
        """Sizes of the dropout masks that `forward` takes, in order; none where there is no recurrent dropout."""
        return ()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew, from torch's global generator."""
        for name, parameter in self.named_parameters():
            if name.endswith("gain"):
                parameter.fill_(1)
            elif name.endswith(("bias", "offset")):
                parameter.zero_()

    @abstractmethod
    def forward(self, x: Tensor, state: LayerState, masks: Sequence[Tensor] = ()) -> tuple[Tensor, LayerState]:
        """The outputs of all steps, shape (time, batch, hidden_size), and the state after the last one.

        x: numbers of shape (time, batch, input_size), or token ids of shape (time, batch), which stand for one-hot
        vectors; masks: none, or one of shape (time, batch, size) for each of `mask_sizes`, 0 or 1 / keep probability.
        """


def project(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``W x + b`` for all steps at once: shape (time, batch, outputs).

    x: as in `RecurrentLayer.forward`; weight: shape (outputs, inputs). The product with a one-hot vector is a column of
    the weight matrix, so nothing one-hot is ever built.
    """
    if x.is_floating_point():
        return linear(x, weight, bias)
    columns = F.embedding(x, weight.T.contiguous())
    return columns if bias is None else columns + bias


def columns(weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``W x + b`` for each one-hot x: shape (inputs, outputs)."""
    turned = weight.T.contiguous()
    return turned if bias is None else turned + bias


def steps(*sequences: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """What each of the sequences, of shape (time, ...), has for one step after the other.

    By unbind: an index for every step would have a gradient as large as the whole sequence for every step.
    """
    return zip(*(sequence.unbind() for sequence in sequences), strict=True)
