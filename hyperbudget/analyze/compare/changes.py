"""What else changed in what two studies both have: how runs ended, parameter counts, time, single runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.throughput import Throughput, throughputs

ABSENT = "no run"


@dataclass(frozen=True)
class StatusChange:
    """Runs of one configuration that ended otherwise in the other study, or are in one of the two only.

    `before`, `after`: ``finished``, ``failed``, ``pruned`` or `ABSENT`. `reason`: why they did not finish, its first
    line; empty where none is known.
    """

    family: str
    label: str
    seeds: tuple[int, ...]
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class CountChange:
    """A configuration with other parameter counts. `groups`: those that changed, to (first, other)."""

    family: str
    label: str
    learnable: tuple[int, int]
    groups: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Factor:
    """A ratio over configurations: the geometric mean, the lowest and the highest."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Speed:
    """A family's training in both studies, geometric means over the `configurations` of one.

    `step`: seconds a training step, evaluations included; `samples`: images, or characters of a text, a second; None
    where they are not known. `ratio`: of the times.
    """

    family: str
    configurations: int
    step: tuple[float, float] | None
    samples: tuple[float, float] | None
    ratio: Factor


@dataclass(frozen=True)
class Movement:
    """By how much the test error changed in the single runs whose numbers are not the same.

    `equal`: how many of these `runs` have the same test error nonetheless. `median`, `largest`: factors of at least 1,
    up or down, of the others; None where there are none.
    """

    runs: int
    equal: int
    median: float | None
    largest: float | None


def status_changes(runs: pd.DataFrame) -> list[StatusChange]:
    """The gravest first. runs: as `hyperbudget.analyze.compare.match.matched_runs` makes them."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for row in runs.to_dict("records"):
        before, after = (ABSENT if pd.isna(row[name]) else str(row[name]) for name in ("status_first", "status_other"))
        if before == after:
            continue
        reason = row["reason_first"] if after == "finished" else row["reason_other"]
        line = next(iter(reason.strip().splitlines()), "") if isinstance(reason, str) else ""
        key = (str(row["configuration"]), str(row["family"]), str(row["label"]), before, after, line)
        groups.setdefault(key, []).append(int(row["seed"]))
    found = [StatusChange(key[1], key[2], tuple(sorted(seeds)), *key[3:]) for key, seeds in groups.items()]
    return sorted(found, key=lambda change: _GRAVITY.get((change.before, change.after), 3))


def count_changes(first: pd.DataFrame, other: pd.DataFrame, names: Mapping[str, str]) -> list[CountChange]:
    """Of the configurations that both have, `names` in the first -> in the other, those counted otherwise."""
    columns = [c for c in first.columns if c.startswith("params.") and c in other.columns]
    wanted = ["configuration", "label", "model.family", *columns]
    theirs = {
        str(row["configuration"]): row for row in other[wanted].drop_duplicates("configuration").to_dict("records")
    }
    found = []
    for row in first[wanted].drop_duplicates("configuration").to_dict("records"):
        name = str(row["configuration"])
        if name not in names:
            continue
        their = theirs[names[name]]
        changed = {
            str(column): (int(row[column]), int(their[column]))
            for column in columns
            if pd.notna(row[column]) and pd.notna(their[column]) and row[column] != their[column]
        }
        if changed:
            same = int(row["params.learnable"])
            learnable = changed.pop("params.learnable", (same, same))
            groups = {column.removeprefix("params."): ends for column, ends in changed.items()}
            found.append(CountChange(str(row["model.family"]), str(row["label"]), learnable, groups))
    return found


def timed(
    frame: pd.DataFrame, configurations: Sequence[Configuration], runs: Iterable[tuple[str, int]]
) -> dict[str, Throughput]:
    """What `configurations` cost in the given `runs` of `frame`, (configuration, seed); by the configuration's name."""
    wanted = set(runs)
    keys = zip(frame["configuration"].astype(str), frame["seed"].astype(int), strict=True)
    return {
        found.configuration.name: found for found in throughputs(frame[[k in wanted for k in keys]], configurations)
    }


def factor(ratios: Sequence[float]) -> Factor | None:
    """None for none."""
    return Factor(_mean(ratios), min(ratios), max(ratios)) if ratios else None


def speeds(pairs: Iterable[tuple[Throughput, Throughput]]) -> list[Speed]:
    """One a family. pairs: of the same configuration in the first study and in the other."""
    families: dict[str, list[tuple[Throughput, Throughput]]] = {}
    for pair in pairs:
        families.setdefault(pair[0].configuration.family, []).append(pair)
    found = []
    for family, members in families.items():
        ratio = factor([other.seconds / first.seconds for first, other in members])
        assert ratio is not None
        step = _ends([(_step(first), _step(other)) for first, other in members])
        samples = _ends([(first.samples, other.samples) for first, other in members])
        found.append(Speed(family, len(members), step, samples, ratio))
    return found


def movement(runs: pd.DataFrame, step: float) -> Movement:
    """Of the runs that finished in both studies. runs: as `hyperbudget.analyze.compare.match.matched_runs` makes them;
    step: the smallest one of an error, which counts as half of one where it is 0."""
    other = runs[runs["done_first"] & runs["done_other"] & ~runs["same"]]
    moved = other.loc[other["test_first"] != other["test_other"], ["test_first", "test_other"]]
    ends = np.maximum(moved.to_numpy(dtype=float), step / 2)
    factors = ends.max(axis=1) / ends.min(axis=1)
    median, largest = (float(np.median(factors)), float(factors.max())) if len(factors) else (None, None)
    return Movement(len(other), len(other) - len(moved), median, largest)


_GRAVITY = {
    ("finished", "failed"): 0, ("failed", "finished"): 1, ("finished", ABSENT): 4, (ABSENT, "finished"): 5,
    ("failed", ABSENT): 6, (ABSENT, "failed"): 6, ("pruned", ABSENT): 6, (ABSENT, "pruned"): 6,
}  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))


def _step(found: Throughput) -> float | None:
    steps = found.configuration.fields.get("training.steps")
    return found.seconds / steps if steps else None


def _ends(values: Sequence[tuple[float | None, float | None]]) -> tuple[float, float] | None:
    """The means of the first and of the second values, where all are known."""
    known = [(first, other) for first, other in values if first is not None and other is not None]
    if len(known) < len(values):
        return None
    return _mean([first for first, _ in known]), _mean([other for _, other in known])
