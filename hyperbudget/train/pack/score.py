"""The quality of all runs of a pack on a split."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor

from hyperbudget.data.text_batches import evaluation_batches
from hyperbudget.train.graph import Graph
from hyperbudget.train.pack.model import PackedModel
from hyperbudget.train.pack.replayed import Replayed
from hyperbudget.train.text import EVALUATION_LENGTH

SYMBOLS = 1 << 17
"""Of all runs and pieces, that an evaluation takes at once; it changes no result, only the memory."""


class PackedScore:
    """Bits per character of runs on a text, as `TextProblem.score` has them, on memory that stays where it is.

    rows: the runs' parameters, shape (runs, width), read anew by each call. ids: shape (symbols,), on the device;
    pieces: how many of it are evaluated side by side.
    """

    def __init__(self, model: PackedModel, rows: Tensor, ids: Tensor, pieces: int, graph: Graph | None = None) -> None:
        runs = len(rows)
        self.model, self.rows, self.ids, self.pieces = model, rows, ids, pieces
        self.length = max(1, min(EVALUATION_LENGTH, SYMBOLS // (runs * pieces)))
        shape = next(evaluation_batches(ids, pieces, self.length)).inputs.shape
        self.inputs = torch.zeros(shape, dtype=torch.int64, device=rows.device)
        self.targets = torch.zeros_like(self.inputs)
        self.scored = torch.zeros_like(self.inputs, dtype=torch.bool)
        self.state = model.initial_state(runs, pieces)
        self.total = torch.zeros(runs, dtype=torch.float64, device=rows.device)
        self._run = Replayed(self._launch, graph)

    def __call__(self) -> list[float]:
        """Of each run: every symbol but the first is predicted once."""
        self.total.zero_()
        for window in evaluation_batches(self.ids, self.pieces, self.length):
            assert window.scored is not None
            self.inputs.copy_(window.inputs)
            self.targets.copy_(window.targets)
            self.scored.copy_(window.scored)
            if window.fresh:
                for tensor in chain(*self.state):
                    tensor.zero_()
            self._run()
        return (self.total / (len(self.ids) - 1)).tolist()

    @torch.no_grad()
    def _launch(self) -> None:
        bits, state = self.model.bits(self.rows, self.inputs, self.targets, self.scored, self.state)
        self.total.add_(bits)
        for tensor, new in zip(chain(*self.state), chain(*state), strict=True):
            tensor.copy_(new)
