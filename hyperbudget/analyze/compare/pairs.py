"""Two studies of one task: their configurations in pairs, and what only one of the two has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from hyperbudget.analyze.compare.changes import count_changes, factor, movement, speeds, status_changes, timed
from hyperbudget.analyze.compare.intervals import holm, overall_ratio, paired_ratio, unpaired_ratio
from hyperbudget.analyze.compare.match import match, matched_runs
from hyperbudget.analyze.compare.records import Comparison, Pair, Side
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.intervals import Interval, mean_interval, resolution
from hyperbudget.analyze.throughput import Throughput


def compare_sides(first: Side, other: Side) -> Comparison:
    """What differs between the first study and another one, in what both have and in what only one has."""
    names = match(first.frame, other.frame)
    back = {theirs: mine for mine, theirs in names.items()}
    runs = matched_runs(first.frame, other.frame, names)
    step = resolution(first.frame if first.configurations else other.frame).test
    pairs = _pairs(first, other, names, runs, step)
    costs = [pair.cost for pair in pairs if pair.cost is not None]
    paired = {pair.first.name for pair in pairs}
    held = _paired_runs(runs, {pair.first.name for pair in pairs if not pair.paired and not pair.identical})
    only_first = [c for c in first.configurations if c.name not in paired]
    only_other = [c for c in other.configurations if back.get(c.name) not in paired]
    return Comparison(
        first=first,
        other=other,
        pairs=pairs,
        only_first=only_first,
        only_other=only_other,
        tried={c.name: _ends(runs, c.name, "status_other") for c in only_first if c.name in names}
        | {c.name: _ends(runs, back[c.name], "status_first") for c in only_other if c.name in back},
        barren=(_barren(first, names), _barren(other, back)),
        lone_seeds=(_lone(held, "first", "other"), _lone(held, "other", "first")),
        overall=overall_ratio([(pair.first, pair.other) for pair in pairs], step),
        movement=movement(runs, step),
        time=factor([theirs.seconds / mine.seconds for mine, theirs in costs]),
        speeds=speeds(costs),
        statuses=status_changes(held),
        counts=count_changes(first.frame, other.frame, names),
    )


def _pairs(first: Side, other: Side, names: Mapping[str, str], runs: pd.DataFrame, step: float) -> list[Pair]:
    both = runs[runs["done_first"] & runs["done_other"]]
    keys = list(zip(both["configuration"], both["seed"].astype(int), strict=True))
    theirs = {c.name: c for c in other.configurations}
    mine_took = timed(first.frame, first.configurations, keys)
    they_took = timed(other.frame, other.configurations, [(names[name], seed) for name, seed in keys])
    groups = {str(name): group for name, group in both.groupby("configuration", sort=False)}
    pairs = []
    for c in first.configurations:
        if names.get(c.name) in theirs:
            cost = (mine_took.get(c.name), they_took.get(names[c.name]))
            pairs.append(_pair(c, theirs[names[c.name]], groups.get(c.name, both.iloc[:0]), cost, step))
    tested = [place for place, pair in enumerate(pairs) if pair.p is not None]
    for place, differs in zip(tested, holm([pairs[place].p or 0.0 for place in tested]), strict=True):
        pairs[place] = replace(pairs[place], differs=differs)
    return pairs


def _pair(
    first: Configuration,
    other: Configuration,
    runs: pd.DataFrame,
    cost: tuple[Throughput | None, Throughput | None],
    step: float,
) -> Pair:
    same, shared = int(runs["same"].sum()), len(runs)
    paired = shared > 1 or 0 < same == shared
    errors, reference = (
        (list(runs["test_other"]), list(runs["test_first"])) if paired else (other.test_errors, first.test_errors)
    )
    ratio, p = (paired_ratio if paired else unpaired_ratio)(errors, reference, step)
    if 0 < same == shared:
        ratio, p = Interval(1.0, None, None, shared), None
    tests = (mean_interval(reference, step).mean, mean_interval(errors, step).mean)
    mine, theirs = cost
    known = None if mine is None or theirs is None else (mine, theirs)
    return Pair(first, other, shared > 1, tests, ratio, p, shared, same, known)


def _paired_runs(runs: pd.DataFrame, unpaired: set[str]) -> pd.DataFrame:
    """Without those of `unpaired` configurations that have no counterpart: they are compared nonetheless."""
    alone = runs["status_first"].isna() | runs["status_other"].isna()
    return runs[~(alone & runs["configuration"].isin(unpaired))]


def _ends(runs: pd.DataFrame, name: str, column: str) -> str:
    """How the runs of a configuration ended, such as ``failed``."""
    return ", ".join(sorted({str(end) for end in runs.loc[runs["configuration"] == name, column].dropna()}))


def _barren(side: Side, names: Mapping[str, str]) -> int:
    finished = {c.name for c in side.configurations}
    return sum(name not in finished and name not in names for name in side.frame["configuration"].astype(str).unique())


def _lone(runs: pd.DataFrame, one: str, other: str) -> dict[int, int]:
    alone = runs[runs[f"done_{one}"] & runs[f"status_{other}"].isna()]
    return dict(sorted(Counter(int(seed) for seed in alone["seed"]).items()))
