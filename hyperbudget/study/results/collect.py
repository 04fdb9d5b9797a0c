"""From MLflow's runs to the frame. Imports no torch."""

from __future__ import annotations

import ast
import contextlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from hyperbudget.config import Axis, Study, load
from hyperbudget.errors import UserError
from hyperbudget.study.folder import Stores, StudyFolder, masked, read_json
from hyperbudget.study.results import frame

CURVES = ("train_loss", "validation_error", "seconds")
COUNTS = ("best_step", "compact_bytes")


def collect(study_path: str | Path) -> Path:
    """Refresh the study's ``runs.parquet`` from its MLflow experiment; returns its path.

    Raises UserError when the study was never run here, or when the store does not answer.
    """
    folder = StudyFolder.of(load(study_path).name)
    if not folder.study.exists():
        raise UserError(f"{folder.path}: no results; begin with: hyperbudget run {study_path}")
    study = load(folder.study)  # as it was run, overrides included
    stores = Stores.of(folder)
    try:
        rows = _rows(study, stores.tracking, folder)
    except UserError:
        raise
    except Exception as error:  # MLflow lets the exceptions of its stores and of HTTP through
        message = masked(" ".join(str(error).split()))[:300]
        raise UserError(f"--tracking-uri {masked(stores.tracking)}: MLflow's store cannot be read: {message}") from None
    if not rows:
        raise UserError(f"{folder.path}: no run has ended yet; see: hyperbudget status {study_path}")
    table = pd.DataFrame(rows).sort_values(["trial", "seed"], ignore_index=True)
    table.attrs.update(_attributes(study, folder, rows))
    for column in table.columns:
        if column in COUNTS or column.startswith("params."):
            table[column] = table[column].astype("Int64")
    hidden = [name for name in table.columns if name.startswith(("version.", "hardware."))]
    frame.write(table.drop(columns=hidden), folder.frame)
    return folder.frame


def _rows(study: Study, uri: str, folder: StudyFolder | None = None) -> list[dict[str, Any]]:
    from mlflow import MlflowClient

    from hyperbudget.study.tracking.tracker import RUN_TAG, quiet, runs_of

    quiet()
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(study.name)
    if experiment is None:
        return []
    rows = []
    for run in runs_of(client, experiment.experiment_id, f"tags.`{RUN_TAG}` != ''"):
        if status := _status(run):
            rows.append(_row(run, status))
            if status != "failed":
                name = run.data.tags[RUN_TAG]
                rows[-1] |= _curve_in_folder(folder, name) or _curve_in_mlflow(client, run.info.run_id)
    return rows


def _status(run: Any) -> str | None:
    """How a run ended; None while it has not."""
    if run.info.status in ("FINISHED", "FAILED"):
        return str(run.info.status.lower())
    return "pruned" if run.info.status == "KILLED" and run.data.tags.get("status") == "pruned" else None


def _row(run: Any, status: str) -> dict[str, Any]:
    """A run's row, without its curve."""
    tags, metrics = run.data.tags, run.data.metrics
    row: dict[str, Any] = {
        "run": tags["hyperbudget.run"],
        "configuration": tags["hyperbudget.configuration"],
        "label": tags["hyperbudget.label"],
        "trial": int(tags["hyperbudget.trial"]),
        "status": status,
        "reason": tags.get("reason") or None,
        "metric": tags.get("metric"),
    }
    row |= {name: _value(text) for name, text in run.data.params.items()}
    row |= {name: value for name, value in metrics.items() if not name.startswith(("curve.", "system/"))}
    for name in ("validation_error", "test_error"):
        row.setdefault(name, None)
    row |= {name: tags.get(name) for name in ("device", "host", "finished", "data_digest")}
    row |= {name: value for name, value in tags.items() if name.startswith(("version.", "hardware."))}
    row |= {name: json.loads(value) for name, value in tags.items() if name.startswith("dynamics.")}
    return row


def _curve_in_folder(folder: StudyFolder | None, name: str) -> dict[str, Any]:
    """The curve as the run's result file has it, where the file is there: MLflow needs a query for each curve."""
    result = read_json(folder.run(name).result) if folder else None
    return {f"curve.{key}": values for key, values in ((result or {}).get("curve") or {}).items()}


def _curve_in_mlflow(client: Any, run_id: str) -> dict[str, Any]:
    """The same from MLflow."""
    curves = {name: client.get_metric_history(run_id, f"curve.{name}") for name in CURVES}
    found: dict[str, Any] = {}
    for name, history in curves.items():
        points = {point.step: point.value for point in sorted(history, key=lambda p: (p.step, p.timestamp))}
        if points:  # older runs have no seconds
            found |= {"curve.step": list(points), f"curve.{name}": list(points.values())}
    return found


def _value(text: str) -> Any:
    """A parameter's value from MLflow's text: numbers, None, lists and truth values; anything else is a word."""
    with contextlib.suppress(ValueError, SyntaxError):
        value = ast.literal_eval(text)
        return list(value) if isinstance(value, tuple) else value
    return text


def _attributes(study: Study, folder: StudyFolder, rows: list[dict[str, Any]]) -> dict[str, Any]:
    call = read_json(folder.call) or {}
    report, params = study.report, study.budget.params
    resolved = study.resolved()
    return {
        "study": {
            "name": study.name,
            "question": study.question,
            "task": ", ".join(study.tasks()),
            "file": call.get("file", study.path.name),
            "yaml": study.resolved_yaml(),
            "command": masked(call.get("command", "")),
            "axes": [_axis(axis) for axis in study.axes],
            "seeds": list(study.search.seeds),
            "pruning": _pruning(study),
            "budgets": list(report.budgets) or (params.ends if params else []),
            "baseline": report.baseline,
            "budget": resolved.get("budget") or {},
            "refused": call.get("refused", 0),
        },
        "versions": _agreed(rows, "version."),
        "hardware": _agreed(rows, "hardware."),
    }


def _pruning(study: Study) -> dict[str, Any] | None:
    search = study.search
    if search.promote is None and search.pruner == "none":
        return None
    return {"pruner": search.pruner, "first": len(search.at_first), "promote": search.promote}


def _axis(axis: Axis) -> dict[str, Any]:
    values = [list(v) if isinstance(v, tuple) else v for v in axis.values] if axis.values is not None else None
    return {
        "name": axis.name, "role": axis.role, "values": values, "low": axis.low, "high": axis.high, "log": axis.log,
    }  # fmt: skip


def _agreed(rows: list[dict[str, Any]], prefix: str) -> dict[str, str]:
    """What the runs say about themselves; several answers are all named."""
    names = sorted({name for row in rows for name in row if name.startswith(prefix)})
    said = {name: dict.fromkeys(str(row[name]) for row in rows if name in row) for name in names}
    return {name.removeprefix(prefix): ", ".join(values) for name, values in said.items()}
