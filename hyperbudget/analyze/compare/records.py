"""What a comparison of studies finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from hyperbudget.analyze.compare.changes import CountChange, Factor, Movement, Speed, StatusChange
from hyperbudget.analyze.compare.intervals import Overall
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.intervals import Interval
from hyperbudget.analyze.throughput import Throughput
from hyperbudget.study.results.metrics import Metric


@dataclass(frozen=True)
class Side:
    """One study: its runs of the task in question. `front` is over all its families."""

    name: str
    frame: pd.DataFrame
    configurations: list[Configuration]
    front: list[Configuration]


@dataclass(frozen=True)
class Pair:
    """A configuration in the first study and in another one.

    `ratio`: of the other's mean test error to the first's, over the seeds that both have and paired by them if these
    are two or more, else over all seeds of each; `tests`: the two means, the first's first. `p`: that so large a ratio
    is chance; None without an interval. `differs`: whether it is told from 1 with all pairs of the comparison in view
    (Holm). `runs`: that both have, of which `same` have the same numbers, bit by bit. `cost`: of these in the first
    study and in the other.
    """

    first: Configuration
    other: Configuration
    paired: bool
    tests: tuple[float, float]
    ratio: Interval
    p: float | None
    runs: int
    same: int
    cost: tuple[Throughput, Throughput] | None = None
    differs: bool = False

    @property
    def clear(self) -> bool:
        """Whether its own interval leaves out 1."""
        return self.ratio.low is not None and self.ratio.high is not None and not self.ratio.low <= 1 <= self.ratio.high

    @property
    def identical(self) -> bool:
        """Whether all runs that both have are the same."""
        return 0 < self.runs == self.same

    @property
    def seconds(self) -> float | None:
        """The ratio of their times."""
        return None if self.cost is None else self.cost[1].seconds / self.cost[0].seconds


@dataclass(frozen=True)
class Comparison:
    """The first study and one other, in the configurations (`pairs`) with finished runs in both.

    `only_first`, `only_other`: configurations with finished runs in one of them; `tried`: by their names how their runs
    ended in the other one, of those that it has. `barren`: how many configurations of the first, and of the other, have
    no finished run and are not in the other study at all. `lone_seeds`: for each of the two the seeds of finished runs
    whose configuration, but not whose seed, is in the other one, to how many these are. `time`: of a run, over the
    pairs.
    """

    first: Side
    other: Side
    pairs: list[Pair]
    only_first: list[Configuration]
    only_other: list[Configuration]
    tried: Mapping[str, str]
    barren: tuple[int, int]
    lone_seeds: tuple[Mapping[int, int], Mapping[int, int]]
    overall: Overall | None
    movement: Movement
    time: Factor | None
    speeds: list[Speed]
    statuses: list[StatusChange]
    counts: list[CountChange]

    @property
    def tests(self) -> int:
        """How many intervals there are to be wrong."""
        return sum(pair.p is not None for pair in self.pairs)

    @property
    def ranked(self) -> list[Pair]:
        """The pairs, what matters first: those told from 1, the largest rise first, then the deepest fall; then those
        that are not, the largest ratio first; those with the same numbers last."""

        def key(pair: Pair) -> tuple[int, float]:
            ratio = pair.ratio.mean
            group = 3 if pair.identical else 2 if not pair.clear else 0 if ratio > 1 else 1
            return group, ratio if group == 1 else -ratio

        return sorted(self.pairs, key=key)


@dataclass(frozen=True)
class TaskComparison:
    """The studies that have a task, the first and the others, each of which is compared with it."""

    task: str
    metric: Metric
    sides: list[Side]
    comparisons: list[Comparison]


@dataclass(frozen=True)
class LeftOut:
    """A study's runs of a task that are in no comparison, and why."""

    study: str
    task: str
    configurations: int
    runs: int
    why: str


@dataclass(frozen=True)
class Studies:
    """What was compared, task by task, and what was left out."""

    parts: list[TaskComparison]
    left_out: list[LeftOut]
