"""The exchange rate: what a doubling of the learnable parameters buys, along a family's front and along each axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyperbudget.analyze.axes import Effect
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.draws import Draws
from hyperbudget.analyze.intervals import TAILS, Interval

SPAN = math.sqrt(2)
"""A front or an axis that covers a smaller factor of parameters says nothing of a doubling."""


@dataclass(frozen=True)
class ExchangeRate:
    """`factor`: what a doubling multiplies the test error by, along the least-squares line through the front's log
    errors over log parameters, with its 95% interval. `off`: the largest factor between a configuration and that line;
    None for two, which are always on it."""

    family: str
    members: tuple[Configuration, ...]
    factor: Interval
    off: float | None


@dataclass(frozen=True)
class AxisRate:
    """The same along one axis alone: parallel least-squares lines, one for each of the `lines` settings of the other
    axes. `n`: configurations on them."""

    axis: str
    family: str
    factor: Interval
    lines: int
    n: int


def exchange_rates(fronts: Mapping[str, Sequence[Configuration]], draws: Draws | None) -> list[ExchangeRate]:
    """Of every family whose front has two configurations and covers at least `SPAN`.

    draws: of the test error. The interval is that of the line through the configurations' true means: it knows the
    spread of the seeds, and not that a line may be wrong, which `off` shows. Without draws there is none.
    """
    found = []
    for family, members in fronts.items():
        if len(members) < 2 or members[-1].parameters < SPAN * members[0].parameters:
            continue
        doublings = np.log2([c.parameters for c in members])
        weights = _weights([doublings])
        logs = np.log([c.test.mean for c in members])
        rest = logs - logs.mean() - float(weights @ logs) * (doublings - doublings.mean())
        off = math.exp(float(np.abs(rest).max())) if len(members) > 2 else None
        found.append(ExchangeRate(family, tuple(members), _factor(weights, members, draws), off))
    return found


def axis_rates(effects: Sequence[Effect], draws: Draws | None) -> list[AxisRate]:
    """Of every axis of numbers that changes the parameters by at least `SPAN` in some setting of the others.

    draws: of the test error; without them there is no interval.
    """
    found = []
    for effect in effects:
        if not effect.numeric:
            continue
        lines = [[c for _, c in line.points] for line in effect.lines]
        doublings = [np.log2([c.parameters for c in members]) for members in lines]
        spans = [float(each.max() - each.min()) for each in doublings]
        if max(spans, default=0.0) < math.log2(SPAN):
            continue
        members = [c for line in lines for c in line]
        factor = _factor(_weights(doublings), members, draws)
        found.append(AxisRate(effect.axis.name, effect.family, factor, len(lines), len(members)))
    return found


def _weights(doublings: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """What log errors are to be multiplied by for the common slope of lines over `doublings`, one array a line."""
    centred = np.concatenate([each - each.mean() for each in doublings])
    return np.asarray(centred / (centred**2).sum(), dtype=np.float64)


def _factor(weights: NDArray[np.float64], members: Sequence[Configuration], draws: Draws | None) -> Interval:
    slope = float(weights @ np.log([c.test.mean for c in members]))
    low = high = None
    if draws is not None:
        slopes = weights @ np.stack([draws.logs[c.name] for c in members])
        low, high = (math.exp(end) for end in np.quantile(slopes, TAILS))
    return Interval(math.exp(slope), low, high, min(c.n for c in members))
