"""How the validation error falls in training (figure 6): over steps, over time, over floating-point operations."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hyperbudget.analyze.configurations import Configuration, configurations, finished_runs
from hyperbudget.analyze.intervals import resolution
from hyperbudget.nn.sharing.matrices import Array

MOST = 8
"""Lines that are told apart in one picture; of more configurations, each family's best by validation is shown."""


@dataclass(frozen=True)
class LearningCurve:
    """One configuration's evaluations. steps: shape (evaluations,); errors: shape (seeds, evaluations).

    seconds: of training until then, evaluations included, shape as errors; None where no time is known. `measured`:
    whether they were, or are a run's whole time by its steps. flops: floating-point operations of a training step, by
    `hyperbudget.budget.flops.training_step`; None where they are not known.
    """

    label: str
    family: str
    steps: Array
    errors: Array
    seconds: Array | None = None
    measured: bool = False
    flops: float | None = None

    @classmethod
    def of(cls, label: str, family: str, evaluations: Iterable[Sequence[Any]]) -> LearningCurve | None:
        """From the steps, the errors and, if given, the seconds of each seed. None without any.

        Only seeds with at least two errors, all above 0; those that were evaluated at other steps than the first of
        these are left out.
        """
        steps: list[float] = []
        errors, seconds = [], []
        for at, values, *times in evaluations:
            if not hasattr(values, "__len__") or len(values) < 2 or not all(0 < value < math.inf for value in values):
                continue
            steps = steps or list(at)
            if list(at) == steps:
                errors.append(list(values))
                seconds += [list(known) for known in times if known is not None and len(known) == len(steps)]
        if not errors:
            return None
        curve = cls(label, family, np.array(steps, np.float64), np.array(errors, np.float64))
        if len(seconds) < len(errors):
            return curve
        return dataclasses.replace(curve, seconds=np.array(seconds, np.float64))

    @property
    def mean(self) -> Array:
        """Over the seeds, geometric: shape (evaluations,)."""
        return np.asarray(np.exp(np.log(self.errors).mean(0)), dtype=np.float64)

    @property
    def operations(self) -> Array | None:
        """Floating-point operations of training until each evaluation: shape (evaluations,)."""
        return None if self.flops is None else self.steps * self.flops


def learning_curves(frame: pd.DataFrame) -> list[LearningCurve]:
    """One a configuration, from few parameters to many; of many, the best of each family.

    An error of 0 stands as half a sample of the split.
    """
    if "curve.step" not in frame.columns or "curve.validation_error" not in frame.columns:
        return []
    runs = finished_runs(frame)
    measured = "curve.seconds" in runs.columns and bool(runs["curve.seconds"].notna().all())
    floor = resolution(frame).validation / 2
    found = []
    for chosen in told_apart(configurations(frame)):
        rows = runs[runs["configuration"] == chosen.name].to_dict("records")
        own = [{str(key): value for key, value in row.items()} for row in rows]
        curve = LearningCurve.of(chosen.label, chosen.family, [_evaluations(row, floor, measured) for row in own])
        if curve is not None:
            flops = own[0].get("flops.step")
            known = None if flops is None or pd.isna(flops) else float(flops)
            found.append(dataclasses.replace(curve, measured=measured, flops=known))
    return found


def _evaluations(row: Mapping[str, Any], floor: float, measured: bool) -> tuple[Any, Any, Any]:
    """Steps, errors and seconds of a run."""
    steps, errors = row["curve.step"], row["curve.validation_error"]
    if not hasattr(errors, "__len__") or not len(errors):
        return (), (), None
    total = row.get("seconds")
    if measured:
        seconds = row["curve.seconds"]
    else:
        seconds = np.asarray(steps, np.float64) * total / steps[-1] if total is not None and total > 0 else None
    return steps, np.maximum(errors, floor), seconds


def told_apart(every: Sequence[Configuration]) -> list[Configuration]:
    """Those that are shown: all of few, of many each family's best by validation."""
    if len(every) <= MOST:
        return list(every)
    best: dict[str, Configuration] = {}
    for configuration in sorted(every, key=lambda c: c.selection_key):
        best.setdefault(configuration.family, configuration)
    return [configuration for configuration in every if best[configuration.family] is configuration]
