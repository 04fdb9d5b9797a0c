"""What runs store besides their results, as the report shows it: how they learn, and what is inside the networks."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.dynamics import (
    Saturation,
    Spread,
    WeightChanges,
    best_weight_changes,
    saturations,
    spreads,
)
from hyperbudget.analyze.learning import LearningCurve, learning_curves, told_apart
from hyperbudget.analyze.sharing import Sharing, sharings
from hyperbudget.analyze.throughput import Throughput, throughputs
from hyperbudget.analyze.words import count, duration, family_legend, operations
from hyperbudget.nn.cells import SATURATED
from hyperbudget.report.tables import family_cell
from hyperbudget.study.results.metrics import Metric


@dataclass(frozen=True)
class Inside:
    """`best_only`: the curves are each family's best alone. `run`: whose weights `changes` shows, in words."""

    curves: Sequence[LearningCurve]
    best_only: bool
    throughputs: Sequence[Throughput]
    sharings: Sequence[Sharing]
    saturations: Mapping[str, Saturation]
    spreads: Sequence[Spread]
    changes: WeightChanges | None
    run: str = ""
    saturated: float = SATURATED

    @property
    def seeds(self) -> bool:
        """Whether any line stands for several runs."""
        return any(len(curve.errors) > 1 for curve in self.curves)

    @property
    def ranked(self) -> bool:
        """Whether any network has several kernels, whose ranks are drawn."""
        return any(len(each.ranks) > 1 for each in self.sharings)

    @property
    def embedded(self) -> bool:
        """Whether there are embeddings to draw."""
        return any(each.embedded is not None for each in self.sharings)

    @property
    def spread_seeds(self) -> bool:
        """Whether any spread is that of several runs."""
        return any(each.configuration.n > 1 for each in self.spreads)

    @property
    def timed(self) -> bool:
        """Whether the times of all curves were measured at each evaluation."""
        return all(curve.measured for curve in self.curves)

    @property
    def counted(self) -> bool:
        """Whether the operations of any curve are known."""
        return any(curve.flops is not None for curve in self.curves)

    @property
    def costs(self) -> list[dict[str, Any]]:
        """One row of text a configuration: what its training takes."""
        return [
            {
                **family_cell(each.configuration.family),
                "label": each.configuration.short_label,
                "seconds": duration(each.seconds),
                "samples": "" if each.samples is None else f"{each.samples:,.0f}",
                "step": "" if each.step is None else operations(each.step),
                "total": "" if each.total is None else operations(each.total),
                "rate": "" if each.rate is None else operations(each.rate),
            }
            for each in self.throughputs
        ]

    @property
    def devices(self) -> list[str]:
        """What trained these."""
        return sorted({device for each in self.throughputs for device in each.devices})

    @property
    def shared(self) -> list[dict[str, Any]]:
        """One row of text a family: how much its kernels have in common."""
        return [
            {
                **family_cell(each.configuration.family),
                "label": f"{each.configuration.short_label}, seed {each.seed}",
                "of": count(len(each.parts), each.of.removesuffix("s")),
                "overall": f"{each.overall:.2f}",
                "chance": f"{each.chance:.2f}",
                "rank": _mean_ranks(each),
                "tiles": "" if each.tiles is None else f"{each.tiles[0]:.1f} of {each.tiles[1]}",
            }
            for each in self.sharings
        ]


def inside(frame: pd.DataFrame, metric: Metric) -> Inside:
    """All of it that `frame` has, whose runs are measured in `metric`."""
    every = configurations(frame)
    curves = learning_curves(frame)
    made = Inside(
        curves=curves,
        best_only=len(curves) < len(every),
        throughputs=throughputs(frame, told_apart(every)),
        sharings=sharings(frame, every),
        saturations=saturations(frame),
        spreads=spreads(frame),
        changes=None,
    )
    if (chosen := best_weight_changes(frame)) is None:
        return made
    row, changes = chosen
    name = f"{family_legend(row['model.family'])} {row['label'].removeprefix(row['model.family']).strip()}"
    words = f"{name}, seed {int(row['seed'])}, {metric.measured('validation', row['validation_error'])}"
    return dataclasses.replace(made, changes=changes, run=words)


def _mean_ranks(found: Sharing) -> str:
    """Over the kernels: ``12.3 of 16``."""
    if not found.ranks:
        return ""
    ranks, bounds = zip(*found.ranks, strict=True)
    return f"{statistics.fmean(ranks):.1f} of {statistics.fmean(bounds):.4g}"
