"""Runs to configurations: one record for each, with the means over its seeds and their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hyperbudget.analyze.intervals import Interval, mean_interval, resolution
from hyperbudget.study.results.frame import LISTS


@dataclass(frozen=True)
class Configuration:
    """One configuration and what its finished runs measured.

    `fields` are its task, ``model.*`` and ``training.*``, only those that it has; `counts` its ``params.*``. `seeds`,
    `validation_errors` and `test_errors` have shape (n,), in the order of the seeds.
    """

    name: str
    label: str
    family: str
    fields: Mapping[str, Any]
    counts: Mapping[str, int]
    compression: float | None
    compact_bytes: int | None
    """Size of the compact file of the first seed's model."""
    seeds: tuple[int, ...]
    validation_errors: tuple[float, ...]
    test_errors: tuple[float, ...]
    validation: Interval
    test: Interval
    failed: int

    @property
    def n(self) -> int:
        """Finished runs."""
        return len(self.seeds)

    @property
    def parameters(self) -> int:
        """Learnable parameters."""
        return self.counts["params.learnable"]

    @property
    def short_label(self) -> str:
        """The label without the family that it starts with."""
        return self.label.removeprefix(self.family).strip() or self.label

    @property
    def selection_key(self) -> tuple[float, int, str]:
        """What `min` selects by: validation error, then fewer parameters. The test error has no say."""
        return (self.validation.mean, self.parameters, self.label)


def finished_runs(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs that have both errors."""
    done = (frame["status"] == "finished") & frame["validation_error"].notna() & frame["test_error"].notna()
    return frame[done]


def configurations(frame: pd.DataFrame) -> list[Configuration]:
    """Every configuration with a finished run, from few parameters to many."""
    steps = resolution(frame)
    columns = [name for name in frame.columns if not name.startswith(LISTS)]
    failures = frame.loc[frame["status"] == "failed", "configuration"].value_counts().to_dict()
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in finished_runs(frame)[columns].to_dict("records"):
        groups.setdefault(str(record["configuration"]), []).append({str(key): value for key, value in record.items()})
    found = []
    for name, records in groups.items():
        records.sort(key=lambda record: int(record["seed"]))
        first = {key: _plain(value) for key, value in records[0].items()}
        validation = tuple(float(record["validation_error"]) for record in records)
        test = tuple(float(record["test_error"]) for record in records)
        found.append(
            Configuration(
                name=name,
                label=str(first["label"]),
                family=str(first["model.family"]),
                fields={
                    key: value
                    for key, value in first.items()
                    if value is not None and (key == "task" or key.startswith(("model.", "training.")))
                },
                counts={
                    key: int(value) for key, value in first.items() if key.startswith("params.") and value is not None
                },
                compression=first.get("compression"),
                compact_bytes=first.get("compact_bytes"),
                seeds=tuple(int(record["seed"]) for record in records),
                validation_errors=validation,
                test_errors=test,
                validation=mean_interval(validation, steps.validation),
                test=mean_interval(test, steps.test),
                failed=int(failures.get(name, 0)),
            )
        )
    return sorted(found, key=lambda c: (c.parameters, c.family, c.label, c.name))


def _plain(value: Any) -> Any:
    """NumPy to Python; missing to None; a whole number that a gap made a float back to an integer."""
    if isinstance(value, str | bool) or value is None:
        return value
    if hasattr(value, "__len__"):
        return tuple(value)
    if pd.isna(value):
        return None
    if hasattr(value, "item"):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value
