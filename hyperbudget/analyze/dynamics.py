"""What recurrent cells do along a text: how their weights change, how far their units saturate (figures 4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hyperbudget.analyze.configurations import Configuration, configurations, finished_runs
from hyperbudget.nn.cells import GATES, PHI_BINS
from hyperbudget.nn.sharing.matrices import Array

PREFIX = "dynamics."
VECTORS = ("h", "x", "b")


@dataclass(frozen=True)
class WeightChanges:
    """How much the weights of each gate changed at every symbol of a text; see `hyperbudget.train.dynamics`.

    symbols: bytes. changes: by gate, shape (symbols,). spread: by scaling vector (h, x, b) and gate.
    """

    symbols: bytes
    changes: Mapping[str, Array]
    spread: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, dynamics: Mapping[str, Any]) -> WeightChanges | None:
        """From what a run stores of its dynamics; None for a cell whose weights stay what they are."""
        changes = {gate: _array(dynamics[f"change.{gate}"]) for gate in (*GATES, "h") if f"change.{gate}" in dynamics}
        if not changes:
            return None
        spread = {
            vector: dict(zip(changes, map(float, dynamics[f"spread.{vector}"]), strict=True)) for vector in VECTORS
        }
        return cls(bytes(map(int, dynamics["symbols"])), changes, spread)


@dataclass(frozen=True)
class Saturation:
    """Where phi(c_t) lies: counts in equal bins of [-1, 1], shape (`PHI_BINS`,), and the share beyond `SATURATED`."""

    counts: Array
    saturated: float

    @property
    def shares(self) -> Array:
        """The counts over their sum."""
        return np.asarray(self.counts / self.counts.sum(), dtype=np.float64)

    @classmethod
    def of(cls, dynamics: Mapping[str, Any]) -> Saturation | None:
        """From what a run stores of its dynamics; None for a cell without a c, and for other bins than ours."""
        if len(dynamics.get("phi", ())) != PHI_BINS:
            return None
        return cls(_array(dynamics["phi"]), float(dynamics["saturated"]))


def stored(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row of the frame has of a run's dynamics, by the names that `hyperbudget.train.dynamics` gives."""
    return {name.removeprefix(PREFIX): row[name] for name in row if name.startswith(PREFIX) and _is_there(row[name])}


def best_weight_changes(frame: pd.DataFrame) -> tuple[dict[str, Any], WeightChanges] | None:
    """Of the best run by validation that has any, with its row of the frame."""
    best: tuple[dict[str, Any], WeightChanges] | None = None
    for row in _rows(finished_runs(frame)):
        found = WeightChanges.of(stored(row))
        if found and (best is None or row["validation_error"] < best[0]["validation_error"]):
            best = row, found
    return best


@dataclass(frozen=True)
class Spread:
    """How far the scaling vectors of a configuration move: by vector and gate, one number a seed, shape (seeds,)."""

    configuration: Configuration
    vectors: Mapping[str, Mapping[str, Array]]


def spreads(frame: pd.DataFrame) -> list[Spread]:
    """Of each family's best configuration by validation whose weights change; by the family's name."""
    found: dict[str, list[WeightChanges]] = {}
    for row in _rows(finished_runs(frame)):
        if each := WeightChanges.of(stored(row)):
            found.setdefault(str(row["configuration"]), []).append(each)
    best: dict[str, Spread] = {}
    for configuration in sorted(configurations(frame), key=lambda c: c.selection_key):
        if configuration.name in found and configuration.family not in best:
            seeds = found[configuration.name]
            vectors = {
                vector: {gate: np.array([each.spread[vector][gate] for each in seeds]) for gate in seeds[0].changes}
                for vector in VECTORS
            }
            best[configuration.family] = Spread(configuration, vectors)
    return [best[family] for family in sorted(best)]


def saturations(frame: pd.DataFrame) -> dict[str, Saturation]:
    """Of each family's best configuration by validation that has any, its seeds together."""
    found: dict[str, list[Saturation]] = {}
    for row in _rows(finished_runs(frame)):
        if each := Saturation.of(stored(row)):
            found.setdefault(str(row["configuration"]), []).append(each)
    best: dict[str, Saturation] = {}
    for configuration in sorted(configurations(frame), key=lambda c: c.selection_key):
        if configuration.name in found and configuration.family not in best:
            seeds = found[configuration.name]
            weights = [each.counts.sum() for each in seeds]
            share = float(np.average([each.saturated for each in seeds], weights=weights))
            best[configuration.family] = Saturation(sum((each.counts for each in seeds), np.zeros(PHI_BINS)), share)
    return best


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Of the runs of cells, without what else is stored in lists."""
    others = ("curve.", f"{PREFIX}sharing.")
    frame = frame[[name for name in frame.columns if not name.startswith(others)]]
    if not any(name.startswith(PREFIX) for name in frame.columns):
        return []
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _is_there(value: Any) -> bool:
    return hasattr(value, "__len__") or not (value is None or pd.isna(value))


def _array(values: Any) -> Array:
    return np.asarray(values, dtype=np.float64)
