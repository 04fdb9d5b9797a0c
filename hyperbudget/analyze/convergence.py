"""Has the search converged: the hypervolume of the front over the configurations tried."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.fronts import front

FEWEST = 8
"""Of fewer configurations nothing is said."""
ORDERS, SEED = 100, 1609
_MARGIN = 0.1
"""Of the range on either axis, by which the reference point lies beyond the front, so that its ends count: Ishibuchi
et al. (2018), How to specify a reference point in hypervolume calculation."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Convergence:
    """Hypervolumes as shares of the final one, after the first, second, ... configuration: shape (configurations,).

    `tried`: in the order of the trials. `low`, `middle`, `high`: the 10%, 50% and 90% quantiles over random orders.
    """

    tried: NDArray[np.float64]
    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def last(self) -> int:
        """How many configurations the last quarter has."""
        return len(self.tried) // 4

    @property
    def settled(self) -> bool:
        """Whether leaving out as many as the last quarter, at random, costs next to nothing."""
        before = -self.last - 1
        return bool(self.middle[before] >= 0.99 and self.low[before] >= 0.95)


def convergence(frame: pd.DataFrame, configurations: Sequence[Configuration]) -> Convergence | None:
    """Of the front of validation error and parameters, both on log scales.

    None for fewer than `FEWEST` configurations, where the trials have no numbers, or where nothing could be gained.
    """
    if len(configurations) < FEWEST or "trial" not in frame.columns:
        return None
    numbers = frame.groupby("configuration")["trial"].min()
    trials = [numbers[c.name] for c in configurations]
    if any(pd.isna(trial) for trial in trials) or len(set(trials)) < len(trials):
        return None
    points = [(math.log(c.parameters), math.log(c.validation.mean)) for c in configurations]
    reference = _reference(configurations)
    final = hypervolume(points, reference)
    if final <= 0:
        return None
    order = np.argsort(np.asarray(trials, dtype=float), kind="stable")
    random = np.random.default_rng(SEED)
    tried = np.array(growth([points[i] for i in order], reference)) / final
    others = [growth([points[i] for i in random.permutation(len(points))], reference) for _ in range(ORDERS)]
    low, middle, high = np.quantile(np.array(others) / final, [0.1, 0.5, 0.9], axis=0)
    return Convergence(tried, low, middle, high)


def convergence_sentence(found: Convergence | None) -> list[str]:
    """What the last quarter of the configurations brought."""
    if found is None:
        return []
    last, before = found.last, -found.last - 1
    return [
        f"Without the last {last} of {len(found.tried)} configurations the front has {found.tried[before]:.2f} of its "
        f"hypervolume, without {last} at random {found.middle[before]:.2f} (median; in one order of ten at most "
        f"{found.low[before]:.2f}): {'it hardly grew any more' if found.settled else 'it was still growing'}."
    ]


def hypervolume(points: Iterable[Point], reference: Point) -> float:
    """The area between `reference` and the points (x, y) that are below it on both axes; less is better on both."""
    return (growth(list(points), reference) or [0.0])[-1]


def growth(points: Sequence[Point], reference: Point) -> list[float]:
    """The hypervolume after each of `points`."""
    corners: list[Point] = []  # of the front so far: x rises, y falls
    volumes, volume = [], 0.0
    for x, y in points:
        place = bisect_left(corners, (x, y))
        ceiling = corners[place - 1][1] if place else reference[1]
        if x < reference[0] and y < min(ceiling, reference[1]):
            left = x
            while place < len(corners) and corners[place][1] >= y:
                right, height = corners.pop(place)
                volume += (right - left) * (ceiling - y)
                left, ceiling = right, height
            right = corners[place][0] if place < len(corners) else reference[0]
            volume += (right - left) * (ceiling - y)
            corners.insert(place, (x, y))
        volumes.append(volume)
    return volumes


def _reference(configurations: Sequence[Configuration]) -> Point:
    """Beyond the most parameters of all and the highest error on the front of all, in logs."""
    counts = [math.log(c.parameters) for c in configurations]
    errors = [math.log(c.validation.mean) for c in front(configurations)]
    width, height = max(counts) - min(counts), max(errors) - min(errors)
    return max(counts) + _MARGIN * (width or 1.0), max(errors) + _MARGIN * (height or 1.0)
