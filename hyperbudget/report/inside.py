"""What the runs of language models store besides their results, as the report shows it (figures 4 to 6)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.dynamics import Saturation, WeightChanges, best_weight_changes, saturations
from hyperbudget.analyze.learning import LearningCurve, learning_curves
from hyperbudget.nn.cells import SATURATED
from hyperbudget.study.metrics import BPC, Metric


@dataclass(frozen=True)
class Inside:
    """`curves` are of texts alone, `best_only`: each family's best. `run`: whose weights `changes` shows, in words."""

    curves: Sequence[LearningCurve]
    best_only: bool
    saturations: Mapping[str, Saturation]
    changes: WeightChanges | None
    run: str = ""
    saturated: float = SATURATED

    @property
    def seeds(self) -> bool:
        """Whether any line stands for several runs."""
        return any(len(curve.errors) > 1 for curve in self.curves)

    @property
    def spread(self) -> list[tuple[str, list[str]]]:
        """The name of each scaling vector, and a number a gate."""
        found = self.changes.spread if self.changes else {}
        return [(vector, [f"{value:.3f}" for value in gates.values()]) for vector, gates in found.items()]


def inside(frame: pd.DataFrame, metric: Metric) -> Inside:
    """All of it that `frame` has, whose runs are measured in `metric`."""
    curves = learning_curves(frame) if metric is BPC else []
    made = Inside(curves, len(curves) < len(configurations(frame)), saturations(frame), None)
    if (chosen := best_weight_changes(frame)) is None:
        return made
    row, changes = chosen
    words = f"{row['label']}, seed {int(row['seed'])}, {metric.measured('validation', row['validation_error'])}"
    return dataclasses.replace(made, changes=changes, run=words)
