"""At equal quality: how many learnable parameters each family needs for an error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.draws import Draws
from hyperbudget.analyze.intervals import TAILS, Interval

_SERIES = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
_WIDE = 4.0
"""Ratios of errors from here on are cut in a series, smaller ones in even steps."""
_ENOUGH = 0.5
"""The least share of draws from which a ratio's interval is taken."""


@dataclass(frozen=True)
class TargetEntry:
    """A family at a target, on the validation split.

    `configuration`: the smallest on the family's front whose mean reaches the target, None where none does. `reached`:
    the share of draws in which any on the front does; None where one seed gives no draws. `ratio`: its parameters over
    those that the baseline needs, with the interval of the draws in which both reach the target, if that is at least
    half of them.
    """

    target: float
    family: str
    configuration: Configuration | None
    reached: float | None
    ratio: Interval | None


def choose_targets(fronts: Mapping[str, Sequence[Configuration]], most: int = 5) -> list[float]:
    """Round errors between the worst and the best on the families' fronts, from the worst on; at least three where
    there are as many, at most `most`. Empty where every front is a single configuration."""
    if not any(len(members) > 1 for members in fronts.values()):
        return []
    errors = [c.validation.mean for members in fronts.values() for c in members]
    low, high = min(errors), max(errors)
    if low <= 0 or high / low < 1 + 1e-6:
        return []
    found: list[float] = []
    for values in _series(low, high) if high / low >= _WIDE else _steps(low, high):
        if len(found) < 3:
            found = [value for value in values if low <= value < high]
    if len(found) > most:
        found = [found[round(i * (len(found) - 1) / (most - 1))] for i in range(most)]
    return sorted(found, reverse=True)


def equal_quality(
    fronts: Mapping[str, Sequence[Configuration]],
    targets: Iterable[float],
    baseline: str | None,
    draws: Draws | None,
) -> list[TargetEntry]:
    """Every family at every target, the baseline first. draws: of the validation error."""
    order = sorted(fronts, key=lambda family: (family != baseline, family))
    entries = []
    for target in targets:
        reference = _smallest(fronts.get(baseline, ()) if baseline else (), target)
        needed = {family: _needed(fronts[family], target, draws) for family in order} if draws else {}
        for family in order:
            configuration = _smallest(fronts[family], target)
            ratio = None
            if configuration and reference and family != baseline:
                ratio = _ratio(configuration, reference, needed.get(family), needed.get(baseline or ""))
            reached = float(np.isfinite(needed[family]).mean()) if family in needed else None
            entries.append(TargetEntry(target, family, configuration, reached, ratio))
    return entries


def _smallest(members: Iterable[Configuration], target: float) -> Configuration | None:
    return next((c for c in members if c.validation.mean <= target), None)


def _needed(members: Sequence[Configuration], target: float, draws: Draws) -> NDArray[np.float64]:
    """The fewest parameters that reach `target`, shape (draws,); infinity where none do."""
    needed = np.asarray(np.inf)
    for configuration in members:
        reaches = draws.logs[configuration.name] <= math.log(target)
        needed = np.minimum(needed, np.where(reaches, float(configuration.parameters), np.inf))
    return needed


def _ratio(
    ours: Configuration,
    theirs: Configuration,
    needed: NDArray[np.float64] | None,
    reference: NDArray[np.float64] | None,
) -> Interval:
    low = high = None
    if needed is not None and reference is not None:
        both = np.isfinite(needed) & np.isfinite(reference)
        if both.mean() >= _ENOUGH:
            ratios = needed[both] / reference[both]
            low, high = (float(end) for end in np.quantile(ratios, TAILS, method="nearest"))
    return Interval(ours.parameters / theirs.parameters, low, high, min(ours.n, theirs.n))


def _series(low: float, high: float) -> Iterable[list[float]]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for series in _SERIES:
        yield [float(f"{step}e{decade}") for decade in decades for step in series]


def _steps(low: float, high: float) -> Iterable[list[float]]:
    first = math.floor(math.log10(high - low)) + 1
    for power in (first, first - 1, first - 2):
        for digit in (5, 2, 1):
            unit = float(f"{digit}e{power}")
            numbers = range(math.floor(low / unit), math.ceil(high / unit) + 1)
            yield [float(f"{number * digit}e{power}") for number in numbers]
