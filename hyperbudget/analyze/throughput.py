"""What training costs: seconds, samples a second, floating-point operations."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hyperbudget.analyze.configurations import Configuration, finished_runs


@dataclass(frozen=True)
class Throughput:
    """Of one configuration: the means of its runs.

    `samples`: images, or characters of a text, a second of training, evaluations included. `step`: floating-point
    operations of a training step, `total` of all, both None where they are not known. `devices`: what trained it.
    """

    configuration: Configuration
    seconds: float
    samples: float | None
    step: float | None
    total: float | None
    devices: tuple[str, ...]

    @property
    def rate(self) -> float | None:
        """Operations a second."""
        return None if self.total is None else self.total / self.seconds


def throughputs(frame: pd.DataFrame, configurations: Sequence[Configuration]) -> list[Throughput]:
    """Of those of `configurations` whose runs know their time, in their order."""
    if "seconds" not in frame.columns:
        return []
    wanted = {c.name for c in configurations}
    runs: dict[str, list[Mapping[str, Any]]] = {}
    columns = [name for name in ("configuration", "seconds", "device", "flops.step") if name in frame.columns]
    for row in finished_runs(frame)[columns].to_dict("records"):
        if row["configuration"] in wanted and row["seconds"] > 0:
            runs.setdefault(str(row["configuration"]), []).append({str(key): value for key, value in row.items()})
    return [_of(c, runs[c.name]) for c in configurations if c.name in runs]


def _of(configuration: Configuration, rows: Sequence[Mapping[str, Any]]) -> Throughput:
    fields = configuration.fields
    seconds = statistics.fmean(float(row["seconds"]) for row in rows)
    steps, batch = fields.get("training.steps"), fields.get("training.batch_size")
    length = fields.get("training.length", 1) if fields.get("model.network") == "language_model" else 1
    step = rows[0].get("flops.step")
    step = None if step is None or pd.isna(step) else float(step)
    return Throughput(
        configuration=configuration,
        seconds=seconds,
        samples=steps * batch * length / seconds if steps and batch else None,
        step=step,
        total=step * steps if step is not None and steps else None,
        devices=tuple(sorted({str(row["device"]) for row in rows if isinstance(row.get("device"), str)})),
    )
