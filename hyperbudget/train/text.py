"""Training on a text, symbol by symbol (A.3.3, A.3.4)."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperbudget.data.bits import check_plausible, total_bits
from hyperbudget.data.text import TextData
from hyperbudget.data.text_batches import TextStreams, Window, evaluation_batches
from hyperbudget.nn.language_model import LanguageModelNet
from hyperbudget.nn.recurrent import State, detach
from hyperbudget.train.dynamics import dynamics, piece
from hyperbudget.train.objective import autocast
from hyperbudget.train.problem import Problem, Score, Split, untrained
from hyperbudget.train.spec import RunSpec
from hyperbudget.train.streams import stream

EVALUATION_LENGTH = 500
"""Symbols of each stream that an evaluation takes at once; it changes no result, only the memory."""


class TextProblem(Problem):
    """A language model on contiguous streams of a text: its state is carried from window to window, without gradient.

    Raises UserError for a text that is shorter than a window of all streams.
    """

    metric = "bpc"
    model: LanguageModelNet

    def __init__(self, spec: RunSpec, data: TextData, device: torch.device) -> None:
        self.spec, self.settings, self.device = spec, spec.training, device
        self.data = data.to(device)
        offsets = functools.partial(stream, spec.seed, "offset")
        self.streams = TextStreams(self.data, self.settings.batch_size, self.settings.length, offsets)
        self.model = initial_language_model(spec, data).to(device)
        self.carried: State | None = None
        self.dropout = torch.Generator(device)  # drawing millions of numbers elsewhere takes longer than the step

    def losses(self, step: int) -> tuple[Tensor, Tensor]:
        """See `Problem.losses`: the mean cross entropy of the window's symbols."""
        window = self.begin(step)
        loss, state = self.compute(window.inputs, window.targets, None if window.fresh else self.carried)
        self.carried = detach(state)
        return loss, loss

    def begin(self, step: int) -> Window:
        """The window of a step; dropout starts from the step's own seed."""
        self.dropout.manual_seed(stream(self.spec.seed, "dropout", step).initial_seed())
        return self.streams.window(step)

    def compute(self, inputs: Tensor, targets: Tensor, state: State | None) -> tuple[Tensor, State]:
        """The mean cross entropy in nats of symbols of shape (length, streams), and the state after them."""
        with autocast(self.device, self.settings.precision):
            logits, state = self.model(inputs, state, generator=self.dropout)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten()), state

    @torch.no_grad()
    def score(self, split: Split) -> Score:
        """See `Problem.score`: bits per character, every symbol but the first predicted once.

        The state is carried through each of `evaluation_rows` pieces of the text. Raises UserError for a test result
        that cannot be.
        """
        ids = getattr(self.data, split)
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        state: State | None = None
        for window in evaluation_batches(ids, self.settings.evaluation_rows, EVALUATION_LENGTH):
            with autocast(self.device, self.settings.precision):
                logits, state = self.model(window.inputs, None if window.fresh else state)
            total += total_bits(logits, window.targets, window.scored)
        self.model.train()
        bits = total.item() / (len(ids) - 1)
        if split == "test":
            check_plausible(bits, self.data)
        return Score(bits, bits * math.log(2))

    def dynamics(self) -> dict[str, Any]:
        """See `Problem.dynamics`: of the first piece of the validation text, in fp32."""
        self.model.eval()
        ids, warmup = piece(self.data.validation)
        found = dynamics(self.model, ids, self.data.vocabulary, warmup)
        self.model.train()
        return found

    def state(self) -> dict[str, Any]:
        """See `Problem.state`: what the streams hand on to the next window."""
        return {} if self.carried is None else {"carried": [tuple(layer) for layer in self.carried]}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Problem.restore`."""
        self.carried = state.get("carried")


def initial_language_model(spec: RunSpec, data: TextData) -> LanguageModelNet:
    """The untrained model of a run on `data`; see `untrained`."""
    model = untrained(spec, {"symbols": len(data.vocabulary)})
    assert isinstance(model, LanguageModelNet)
    return model
