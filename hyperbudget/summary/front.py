"""The front and the intervals over seeds, on MLflow's runs: what MLflow itself cannot work out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence

from mlflow import MlflowClient
from mlflow.entities import Metric, Run, RunTag

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.summary import Analysis
from hyperbudget.config import Study
from hyperbudget.study.tracking.bands import band
from hyperbudget.study.tracking.tracker import CONFIGURATION_TAG, RUN_TAG, STATUS_TAG

FRONT_TAG = "front"


def mark(client: MlflowClient, runs: Iterable[Run], analyses: Sequence[Analysis], study: Study) -> None:
    """Tag the configurations on their task's front, and their runs, ``front = true``, and take the tag from the others;
    give configurations their means and intervals. Only what differs from what is there is written."""
    front = {c.name for analysis in analyses for c in analysis.front}
    found = {c.name: c for analysis in analyses for c in analysis.configurations}
    now = int(1000 * time.time())
    for run in runs:
        name = run.data.tags.get(CONFIGURATION_TAG)
        if name is None:
            continue
        configuration = None if RUN_TAG in run.data.tags else found.get(name)
        tags = [RunTag(key, text) for key, text in _missing(run, study).items()]
        if name in front and FRONT_TAG not in run.data.tags:
            tags.append(RunTag(FRONT_TAG, "true"))
        metrics = [
            Metric(key, value, now, 0)
            for key, value in (numbers(configuration) if configuration else {}).items()
            if run.data.metrics.get(key) != value
        ]
        if tags or metrics:
            client.log_batch(run.info.run_id, metrics=metrics, tags=tags)
        if name not in front and FRONT_TAG in run.data.tags:
            client.delete_tag(run.info.run_id, FRONT_TAG)


def numbers(configuration: Configuration) -> dict[str, float]:
    """``validation_error.mean``, ``.low``, ``.high``, the same of the test error, and ``seeds``.

    Geometric means and 95% t intervals, as in the report; a configuration with one seed has no interval.
    """
    found: dict[str, float | None] = {"seeds": float(configuration.n)}
    for name, interval in (("validation_error", configuration.validation), ("test_error", configuration.test)):
        found |= {f"{name}.mean": interval.mean, f"{name}.low": interval.low, f"{name}.high": interval.high}
    return {name: value for name, value in found.items() if value is not None and math.isfinite(value)}


def _missing(run: Run, study: Study) -> dict[str, str]:
    """The tags that a run of an earlier version lacks."""
    tags = {}
    learnable = run.data.metrics.get("params.learnable")
    if learnable is not None and run.data.tags.get("budget_band") != (said := band(int(learnable), study)):
        tags["budget_band"] = said
    if STATUS_TAG not in run.data.tags and run.info.status in ("FINISHED", "FAILED"):
        tags[STATUS_TAG] = run.info.status.lower()
    return tags
