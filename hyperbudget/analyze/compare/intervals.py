"""Ratios of two studies' errors: of one configuration over its seeds, and of many configurations as a whole.

What a seed shifts in one configuration it may shift in all: the data split, their order, the first weights. Seeds that
configurations share are therefore the observations of the whole, not the configurations. In simulations of 3 and 5
seeds with 10 to 60 configurations the interval over seeds holds the true ratio in 94 to 99% of cases, whatever part of
the spread the configurations share; one that takes configurations as independent in 95% where they share nothing, and
in 26 to 60% where a seed's shift of all is as large as a run's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.intervals import LEVEL, Interval, moments, probability_lower, ratio_interval, t_interval


@dataclass(frozen=True)
class Overall:
    """The ratio over the configurations that two studies have, each counted once.

    `ratio`: geometric mean with its interval over seeds, which takes the mean of all configurations with a seed as one
    observation, or with `apart`, where that is wider: the interval if seeds shifted each configuration by itself.
    `configurations`: how many those are that have all of `seeds` in both studies, where seeds are `paired`; else all of
    `seeds` in the first and all of `other_seeds` in the other. Without two such seeds there is no interval, and
    `configurations` are all.
    """

    ratio: Interval
    configurations: int
    paired: bool
    seeds: tuple[int, ...]
    other_seeds: tuple[int, ...]
    apart: Interval | None


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
    p = float(2 * stats.t.sf(abs(mean) / scale, n - 1))
    return t_interval(mean, scale, n - 1, n), p


def unpaired_ratio(errors: Sequence[float], reference: Sequence[float], step: float) -> tuple[Interval, float | None]:
    """As `paired_ratio`, of seeds that have nothing to do with each other (Welch)."""
    lower = probability_lower(errors, reference, step)
    return ratio_interval(errors, reference, step), None if lower is None else 2 * min(lower, 1 - lower)


def holm(p: Sequence[float], level: float = 1 - LEVEL) -> list[bool]:
    """Which of several p values are below `level` together (Holm 1979): the chance that any of them is so without a
    true difference is at most `level`, however they depend on each other."""
    rejected = [False] * len(p)
    for rank, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] > level / (len(p) - rank):
            break
        rejected[place] = True
    return rejected


def overall_ratio(pairs: Sequence[tuple[Configuration, Configuration]], step: float) -> Overall | None:
    """The ratio of the other study to the first over all `pairs` of (first, other); None for none.

    Over the seeds that both studies have if these are two or more in any configuration, else over those of each
    (Welch). step: the smallest one of an error, as in `mean_interval`.
    """
    if not pairs:
        return None
    first, first_seeds = _table([c for c, _ in pairs], step)
    other, other_seeds = _table([c for _, c in pairs], step)
    both = [seed for seed in first_seeds if seed in other_seeds]
    mine = first[:, [first_seeds.index(seed) for seed in both]]
    theirs = other[:, [other_seeds.index(seed) for seed in both]]
    rows, columns = block(~np.isnan(mine) & ~np.isnan(theirs))
    if len(columns) > 1:
        mine, theirs = mine[np.ix_(rows, columns)], theirs[np.ix_(rows, columns)]
        seeds = tuple(both[column] for column in columns)
        ratio, _ = paired_ratio(_means(theirs), _means(mine), step / math.sqrt(len(rows)))
        apart = _apart(theirs - mine)
        return Overall(_wider(ratio, apart), len(rows), True, seeds, seeds, apart)
    rows, columns = block(~np.isnan(first))
    their_rows, their_columns = block(~np.isnan(other[rows]))
    rows = rows[their_rows]
    if len(columns) > 1 and len(their_columns) > 1:
        mine, theirs = first[np.ix_(rows, columns)], other[np.ix_(rows, their_columns)]
        ratio, _ = unpaired_ratio(_means(theirs), _means(mine), step / math.sqrt(len(rows)))
        seeds = tuple(first_seeds[column] for column in columns)
        return Overall(ratio, len(rows), False, seeds, tuple(other_seeds[column] for column in their_columns), None)
    mean = float(np.mean(np.nanmean(other, axis=1) - np.nanmean(first, axis=1)))
    return Overall(
        Interval(math.exp(mean), None, None, 1), len(pairs), bool(both), tuple(first_seeds), tuple(other_seeds), None
    )


def block(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(rows, columns) of the complete part of a table that says most: with the narrowest interval to be expected over
    its columns if rows were independent. known: shape (configurations, seeds). Seeds that most have come first."""
    order = np.argsort(-known.sum(axis=0), kind="stable")
    best, narrowest = (np.arange(len(known)), np.arange(0)), math.inf
    for n in range(2, known.shape[1] + 1):
        rows = np.flatnonzero(known[:, order[:n]].all(axis=1))
        if len(rows):
            width = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) / math.sqrt(n * len(rows))
            if width < narrowest:
                best, narrowest = (rows, np.sort(order[:n])), width
    return best


def _table(configurations: Sequence[Configuration], step: float) -> tuple[NDArray[np.float64], list[int]]:
    """Log test errors, shape (configurations, seeds), nan where there is no run; and the seeds."""
    seeds = sorted({seed for c in configurations for seed in c.seeds})
    found = np.full((len(configurations), len(seeds)), np.nan)
    for row, configuration in enumerate(configurations):
        logs, _ = moments(configuration.test_errors, step)
        found[row, [seeds.index(seed) for seed in configuration.seeds]] = logs
    return found, seeds


def _means(logs: NDArray[np.float64]) -> list[float]:
    """For each seed the geometric mean over the configurations."""
    return [float(value) for value in np.exp(logs.mean(axis=0))]


def _apart(differences: NDArray[np.float64]) -> Interval | None:
    """The interval if the differences of one configuration had nothing to do with those of another; None for one
    configuration, and where no configuration's differences are spread."""
    configurations, seeds = differences.shape
    variance = float(differences.var(axis=1, ddof=1).mean())
    if configurations < 2 or variance == 0:
        return None
    scale = math.sqrt(variance / (configurations * seeds))
    return t_interval(float(differences.mean()), scale, configurations * (seeds - 1), seeds)


def _wider(one: Interval, other: Interval | None) -> Interval:
    """Means of a few seeds may agree by chance, closer than the runs' own spread lets them."""
    if one.high is None or other is None or other.high is None:
        return one
    return one if one.high >= other.high else other
