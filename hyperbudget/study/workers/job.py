"""A run as its worker is given it, what it tells while it trains, and what may keep it from its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperbudget.study.folder import RunFolder

if TYPE_CHECKING:
    from hyperbudget.study.workers.board import Mark
    from hyperbudget.train.loop import Training
    from hyperbudget.train.pack.training import PackedTraining


@dataclass(frozen=True)
class Job:
    """One attempt at one run. `attempt` is the driver's token: a worker whose token was replaced must not write.

    `asks`: at every evaluation the training asks whether to go on. `time_limit`: seconds of training. `shares_gpu`: it
    has a part of one only. `pack`: what it has in common with the jobs that it may share a pack with; None for none.
    """

    run: str
    fields: dict[str, Any]
    data_digest: str
    folder: Path
    attempt: str
    threads: int
    checkpoint_seconds: float = 10.0
    asks: bool = False
    time_limit: float | None = None
    shares_gpu: bool = False
    system_metrics: bool = False
    pack: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """One entry of a run's curve. `seconds`: wall time of the training so far; `usage`: of the machine, if wanted."""

    step: int
    train_loss: float
    validation_error: float
    seconds: float
    usage: Mapping[str, float] | None = None


@dataclass
class Contact:
    """What a run has of the world while it trains: nothing, unless its worker gives it more.

    `report` is told of every evaluation and whether the run asks, and says whether it is to go on; `say` is for what
    the user should know. `mark` is how far the run is: see `hyperbudget.study.workers.board.Mark`.
    """

    report: Callable[[Evaluation, bool], bool] = lambda evaluation, asks: True
    say: Callable[[str], None] = lambda text: None
    phase: str = "begun"
    training: Training | PackedTraining | None = None

    def mark(self) -> Mark:
        """The phase, and the step where there is one."""
        return self.phase, self.training.step if self.training else 0


class Superseded(Exception):
    """Another driver has taken this run over."""


class NoData(OSError):
    """This node has not the data that the driver has: a machine's fault, and none of the run's."""


class Crowded(Exception):
    """Several runs could not be trained side by side, as where they share a GPU whose memory is not enough."""


def check_attempt(job: Job) -> None:
    """Raise Superseded unless this attempt is still the one that may write."""
    if RunFolder(job.folder).attempt.read_text(encoding="utf-8") != job.attempt:
        raise Superseded(job.run)
