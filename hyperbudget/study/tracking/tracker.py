"""MLflow as the record: one experiment a study, a parent run a configuration, a child run a seed.

The driver writes everything, in as few calls as there can be. Time stamps come from the results, and what an MLflow run
was told of an evaluation it is not told again, so that writing anything a second time adds nothing.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from hyperbudget.config import Study
from hyperbudget.errors import UserError
from hyperbudget.study.folder import StudyFolder, masked
from hyperbudget.study.owner import OWNER, Others, mark, refuse_others
from hyperbudget.study.stores import database, outage, sqlite
from hyperbudget.study.tracking.changes import Change, Number, Origin

RUN_TAG = "hyperbudget.run"
CONFIGURATION_TAG = "hyperbudget.configuration"
TRIAL_TAG = "hyperbudget.trial"
STATUS_TAG = "status"
PARENT_TAG = "mlflow.parentRunId"
PARAM_LENGTH = 6_000
TAG_LENGTH = 5_000
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # a creation that MLflow's client tries again may happen twice
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""So that MLflow's pages open an experiment with its runs, not with what they have for chats."""


@dataclass(slots=True)
class Known:
    """An MLflow run of this study. `told`: the steps of the evaluations it has; None: MLflow must be asked."""

    run_id: str
    started: int
    artifacts: str
    status: str
    told: set[int] | None


@dataclass(frozen=True, slots=True)
class Found:
    """How an MLflow run was found when the study was opened."""

    status: str
    tags: Mapping[str, str]
    numbers: Mapping[str, float]


class Tracker:
    """The MLflow experiment of one study. Raises UserError when the store at `uri` does not answer."""

    def __init__(self, uri: str, study: Study, folder: StudyFolder) -> None:
        quiet()
        self.uri, self.study = uri, study
        self.known: dict[str, Known] = {}
        """By key, ``TAG=NAME``."""
        self.found: dict[str, Found] = {}
        self._doubtful: set[str] = set()  # it is not known whether their creation came through
        try:
            database.make(uri)
            if file := sqlite.file_of(uri):
                sqlite.hurry(file)  # what MLflow misses is said again by the next call
            self.client = MlflowClient(tracking_uri=uri)
            self.experiment = self._experiment(study, folder, uri)
            for run in runs_of(self.client, self.experiment):
                self._meet(run)
        except Others:
            raise
        except Exception as error:  # MLflow lets the exceptions of its stores and of HTTP through
            said = outage.words(error)
            raise UserError(f"--tracking-uri {masked(uri)}: MLflow's store cannot be used: {said}") from None

    def _experiment(self, study: Study, folder: StudyFolder, uri: str) -> str:
        found = self.client.get_experiment_by_name(study.name)
        tags = {"hyperbudget.question": study.question, "mlflow.note.content": study.question, **KIND}
        tags[OWNER] = mark(folder)
        served = uri.startswith(("http:", "https:"))  # a server knows where its files are
        artifacts = None if served else (folder.path / "artifacts").as_uri()
        if found is None:
            return str(self.client.create_experiment(study.name, artifact_location=artifacts, tags=tags))
        if found.lifecycle_stage == "deleted":
            raise MlflowException(f"experiment '{study.name}' is in MLflow's trash; restore it or rename the study")
        if OWNER not in found.tags:  # of an earlier version
            self.client.set_experiment_tag(found.experiment_id, OWNER, tags[OWNER])
        refuse_others(found.tags.get(OWNER, tags[OWNER]), folder, f"--tracking-uri {masked(uri)}")
        if artifacts and found.artifact_location != artifacts and (file := sqlite.file_of(uri)):
            before = urlsplit(found.artifact_location)
            path = Path(url2pathname(before.path))
            ours = before.scheme == "file" and path.parts[-2:] == (study.name, "artifacts")
            if ours and (file.is_relative_to(folder.path) or not path.exists()):  # the folder was copied or moved
                database.follow(file, found.artifact_location, artifacts)
        return str(found.experiment_id)

    def _meet(self, run: Run) -> None:
        """Keep what the study needs to know of a run that is there."""
        key = key_of(run)
        if key is None:
            return
        if key in self.known and run.info.status == "RUNNING":
            self.client.set_terminated(run.info.run_id, "KILLED")  # of two, one is enough
            return
        told: set[int] | None = None if any(name.startswith("curve.") for name in run.data.metrics) else set()
        status = run.info.status
        self.known[key] = Known(run.info.run_id, run.info.start_time, run.info.artifact_uri, status, told)
        tags = {name: text for name, text in run.data.tags.items() if name in (CONFIGURATION_TAG, TRIAL_TAG, *FOUND)}
        numbers = {name: value for name, value in run.data.metrics.items() if name in FOUND}
        self.found[key] = Found(status, tags, numbers)

    def write(self, change: Change) -> None:
        """Write `change`, and return when the store has it. Raises what MLflow and its stores raise."""
        change = change.whole()
        made = change.origin is not None and change.key not in self.known
        run = self._run(change)
        if change.origin and not change.end and run.status != "RUNNING":
            self.client.update_run(run.run_id, status="RUNNING")
            run.status = "RUNNING"
        for file in change.files:
            self._attach(run, file)
        self._log(run, change, {} if made else change.tags)
        if change.end:
            self.client.set_terminated(run.run_id, change.end.status, end_time=change.end.stamp)
            run.status, run.told = change.end.status, None

    def _run(self, change: Change) -> Known:
        """The run that `change` is about; a new one has its tags from the first."""
        if change.key in self.known:
            return self.known[change.key]
        if change.origin is None:
            raise MlflowException(f"there is no run with the tag {change.key}", error_code=RESOURCE_DOES_NOT_EXIST)
        return self._make(change.origin, change.tags, change.end.stamp if change.end else None)

    def _make(self, origin: Origin, further: Mapping[str, str], ended: int | None = None) -> Known:
        name, _, value = origin.key.partition("=")
        tags = {name: value, **origin.tags, **further}
        if origin.parent:
            parent = self.known.get(origin.parent.key) or self._make(origin.parent, {})
            tags[PARENT_TAG] = parent.run_id
        there: list[Run] = []
        if origin.key in self._doubtful:
            there = [run for run in self._with_tag(name, value) if key_of(run) == origin.key]
        self._doubtful.add(origin.key)
        limited = {tag: text[:TAG_LENGTH] for tag, text in tags.items()}
        began = origin.began if ended is None else min(origin.began, ended)
        run = there[0] if there else self.client.create_run(self.experiment, began, limited, origin.label)
        known = Known(run.info.run_id, run.info.start_time, run.info.artifact_uri, "RUNNING", set())
        if origin.file:
            self._attach(known, origin.file)
        if origin.data:
            self.client.log_inputs(known.run_id, [_dataset(*origin.data)])
        self.known[origin.key] = known
        self._doubtful.discard(origin.key)
        return known

    def _with_tag(self, name: str, value: str) -> list[Run]:
        return list(self.client.search_runs([self.experiment], f"tags.`{name}` = '{value}'"))

    def _log(self, run: Known, change: Change, texts: Mapping[str, str]) -> None:
        """The numbers and parameters of `change`, and tags, in one call or as few as MLflow's limits allow."""
        metrics = [
            Metric(metric_name(number.name), number.value, _stamp(number, run), number.step)
            for number in self._untold(run, change)
        ]
        params = [Param(name, value[:PARAM_LENGTH]) for name, value in change.params.items()]
        tags = [RunTag(name, value[:TAG_LENGTH]) for name, value in texts.items()]
        while metrics or params or tags:  # MLflow takes 1,000 of all at once, 100 of them parameters, 100 of them tags
            self.client.log_batch(run.run_id, metrics[:800], params[:100], tags[:100])
            metrics, params, tags = metrics[800:], params[100:], tags[100:]
        if run.told is not None:
            run.told |= {number.step for number in change.numbers if number.told_once}

    def _untold(self, run: Known, change: Change) -> list[Number]:
        """The numbers of `change` without evaluations that the run has, and each evaluation once.

        A training that goes on from its checkpoint makes some evaluations again, at another time.
        """
        evaluations = {(number.name, number.step): number for number in reversed(change.numbers) if number.told_once}
        if evaluations and run.told is None:
            history = self.client.get_metric_history(run.run_id, "curve.validation_error")
            run.told = {point.step for point in history}
        told = run.told or set()
        untold = [number for (_, step), number in reversed(evaluations.items()) if step not in told]
        return [number for number in change.numbers if not number.told_once] + untold

    def _attach(self, run: Known, file: Path) -> None:
        """Attach a file to a run. MLflow's own client would ask the store, for every run, where its files are."""
        if file.exists():
            get_artifact_repository(run.artifacts, tracking_uri=self.uri).log_artifact(str(file))


