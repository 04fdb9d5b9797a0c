"""How the validation error falls in training (figure 6)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hyperbudget.analyze.configurations import Configuration, configurations, finished_runs
from hyperbudget.analyze.kernels import Array

MOST = 8
"""Lines that are told apart in one picture; of more configurations, each family's best by validation is shown."""


@dataclass(frozen=True)
class LearningCurve:
    """One configuration's evaluations. steps: shape (evaluations,); errors: shape (seeds, evaluations)."""

    label: str
    family: str
    steps: Array
    errors: Array

    @classmethod
    def of(cls, label: str, family: str, evaluations: Iterable[tuple[Any, Any]]) -> LearningCurve | None:
        """From the steps and the errors of each seed; only seeds with at least two, all above 0. None without any.

        Seeds that were evaluated at other steps than the first of these are left out.
        """
        steps: list[float] = []
        errors = []
        for at, values in evaluations:
            if not hasattr(values, "__len__") or len(values) < 2 or not all(0 < value < math.inf for value in values):
                continue
            steps = steps or list(at)
            if list(at) == steps:
                errors.append(list(values))
        return cls(label, family, np.array(steps, float), np.array(errors, float)) if errors else None

    @property
    def mean(self) -> Array:
        """Over the seeds, geometric: shape (evaluations,)."""
        return np.asarray(np.exp(np.log(self.errors).mean(0)), dtype=np.float64)


def learning_curves(frame: pd.DataFrame) -> list[LearningCurve]:
    """One a configuration, from few parameters to many; of many, the best of each family."""
    if "curve.step" not in frame.columns or "curve.validation_error" not in frame.columns:
        return []
    runs = finished_runs(frame)
    found = []
    for chosen in _chosen(frame):
        own = runs[runs["configuration"] == chosen.name]
        evaluations = zip(own["curve.step"], own["curve.validation_error"], strict=True)
        found.append(LearningCurve.of(chosen.label, chosen.family, evaluations))
    return [curve for curve in found if curve is not None]


def _chosen(frame: pd.DataFrame) -> list[Configuration]:
    every = configurations(frame)
    if len(every) <= MOST:
        return every
    best: dict[str, Configuration] = {}
    for configuration in sorted(every, key=lambda c: c.selection_key):
        best.setdefault(configuration.family, configuration)
    return [configuration for configuration in every if best[configuration.family] is configuration]
