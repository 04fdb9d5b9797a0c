"""What a study's runs and configurations say in MLflow: their tags, parameters and numbers, from specs and results."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from hyperbudget.data.load import digest
from hyperbudget.study.candidates import Candidate
from hyperbudget.study.folder import StudyFolder
from hyperbudget.study.provenance import versions
from hyperbudget.study.tracking import CONFIGURATION_TAG, TRIAL_TAG, Tracker
from hyperbudget.train.spec import RunSpec

NUMBERS = ("validation_error", "test_error", "best_step", "seconds", "compact_bytes")
TAGS = ("metric", "reason", "device", "host", "finished")
MEANS = ("validation_error", "test_error")


class Record:
    """The engine's account of a study in MLflow. Every method may be called again with the same arguments: what is
    written then is what is there."""

    def __init__(self, tracker: Tracker, folder: StudyFolder) -> None:
        self.tracker, self.folder = tracker, folder
        self.configurations = tracker.configurations
        self._versions = {f"version.{name}": version for name, version in versions().items()}
        self._ids: dict[str, str] = {}  # run or configuration -> its id in MLflow

    def run_begun(self, name: str, spec: RunSpec, chosen: Candidate, trial: int) -> None:
        """Run `name` of configuration `chosen` is under way, as part of Optuna's `trial`."""
        fields = {"task": spec.task, **_flat("model", spec.model.fields())}
        fields |= _flat("training", spec.fields()["training"])
        numbers = chosen.anatomy.metrics()
        key = spec.configuration()
        common = {"family": spec.model.family.name, "task": spec.task}
        self._ids[key] = self.tracker.configuration(key, chosen.label, common, fields, numbers)
        tags = common | {
            CONFIGURATION_TAG: key,
            "hyperbudget.label": chosen.label,
            TRIAL_TAG: str(trial),
            "data_digest": digest(spec.task),
        }
        label = f"{chosen.label} seed {spec.seed}"
        self._ids[name] = self.tracker.run(name, label, self._ids[key], tags, {**fields, "seed": spec.seed}, numbers)

    def run_ended(self, name: str, result: Mapping[str, Any]) -> None:
        """Run `name` gave `result`."""
        curve = result.get("curve") or {"step": []}
        curves = {
            f"curve.{key}": list(zip(curve["step"], values, strict=True))
            for key, values in curve.items()
            if key != "step"
        }
        numbers = {key: result[key] for key in NUMBERS if result.get(key) is not None}
        dynamics = _flat("dynamics", result.get("dynamics") or {})  # an older result has none
        numbers |= {name: value for name, value in dynamics.items() if not isinstance(value, list)}
        tags = {key: str(result[key]) for key in TAGS if result.get(key)}
        tags |= {name: str(value) for name, value in _flat("hardware", result.get("hardware", {})).items()}
        tags |= {name: json.dumps(value) for name, value in dynamics.items() if isinstance(value, list)}
        tags |= self._versions
        ok = result["status"] == "finished"
        if ok:
            self.tracker.artifact(self._ids[name], self.folder.run(name).model)
        self.tracker.finish(
            self._ids[name], ok=ok, numbers=numbers, curves=curves, tags=tags, finished=result["finished"]
        )

    def configuration_ended(self, key: str, results: Sequence[Mapping[str, Any]]) -> None:
        """All runs of configuration `key` that the study wants have ended, with `results`."""
        ok = all(result["status"] == "finished" for result in results)
        means = {name: statistics.fmean(result[name] for result in results) for name in MEANS} if ok else {}
        last = max(result["finished"] for result in results)
        self.tracker.finish(self._ids[key], ok=ok, numbers=means, curves={}, tags={}, finished=last)

    def interrupt(self) -> None:
        """End whatever is still open as KILLED; a later call takes it up again."""
        self.tracker.interrupt()


def _flat(section: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{name}": value for name, value in fields.items()}
