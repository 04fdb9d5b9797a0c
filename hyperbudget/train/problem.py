"""What is trained, apart from how: a model with its data, its loss and its scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from hyperbudget.nn.build import Model, build
from hyperbudget.train.spec import RunSpec
from hyperbudget.train.streams import stream

Metric = Literal["error", "bpc"]
Split = Literal["validation", "test"]


class Score(NamedTuple):
    """Quality on a split; scores compare by error, then by loss: the smaller the better."""

    error: float
    """The task's metric: share of samples in the wrong class, or bits per character."""
    loss: float
    """Mean cross entropy in nats: breaks ties between small validation splits."""


class Problem(ABC):
    """A model on a device with the data that it learns from. One implementation a kind of data.

    Deterministic: what `losses` draws for a step depends on the run's seed and on the step alone.
    """

    metric: ClassVar[Metric]
    """What its scores' errors are: a share of wrong answers, or bits per character."""
    model: nn.Module

    @abstractmethod
    def losses(self, step: int) -> tuple[Tensor, Tensor]:
        """Of optimiser step `step`, counted from 0: the loss in nats and what is minimised, scalars on the device.

        The steps come in their order: from 0, or from where `restore` went on.
        """

    @abstractmethod
    def score(self, split: Split) -> Score:
        """The model as it is now on all of a split; the model is left in training mode, and `losses` undisturbed."""

    def dynamics(self) -> dict[str, Any]:
        """What the model as it is now does on validation data, besides its score: plain JSON data, empty for none."""
        return {}

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep for `losses` to go on, besides the model: tensors and plain values."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:  # noqa: B027  (most problems have no such state)
        """Go on from what `state` returned."""


def untrained(spec: RunSpec, shape: dict[str, int]) -> Model:
    """The untrained model of a run on data of `shape`, on the CPU; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream(spec.seed, "init").initial_seed())
        return build(spec.model, **shape)
