"""What a budget buys, and how sure that is: a family's attainment over draws of its configurations' means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.draws import SEED, Draws, draw_means
from hyperbudget.analyze.intervals import TAILS, Resolution

SAME = 1e-3
"""Steps that change all logs by less are left out."""


@dataclass(frozen=True)
class Attainment:
    """Within a budget of `parameters` or more, up to the next: the median test error of what validation selects, and
    where it lies in 95% of draws. All of shape (steps,)."""

    parameters: NDArray[np.float64]
    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]


def attainments(configurations: Sequence[Configuration], steps: Resolution) -> dict[str, Attainment]:
    """Of every family, by its name; empty where no configuration has two seeds."""
    validation = draw_means(configurations, "validation", steps.validation)
    test = draw_means(configurations, "test", steps.test, seed=SEED + 1)
    if validation is None or test is None:
        return {}
    families = sorted({c.family for c in configurations})
    return {f: attainment([c for c in configurations if c.family == f], validation, test) for f in families}


def attainment(members: Sequence[Configuration], validation: Draws, test: Draws) -> Attainment:
    """Of the configurations of one family, at least one.

    In every draw the one with the lowest validation error within the budget is selected, and its test error counts: so
    a lucky validation error buys nothing. The draws of the two splits must not share their random numbers.
    """
    ordered = sorted(members, key=lambda c: c.parameters)
    lowest, reached = np.asarray(np.inf), np.asarray(np.nan)
    counts, quantiles = [], []
    for place, configuration in enumerate(ordered):
        mine = validation.logs[configuration.name]
        reached = np.where(mine < lowest, test.logs[configuration.name], reached)
        lowest = np.minimum(lowest, mine)
        following = ordered[place + 1].parameters if place + 1 < len(ordered) else None
        if configuration.parameters != following:
            counts.append(configuration.parameters)
            quantiles.append(np.quantile(reached, [TAILS[0], 0.5, TAILS[1]]))
    found = np.array(quantiles)
    kept = np.append(True, np.abs(np.diff(found, axis=0)).max(axis=1) > SAME)
    low, middle, high = np.exp(found[kept]).T
    return Attainment(np.array(counts, dtype=np.float64)[kept], low, middle, high)
