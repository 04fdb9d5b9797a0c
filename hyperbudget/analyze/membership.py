"""How sure is the front: for each configuration the probability of being on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.draws import Draws
from hyperbudget.analyze.fronts import front

NEAR = 0.05
"""The least probability of a configuration that is near the front."""
SURE = 0.9


@dataclass(frozen=True)
class Member:
    """A configuration on the front or near it. `probability`: the share of draws in which it is on the front."""

    configuration: Configuration
    probability: float
    on_front: bool


def front_probabilities(configurations: Sequence[Configuration], draws: Draws) -> dict[str, float]:
    """By a configuration's name the share of `draws` in which it is on the front of all.

    On it is who has a lower error than everyone with fewer parameters and the lowest of those with as many, as in
    `hyperbudget.analyze.fronts.front`.
    """
    best, found = np.asarray(np.inf), dict[str, float]()
    for _, group in groupby(sorted(configurations, key=lambda c: c.parameters), key=lambda c: c.parameters):
        names = [c.name for c in group]
        logs = np.stack([draws.logs[name] for name in names])
        lowest = logs.min(axis=0)
        won = (logs == lowest) & (lowest < best)
        found |= dict(zip(names, won.mean(axis=1).tolist(), strict=True))
        best = np.minimum(best, lowest)
    return found


def members(configurations: Sequence[Configuration], probabilities: Mapping[str, float]) -> list[Member]:
    """Those on the front and those near it, from few parameters to many. probabilities: of `front_probabilities`."""
    chosen = {c.name for c in front(configurations)}
    found = [Member(c, probabilities[c.name], c.name in chosen) for c in configurations]
    return [member for member in found if member.on_front or member.probability >= NEAR]
