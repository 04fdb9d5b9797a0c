"""MLflow as the record: one experiment a study, a parent run a configuration, a child run a seed.

The driver writes everything: a run's row when it is dispatched, its numbers in one batch when its result file is there.
Time stamps come from the result, so that writing it a second time adds nothing.
"""

from __future__ import annotations

import datetime
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from hyperbudget.config import Study
from hyperbudget.errors import UserError
from hyperbudget.study.folder import StudyFolder, masked

RUN_TAG = "hyperbudget.run"
CONFIGURATION_TAG = "hyperbudget.configuration"
TRIAL_TAG = "hyperbudget.trial"
PARENT_TAG = "mlflow.parentRunId"
PARAM_LENGTH = 6_000


class Tracker:
    """The MLflow experiment of one study. Raises UserError when the store at `uri` does not answer."""

    def __init__(self, uri: str, study: Study, folder: StudyFolder) -> None:
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        for chatty in ("mlflow", "alembic"):  # they announce the creation of every table
            logging.getLogger(chatty).setLevel(logging.WARNING)
        try:
            self.client = MlflowClient(tracking_uri=uri)
            self.experiment = self._experiment(study, folder, uri)
            existing = list(all_runs(self.client, self.experiment))
        except Exception as error:  # MLflow lets the exceptions of its stores and of HTTP through
            message = masked(" ".join(str(error).split()))[:300]
            raise UserError(f"--tracking-uri {masked(uri)}: MLflow's store cannot be used: {message}") from None
        self.study_file = folder.study
        self._known: dict[str, Run] = {}
        for run in existing:
            for tag in (RUN_TAG, CONFIGURATION_TAG):
                if tag in run.data.tags and (tag == RUN_TAG or RUN_TAG not in run.data.tags):
                    self._known[f"{tag}={run.data.tags[tag]}"] = run
        self.configurations = {
            int(run.data.tags[TRIAL_TAG]): run.data.tags[CONFIGURATION_TAG]
            for run in existing
            if RUN_TAG in run.data.tags
        }
        """Trial -> name of its configuration, of all whose runs were begun before."""
        self._open: set[str] = {run.info.run_id for run in existing if run.info.status == "RUNNING"}

    def _experiment(self, study: Study, folder: StudyFolder, uri: str) -> str:
        found = self.client.get_experiment_by_name(study.name)
        tags = {"hyperbudget.question": study.question, "mlflow.note.content": study.question}
        if found is None:
            artifacts = (folder.path / "artifacts").as_uri() if uri.startswith("sqlite:") else None
            return str(self.client.create_experiment(study.name, artifact_location=artifacts, tags=tags))
        if found.lifecycle_stage == "deleted":
            raise MlflowException(f"experiment '{study.name}' is in MLflow's trash; restore it or rename the study")
        return str(found.experiment_id)

    def configuration(
        self, name: str, label: str, tags: Mapping[str, str], fields: Mapping[str, Any], numbers: Mapping[str, float]
    ) -> str:
        """The parent run of configuration `name`, made at its first call; returns its MLflow id."""
        tags = {CONFIGURATION_TAG: name, **tags}
        return self._begin(f"{CONFIGURATION_TAG}={name}", label, tags, fields, numbers, artifact=self.study_file)

    def run(
        self, name: str, label: str, parent: str, tags: Mapping[str, str], fields: Mapping[str, Any],
        numbers: Mapping[str, float],
    ) -> str:  # fmt: skip
        """The child run of run `name`, made at its first call; returns its MLflow id."""
        return self._begin(f"{RUN_TAG}={name}", label, {RUN_TAG: name, PARENT_TAG: parent, **tags}, fields, numbers)

    def _begin(
        self, key: str, label: str, tags: Mapping[str, str], fields: Mapping[str, Any], numbers: Mapping[str, float],
        artifact: Path | None = None,
    ) -> str:  # fmt: skip
        known = self._known.get(key)
        if known is None:
            known = self.client.create_run(self.experiment, tags=dict(tags), run_name=label)
            self._known[key] = known
            self._open.add(known.info.run_id)
            if artifact:
                self.artifact(known.info.run_id, artifact)
        elif known.info.status != "RUNNING" and known.info.run_id not in self._open:
            self.client.update_run(known.info.run_id, status="RUNNING")
            self._open.add(known.info.run_id)
        run_id = str(known.info.run_id)
        # Sent again on every resume: a driver may have died between the run and its parameters.
        params = [Param(name, str(value)[:PARAM_LENGTH]) for name, value in fields.items()]
        created = known.info.start_time
        metrics = [Metric(metric_name(name), float(value), created, 0) for name, value in numbers.items()]
        for first in range(0, max(len(params), 1), 100):
            self.client.log_batch(run_id, metrics=metrics if first == 0 else (), params=params[first : first + 100])
        return run_id

    def finish(
        self, run_id: str, *, ok: bool, numbers: Mapping[str, float], curves: Mapping[str, list[tuple[int, float]]],
        tags: Mapping[str, str], finished: str,
    ) -> None:  # fmt: skip
        """Write what a run or a configuration gave, and end it."""
        stamp = milliseconds(finished)
        metrics = [Metric(metric_name(name), float(value), stamp, 0) for name, value in numbers.items()]
        for name, points in curves.items():
            metrics += [Metric(metric_name(name), value, stamp, step) for step, value in points]
        named = [RunTag(name, value[:5_000]) for name, value in tags.items()]
        for first in range(0, max(len(metrics), 1), 800):  # MLflow takes 1,000 of both at once, and 100 tags
            self.client.log_batch(run_id, metrics=metrics[first : first + 800], tags=named if first == 0 else ())
        self.client.set_terminated(run_id, "FINISHED" if ok else "FAILED", end_time=stamp)
        self._open.discard(run_id)

    def artifact(self, run_id: str, path: Path) -> None:
        """Attach the file at `path` to a run."""
        if path.exists():
            self.client.log_artifact(run_id, str(path))

    def interrupt(self) -> None:
        """End whatever is still open as KILLED; a later call takes it up again."""
        for run_id in sorted(self._open):
            self.client.set_terminated(run_id, "KILLED")
        self._open.clear()


def all_runs(client: MlflowClient, experiment: str) -> list[Run]:
    """Every run of the experiment."""
    runs: list[Run] = []
    token: str | None = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs


def metric_name(name: str) -> str:
    """`name` with what MLflow does not allow in names replaced."""
    return re.sub(r"[^\w\-. /:]", "_", name)


def milliseconds(stamp: str) -> int:
    """An ISO 8601 time as MLflow counts it."""
    return int(datetime.datetime.fromisoformat(stamp).timestamp() * 1000)
