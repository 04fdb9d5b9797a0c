"""One run of a pack: what is its own, besides its row of numbers."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import torch

from hyperbudget.data.text import TextData
from hyperbudget.data.text_batches import TextStreams, Window
from hyperbudget.train.loop import Curve, Diverged, Pruned
from hyperbudget.train.problem import Score
from hyperbudget.train.schedule import learning_rate
from hyperbudget.train.spec import RunSpec
from hyperbudget.train.streams import stream


class Member:
    """A run's place in the text, its random numbers and its record, all as of the run alone.

    ended: why it gives no result, once that is so: Diverged, Pruned, or what was wrong with its test.
    """

    def __init__(self, spec: RunSpec, data: TextData, device: torch.device) -> None:
        self.spec, self.settings = spec, spec.training
        offsets = functools.partial(stream, spec.seed, "offset")
        self.streams = TextStreams(data, self.settings.batch_size, self.settings.length, offsets)
        self.dropout = torch.Generator(device)
        self.curve = Curve()
        self.best_score: Score | None = None
        self.best_step = 0
        self.seconds = 0.0
        self.test_error = math.nan
        self.ended: Exception | None = None

    def begin(self, step: int) -> Window:
        """The window of a step; dropout starts from the step's own seed, as in `TextProblem.begin`."""
        self.dropout.manual_seed(stream(self.spec.seed, "dropout", step).initial_seed())
        return self.streams.window(step)

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return learning_rate(self.settings, step)

    def trained(self, step: int, loss: float) -> bool:
        """Note the mean loss since the evaluation before; whether it is finite. If not, the run has ended."""
        if not math.isfinite(loss):
            self.ended = Diverged(f"training loss is {loss} at step {step}")
            return False
        self.curve.step.append(step)
        self.curve.train_loss.append(loss)
        return True

    def measured(self, bits: float) -> bool:
        """Note the bits per character on the validation split; whether they are the best so far."""
        self.curve.validation_error.append(bits)
        score = Score(bits, bits * math.log(2))
        better = self.best_score is None or score < self.best_score
        if better:
            self.best_score, self.best_step = score, self.curve.step[-1]
        return better

    def took(self, seconds: float) -> None:
        """Note its share of the time that the pack took since the evaluation before."""
        self.seconds += seconds
        self.curve.seconds.append(self.seconds)

    def state(self) -> dict[str, Any]:
        """As plain values, for a checkpoint."""
        ended = self.ended and ("pruned" if isinstance(self.ended, Pruned) else str(self.ended))
        best = tuple(self.best_score or ()), self.best_step
        return {"curve": dataclasses.asdict(self.curve), "best": best, "seconds": self.seconds, "ended": ended}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.curve, self.seconds = Curve(**state["curve"]), state["seconds"]
        score, self.best_step = state["best"]
        self.best_score = Score(*score) if score else None
        if (ended := state["ended"]) is not None:
            self.ended = Pruned(self.curve) if ended == "pruned" else Diverged(ended)
