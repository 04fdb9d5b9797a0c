"""A language model on the symbols of a text. Its results and the studies that gave them: ``reports``."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.recurrent import LayerState, Recurrent, State
from hyperbudget.nn.recurrent.fused import linear
from hyperbudget.nn.spec import Cell, LanguageModel
from hyperbudget.nn.uniform import Source, uniform


class LanguageModelNet(nn.Module):
    """Recurrent layers on one-hot symbols, and a linear head with softmax (section 4.3, A.3.3)."""

    def __init__(self, spec: LanguageModel, cell: Cell, symbols: int) -> None:
        super().__init__()
        self.spec, self.symbols = spec, symbols
        self.recurrent = Recurrent(
            cell, symbols, spec.hidden_size, spec.num_layers, recurrent_dropout=spec.recurrent_dropout
        )
        self.head = nn.Linear(spec.hidden_size, symbols)
        nn.init.orthogonal_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(
        self, ids: Tensor, state: Sequence[LayerState] | None = None, *, generator: Source = None
    ) -> tuple[Tensor, State]:
        """Logits of the next symbols, shape (time, streams, symbols), and the state after the last step.

        ids: int64, shape (time, streams). Without a state the network starts from zeros. generator: where training
        draws its dropout masks from; torch's global one if none is given.
        """
        x = ids
        if self.training and self.spec.input_dropout:  # a one-hot vector is dropped whole, or scaled
            kept = _mask(ids.shape, self.spec.input_dropout, self.head.weight, generator)
            x = F.one_hot(ids, self.symbols) * kept[..., None]
        outputs, after = self.recurrent(x, state, generator=generator)
        if self.training and self.spec.output_dropout:
            outputs = outputs * _mask(outputs.shape, self.spec.output_dropout, outputs, generator)
        return linear(outputs, self.head.weight, self.head.bias), after

    def anatomy(self) -> dict[str, int]:
        """Learnable parameters by group, counted from the modules; groups without any are left out."""
        return {**self.recurrent.anatomy(), "head": sum(parameter.numel() for parameter in self.head.parameters())}


def _mask(shape: torch.Size, share: float, like: Tensor, generator: Source) -> Tensor:
    """0 for `share` of the entries, and 1 / (1 - share) for the others."""
    drawn = uniform(shape, like, generator) < 1 - share
    return drawn.to(like.device, like.dtype) / (1 - share)
