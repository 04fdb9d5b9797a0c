"""Draws of what a configuration's mean over seeds may be, its spread taken from all configurations together.

Three seeds say little of their own spread, and many configurations say together how far seeds spread. How much one
may borrow of the others is seen from how much their variances differ: Smyth (2004), Linear models and empirical Bayes
methods for assessing differential expression in microarray experiments, section 6.2, which genomics uses for its two or
three samples. Where all are alike the spread is that of all, where they differ widely each keeps its own. As a few
configurations cannot show that they are alike, no more degrees of freedom are borrowed than there are others. With
three seeds the central 95% of such draws hold the true mean in 93 to 95% of cases, from two configurations to thirty,
whether their spreads are alike or not; a percentile bootstrap of three in 73%.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.intervals import moments

DRAWS = 4000
"""The standard error of a share of them is at most 0.008."""
SEED = 1609


@dataclass(frozen=True)
class Spread:
    """What the variances of log errors over seeds say together: each is known beforehand to be about `variance`, as if
    from `freedom` degrees of freedom. `pooled`: all degrees of freedom that were seen."""

    variance: float
    freedom: float
    pooled: int

    def moderated(self, variance: float | None, n: int) -> tuple[float, float]:
        """A configuration's variance and its degrees of freedom, of its own `n` seeds and all others'.

        variance: its own, None for one seed.
        """
        own = 0 if variance is None else n - 1
        mixed = (self.freedom * self.variance + own * (variance or 0.0)) / (self.freedom + own)
        return mixed, min(self.freedom + own, float(self.pooled))


@dataclass(frozen=True)
class Draws:
    """`logs`: by a configuration's name draws of its mean log error, shape (draws,)."""

    logs: Mapping[str, NDArray[np.float64]]
    spread: Spread


def spread_of(variances: Sequence[float], sizes: Sequence[int]) -> Spread | None:
    """The common spread of configurations with at least two seeds each; None for none.

    variances, sizes: shape (configurations,), all above 0 and all above 1. One variance alone stands for all.
    """
    if not variances:
        return None
    freedoms = np.asarray(sizes, dtype=np.float64) - 1
    pooled = int(freedoms.sum())
    logs = np.log(variances) - special.digamma(freedoms / 2) + np.log(freedoms / 2)
    excess = 0.0 if len(logs) < 2 else float(logs.var(ddof=1) - special.polygamma(1, freedoms / 2).mean())
    half, most = _inverse_trigamma(excess), max(1.0, len(logs) - 1.0)
    if math.isinf(half):
        return Spread(float(np.average(variances, weights=freedoms)), most, pooled)
    variance = math.exp(logs.mean() + special.digamma(half) - math.log(half))
    return Spread(variance, min(2 * half, most), pooled)


def draw_means(
    configurations: Sequence[Configuration],
    split: Literal["validation", "test"],
    step: float,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Draws | None:
    """Draws from the Student t distribution of every configuration's mean log error, the same for the same data.

    step: the smallest one of an error, as of `hyperbudget.analyze.intervals.mean_interval`; no variance is taken as
    less than that of rounding to it. None where no configuration has two seeds.
    """
    found = [moments(c.validation_errors if split == "validation" else c.test_errors, step) for c in configurations]
    known = [(variance, len(logs)) for logs, variance in found if variance is not None and variance > 0]
    spread = spread_of([variance for variance, _ in known], [n for _, n in known])
    if spread is None:
        return None
    random = np.random.default_rng(seed)
    made = {}
    for configuration, (logs, own) in zip(configurations, found, strict=True):
        mean = float(logs.mean())
        variance, freedom = spread.moderated(own, len(logs))
        variance = max(variance, (step / math.sqrt(12) / math.exp(mean)) ** 2)
        noise = random.standard_t(freedom, draws)
        made[configuration.name] = mean + math.sqrt(variance / len(logs)) * noise
    return Draws(made, spread)


def _inverse_trigamma(value: float) -> float:
    """Where the trigamma function has `value`; infinity where that is not above 0."""
    low, high = -18.0, 12.0
    if value <= special.polygamma(1, math.exp(high)):
        return math.inf
    if value >= special.polygamma(1, math.exp(low)):
        return math.exp(low)
    return math.exp(optimize.brentq(lambda log: float(special.polygamma(1, math.exp(log))) - value, low, high))
