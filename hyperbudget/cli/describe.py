"""A model, or a run with its model, in a few words."""

from __future__ import annotations

import dataclasses
from typing import Any

from hyperbudget.nn.spec import ModelSpec
from hyperbudget.study.results.finished import FinishedRun
from hyperbudget.study.results.metrics import metric_named
from hyperbudget.study.search.label import SHORT


def describe(model: ModelSpec) -> str:
    """``wrn depth 40 width 1, hyper N_z 64 d 64 in 16 out 16``; what is no size is left out where it is the default."""
    return ", ".join(f"{part.name} {settings(part)}".rstrip() for part in (model.network, model.family))


def describe_run(run: FinishedRun) -> str:
    """``run 0123abcd, language_model ..., lstm, on ptb: test 1.312 bpc``."""
    words = f"run {run.name}, {describe(run.spec.model)}, on {run.spec.task}"
    error, metric = run.result.get("test_error"), metric_named(run.result.get("metric"))
    return words if error is None else f"{words}: {metric.measured('test', error)}"


def settings(part: Any) -> str:
    """The fields of a network or a family: ``depth 40 width 1``."""
    said = []
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        counts = isinstance(value, int) and not isinstance(value, bool)
        if value == field.default and not counts and not (isinstance(value, float) and field.name in SHORT):
            continue
        said.append(f"{SHORT.get(field.name, field.name.replace('_', ' '))} {value}")
    return " ".join(said)
