"""Variants measured in turns: what slows the machine down for a while slows all of them, and their ratios stay honest.

Two times that were measured apart are of two moments of the machine. Here every variant has a turn in every round, a
ratio is one of two times of the same round, and only then the median is taken, over the rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Step = Callable[[], object]
"""Does what is measured once."""

STEPS, WARMUP = 3, 3
"""Steps of one turn, and of each variant before the first round."""


class Spread(NamedTuple):
    """The quartiles of some numbers, linear between neighbours as NumPy's."""

    q1: float
    median: float
    q3: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The quartiles of `values`: one number or more."""
        return cls(*np.quantile(list(values), (0.25, 0.5, 0.75)).tolist())


@dataclass(frozen=True)
class Rounds:
    """What was measured. `seconds`: seconds a step for each variant, one number a round."""

    seconds: dict[str, list[float]]

    def time(self, variant: str) -> Spread:
        """Seconds a step."""
        return Spread.of(self.seconds[variant])

    def ratio(self, variant: str, baseline: str) -> Spread:
        """Time of `variant` / time of `baseline`, taken within each round."""
        pairs = zip(self.seconds[variant], self.seconds[baseline], strict=True)
        return Spread.of(ours / theirs for ours, theirs in pairs)


def measure(
    variants: Mapping[str, Step],
    *,
    repetitions: int,
    steps: int = STEPS,
    warmup: int = WARMUP,
    wait: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Rounds:
    """Warm every variant up, then give each one a turn of `steps` steps in each of `repetitions` rounds.

    Each round begins one variant later than the round before, so that drift within rounds hits all alike. `wait`
    returns when the device has done all that it was given; `clock` is in seconds.
    """
    for step in variants.values():
        for _ in range(warmup):
            step()
    names = list(variants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repetitions):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            wait()
            began = clock()
            for _ in range(steps):
                variants[name]()
            wait()
            seconds[name].append((clock() - began) / steps)
    return Rounds(seconds)
