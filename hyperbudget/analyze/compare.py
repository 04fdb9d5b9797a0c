"""Several studies beside each other: what differs between them in the configurations that they share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from hyperbudget.analyze.compare_match import match, same_numbers
from hyperbudget.analyze.configurations import Configuration, configurations, finished_runs
from hyperbudget.analyze.fronts import front
from hyperbudget.analyze.intervals import (
    LEVEL,
    Interval,
    mean_interval,
    moments,
    probability_lower,
    ratio_interval,
    resolution,
)
from hyperbudget.errors import UserError
from hyperbudget.study.results.frame import metric_of
from hyperbudget.study.results.metrics import Metric

_STEP = 1e-12
"""Ratios and times are not rounded to samples."""


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
    are two or more, else over all seeds of each. `p`: that so large a ratio is chance; None without an interval.
    `differs`: whether it is told from 1 with all pairs of the comparison in view (Holm). `runs`: that both have, of
    which `same` have the same numbers, bit by bit. `seconds`: ratio of their times, geometric mean.
    """

    first: Configuration
    other: Configuration
    paired: bool
    ratio: Interval
    p: float | None
    runs: int
    same: int
    seconds: float | None
    differs: bool = False

    @property
    def clear(self) -> bool:
        """Whether its own interval leaves out 1."""
        return self.ratio.low is not None and self.ratio.high is not None and not self.ratio.low <= 1 <= self.ratio.high

    @property
    def identical(self) -> bool:
        """Whether all runs that both have are the same."""
        return 0 < self.runs == self.same


@dataclass(frozen=True)
class Comparison:
    """The first study and one other. `overall` and `seconds`: geometric means of the pairs' ratios with intervals over
    the pairs. `broken` and `mended`: runs that finished in the first study alone, and in the other alone."""

    first: Side
    other: Side
    pairs: list[Pair]
    only_first: list[Configuration]
    only_other: list[Configuration]
    overall: Interval | None
    seconds: Interval | None
    broken: int
    mended: int

    @property
    def tests(self) -> int:
        """How many intervals there are to be wrong."""
        return sum(pair.p is not None for pair in self.pairs)


@dataclass(frozen=True)
class TaskComparison:
    """All studies on one task, each but the first compared with the first."""

    task: str
    metric: Metric
    sides: list[Side]
    comparisons: list[Comparison]


def compare(frames: Mapping[str, pd.DataFrame]) -> list[TaskComparison]:
    """The studies, by name, on every task that all have. Raises UserError where they cannot be compared."""
    tasks = {name: {str(task) for task in frame["task"].dropna()} for name, frame in frames.items()}
    shared = set.intersection(*tasks.values())
    first, *others = frames
    for name in others:
        if not tasks[first] & tasks[name]:
            raise UserError(
                f"{name}: its task is {_list(tasks[name])}, and that of {first} is {_list(tasks[first])}; "
                "only studies of the same task can be compared"
            )
    if not shared:
        raise UserError(f"{_list({*frames})}: no task is in all of these studies; compare fewer at once")
    return [_on_task(frames, task) for task in sorted(shared)]


def paired_ratio(errors: Sequence[float], reference: Sequence[float], step: float) -> tuple[Interval, float | None]:
    """Ratio of geometric means with the t interval on the difference of logs, and the p value of a ratio of 1.

    errors, reference: shape (seeds,), of the same seeds in the same order. step: as in `mean_interval`; the spread is
    never taken as less than that of rounding both to whole steps. One seed gives neither interval nor p value.
    """
    logs, _ = moments(errors, step)
    other_logs, _ = moments(reference, step)
    differences, n = logs - other_logs, len(logs)
    mean = float(differences.mean())
    if n < 2:
        return Interval(math.exp(mean), None, None, n), None
    rounding = step**2 / 12 * (math.exp(-2 * float(logs.mean())) + math.exp(-2 * float(other_logs.mean())))
    scale = math.sqrt(max(float(differences.var(ddof=1)), rounding) / n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * scale
    p = float(2 * stats.t.sf(abs(mean) / scale, n - 1))
    return Interval(math.exp(mean), math.exp(mean - half), math.exp(mean + half), n), p


def holm(p: Sequence[float], level: float = 1 - LEVEL) -> list[bool]:
    """Which of several p values are below `level` together (Holm 1979): the chance that any of them is so without a
    true difference is at most `level`, however they depend on each other."""
    rejected = [False] * len(p)
    for rank, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] > level / (len(p) - rank):
            break
        rejected[place] = True
    return rejected


