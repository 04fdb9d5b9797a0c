"""The exchange rate: what a doubling of the learnable parameters buys along a family's front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.draws import Draws
from hyperbudget.analyze.intervals import LEVEL, Interval

SPAN = math.sqrt(2)
"""A front that covers a smaller factor of parameters says nothing of a doubling."""


@dataclass(frozen=True)
class ExchangeRate:
    """`factor`: what a doubling multiplies the test error by, along the least-squares line through the front's log
    errors over log parameters, with its 95% interval. `off`: the largest factor between a configuration and that line;
    None for two, which are always on it."""

    family: str
    members: tuple[Configuration, ...]
    factor: Interval
    off: float | None


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
        logs = np.log([c.test.mean for c in members])
        weights = (doublings - doublings.mean()) / ((doublings - doublings.mean()) ** 2).sum()
        slope = float(weights @ logs)
        low = high = None
        if draws is not None:
            slopes = weights @ np.stack([draws.logs[c.name] for c in members])
            tail = (1 - LEVEL) / 2
            low, high = (math.exp(end) for end in np.quantile(slopes, [tail, 1 - tail]))
        rest = logs - logs.mean() - slope * (doublings - doublings.mean())
        off = math.exp(float(np.abs(rest).max())) if len(members) > 2 else None
        factor = Interval(math.exp(slope), low, high, min(c.n for c in members))
        found.append(ExchangeRate(family, tuple(members), factor, off))
    return found
