"""Intervals for errors over seeds: Student's t on the logarithm of the error.

Errors are compared by ratio and their spread grows with their size, so both live on the log scale; the mean that goes
with such an interval is the geometric one. The ratio of bits per character is that of the sizes of two compressed
texts. A percentile bootstrap of 3 to 5 seeds covers far less than its 95%.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from hyperbudget.data.tasks import TASKS
from hyperbudget.study.results.frame import metric_of

LEVEL = 0.95
TAILS = ((1 - LEVEL) / 2, 1 - (1 - LEVEL) / 2)
"""The quantiles of draws between which `LEVEL` of them lie."""


@dataclass(frozen=True)
class Interval:
    """A mean and its 95% interval. `low` and `high` are None where one value says nothing of the spread."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Resolution:
    """The smallest step of a measured error: for a share of samples, one of the split."""

    validation: float
    test: float


def mean_interval(errors: Sequence[float], step: float, level: float = LEVEL) -> Interval:
    """Geometric mean of `errors` and its t interval on log error.

    errors: shape (seeds,). step: the smallest one, such as one sample of the split as a share. An error of 0 counts as
    half a step. The standard deviation is never taken as less than that of rounding to whole steps, step / sqrt(12),
    so that seeds which agree by chance do not claim certainty.
    """
    logs, variance = moments(errors, step)
    n = len(logs)
    mean = float(logs.mean())
    if variance is None:
        return Interval(math.exp(mean), None, None, n)
    return t_interval(mean, math.sqrt(variance / n), n - 1, n, level)


def t_interval(mean: float, scale: float, freedom: float, n: int, level: float = LEVEL) -> Interval:
    """Student's t interval of a mean of logs with the standard error `scale`, as errors or ratios; `n` is kept."""
    half = float(stats.t.ppf(0.5 + level / 2, freedom)) * scale
    return Interval(math.exp(mean), math.exp(mean - half), math.exp(mean + half), n)


def ratio_interval(errors: Sequence[float], reference: Sequence[float], step: float, level: float = LEVEL) -> Interval:
    """Ratio of the mean of `errors` to the mean of `reference`, with Welch's t interval on the log scale.

    errors, reference: shapes (seeds,) and (other seeds,). Without two seeds on either side there is no interval.
    """
    difference, scale, freedom = _welch(errors, reference, step)
    n = min(len(errors), len(reference))
    if scale is None:
        return Interval(math.exp(difference), None, None, n)
    return t_interval(difference, scale, freedom, n, level)


def probability_lower(errors: Sequence[float], reference: Sequence[float], step: float) -> float | None:
    """The probability that the mean of `errors` is below that of `reference`: the share of the t distribution behind
    `ratio_interval` that is below 1. None where that has no interval."""
    difference, scale, freedom = _welch(errors, reference, step)
    return None if scale is None else float(stats.t.cdf(-difference / scale, freedom))


def resolution(frame: pd.DataFrame) -> Resolution:
    """The metric's own step; for a share of samples, one sample of the validation and test splits.

    The latter from the task's splits where it is known, else the smallest gap between the errors in the frame.
    """
    step = metric_of(frame).step
    if step is not None:
        return Resolution(step, step)
    tasks = [str(task) for task in frame["task"].unique()]
    if tasks and all(task in TASKS for task in tasks):
        splits = [TASKS[task].splits for task in tasks]
        return Resolution(1 / min(split[1] for split in splits), 1 / min(split[2] for split in splits))
    return Resolution(_smallest_gap(frame["validation_error"]), _smallest_gap(frame["test_error"]))


def _smallest_gap(errors: pd.Series[float]) -> float:
    values = np.unique(np.append(errors.dropna().to_numpy(dtype=float), 0.0))
    gaps = np.diff(values)
    gaps = gaps[gaps > 1e-9]
    return float(gaps.min()) if len(gaps) else 1e-4


def _welch(errors: Sequence[float], reference: Sequence[float], step: float) -> tuple[float, float | None, float]:
    """The difference of the mean logs, its standard error, and Welch's degrees of freedom. No standard error without
    two seeds on either side, or where all agree exactly, as those of a continuous metric may: no spread was seen."""
    logs, variance = moments(errors, step)
    other_logs, other_variance = moments(reference, step)
    difference = float(logs.mean() - other_logs.mean())
    if variance is None or other_variance is None:
        return difference, None, 0.0
    a, b = variance / len(logs), other_variance / len(other_logs)
    if a + b == 0:
        return difference, None, 0.0
    freedom = (a + b) ** 2 / (a**2 / (len(logs) - 1) + b**2 / (len(other_logs) - 1))
    return difference, math.sqrt(a + b), freedom


def moments(errors: Sequence[float], step: float) -> tuple[NDArray[np.float64], float | None]:
    """Log errors, shape (n,), and their variance, floored at that of rounding; None for a single value."""
    values = np.maximum(np.asarray(errors, dtype=np.float64), step / 2)
    logs = np.log(values)
    if len(logs) < 2:
        return logs, None
    rounding = step / math.sqrt(12) / float(np.exp(logs.mean()))
    return logs, max(float(logs.var(ddof=1)), rounding**2)