def _on_task(frames: Mapping[str, pd.DataFrame], task: str) -> TaskComparison:
    sides = []
    for name, frame in frames.items():
        runs = frame[frame["task"] == task].copy()
        runs.attrs = frame.attrs
        found = configurations(runs)
        sides.append(Side(name, runs, found, front(found)))
    metrics = [metric_of(side.frame) for side in sides]
    for side, metric in zip(sides, metrics, strict=True):
        if metric != metrics[0]:
            raise UserError(
                f"{side.name}: its runs on {task} are measured in {metric.title}, and those of {sides[0].name} in "
                f"{metrics[0].title}; they cannot be compared"
            )
    return TaskComparison(task, metrics[0], sides, [_compare(sides[0], side) for side in sides[1:]])


def _compare(first: Side, other: Side) -> Comparison:
    names = match(first.frame, other.frame)
    step = resolution(first.frame).test
    theirs = {c.name: c for c in other.configurations}
    merged = _runs_of_both(first.frame, other.frame, names)
    pairs = [
        _pair(c, theirs[names[c.name]], merged[merged["configuration"] == c.name], step)
        for c in first.configurations
        if names.get(c.name) in theirs
    ]
    tested = [place for place, pair in enumerate(pairs) if pair.p is not None]
    for place, differs in zip(tested, holm([pairs[place].p or 0.0 for place in tested]), strict=True):
        pairs[place] = replace(pairs[place], differs=differs)
    matched = {pair.other.name for pair in pairs}
    done = merged[["done_first", "done_other"]]
    return Comparison(
        first=first,
        other=other,
        pairs=pairs,
        only_first=[c for c in first.configurations if names.get(c.name) not in matched],
        only_other=[c for c in other.configurations if c.name not in matched],
        overall=_over_pairs([pair.ratio.mean for pair in pairs]),
        seconds=_over_pairs([pair.seconds for pair in pairs if pair.seconds]),
        broken=int((done["done_first"] & ~done["done_other"]).sum()),
        mended=int((done["done_other"] & ~done["done_first"]).sum()),
    )


def _runs_of_both(first: pd.DataFrame, other: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """One row a configuration (its name in `first`) and seed that both have a run of, failed ones included."""
    back = {theirs: mine for mine, theirs in names.items()}
    keys = ["configuration", "seed"]
    mine = first.assign(configuration=first["configuration"].astype(str)).drop_duplicates(keys).set_index(keys)
    theirs = other.assign(configuration=other["configuration"].astype(str).map(back))
    theirs = theirs.dropna(subset=["configuration"]).drop_duplicates(keys).set_index(keys)
    both = mine.index.intersection(theirs.index)
    mine, theirs = mine.loc[both], theirs.loc[both]
    found = pd.DataFrame(index=both)
    for name, frame in (("first", mine), ("other", theirs)):
        found[f"done_{name}"] = frame.index.isin(finished_runs(frame).index)
        found[f"test_{name}"] = frame["test_error"]
        found[f"seconds_{name}"] = frame["seconds"] if "seconds" in frame.columns else np.nan
    found["same"] = same_numbers(mine, theirs)
    return found.reset_index()


def _pair(first: Configuration, other: Configuration, runs: pd.DataFrame, step: float) -> Pair:
    runs = runs[runs["done_first"] & runs["done_other"]]
    same, shared = int(runs["same"].sum()), len(runs)
    if shared > 1:
        ratio, p = paired_ratio(list(runs["test_other"]), list(runs["test_first"]), step)
    else:
        ratio, p = _unpaired(other.test_errors, first.test_errors, step)
    if 0 < same == shared:
        ratio, p = Interval(1.0, None, None, shared), None
    times = runs[(runs["seconds_first"] > 0) & (runs["seconds_other"] > 0)]
    factors = np.log(times["seconds_other"].to_numpy(dtype=float) / times["seconds_first"].to_numpy(dtype=float))
    seconds = math.exp(float(factors.mean())) if len(factors) else None
    return Pair(first, other, shared > 1, ratio, p, shared, same, seconds)


def _unpaired(errors: Sequence[float], reference: Sequence[float], step: float) -> tuple[Interval, float | None]:
    """As `paired_ratio`, of seeds that have nothing to do with each other (Welch)."""
    lower = probability_lower(errors, reference, step)
    return ratio_interval(errors, reference, step), None if lower is None else 2 * min(lower, 1 - lower)


def _over_pairs(ratios: Sequence[float]) -> Interval | None:
    """Each pair counts once. Where all agree, as do the same numbers, there is no spread to speak of."""
    if not ratios:
        return None
    found = mean_interval(ratios, _STEP)
    return Interval(found.mean, None, None, found.n) if len(set(ratios)) == 1 else found


def _list(names: set[str]) -> str:
    return " and ".join(sorted(names)) or "none"