FOUND = ("hyperbudget.label", STATUS_TAG, "host", "validation_error", "seeds")
"""Tags and metrics that say whether a run was written to its end."""


def quiet() -> None:
    """Settings of MLflow that suit a driver, where the user has no other; its messages are said by us."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for chatty in ("mlflow", "alembic"):  # they announce the creation of every table
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of connections that a dead server had
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it prints the traceback of every try
    logging.getLogger("mlflow.pytorch").setLevel(logging.ERROR)  # it warns of the pickles that it makes


def key_of(run: Run) -> str | None:
    """What `Tracker` knows a run by; None for a run that is none of a study's runs or configurations."""
    for tag in (RUN_TAG, CONFIGURATION_TAG):
        if tag in run.data.tags:
            return f"{tag}={run.data.tags[tag]}"
    return None


def runs_of(client: MlflowClient, experiment: str, where: str = "") -> Iterator[Run]:
    """Every run of the experiment that MLflow's filter `where` lets through, read page by page."""
    token: str | None = None
    while True:
        page = client.search_runs([experiment], where, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def all_runs(client: MlflowClient, experiment: str) -> list[Run]:
    """Every run of the experiment."""
    return list(runs_of(client, experiment))


def metric_name(name: str) -> str:
    """`name` with what MLflow does not allow in names replaced."""
    return re.sub(r"[^\w\-. /:]", "_", name)


def milliseconds(stamp: str) -> int:
    """An ISO 8601 time as MLflow counts it."""
    return int(datetime.datetime.fromisoformat(stamp).timestamp() * 1000)


def _stamp(number: Number, run: Known) -> int:
    return run.started + round(1000 * number.after) if number.stamp is None else number.stamp


def _dataset(task: str, digest: str) -> DatasetInput:
    """The data of a task as what a run trains on. MLflow's digests have at most 36 characters."""
    source = json.dumps({"task": task, "sha256": digest})
    return DatasetInput(
        Dataset(task, digest[:36], "hyperbudget", source), [InputTag("mlflow.data.context", "training")]
    )


def flat(section: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a section by their full names."""
    return {f"{section}.{name}": value for name, value in fields.items()}
