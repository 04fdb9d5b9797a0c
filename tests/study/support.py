"""What the tests of the engine share: a tiny study, a pool without processes, and readers of what was recorded."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter, deque
from pathlib import Path
from typing import Any

import mlflow
import optuna

from hyperbudget.config import Study, load
from hyperbudget.study.engine import Engine
from hyperbudget.study.folder import RunFolder, StudyFolder, read_json, write_json
from hyperbudget.study.former import former, refuse_another_meaning
from hyperbudget.study.pool import Done
from hyperbudget.study.progress import Outcome
from hyperbudget.study.record import Record
from hyperbudget.study.tracking import PARENT_TAG, RUN_TAG, Tracker, all_runs
from hyperbudget.study.worker import Job

TINY = """
question: Does it survive?
task: digits
model:
  network: resnet
  family: {grid: [free, hyper]}
  width: {grid: [4, 8]}
  embedding_size: 2
  basic_in: 4
  basic_out: 4
training: {steps: 120, batch_size: 64, learning_rate: 1e-2, evaluate_every: 30}
search: {seeds: [0, 1]}
"""
"""4 configurations x 2 seeds = 8 runs of about a second."""


def tiny(folder: Path, *overrides: str, text: str = TINY, name: str = "tiny") -> Study:
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, overrides)


class Silent:
    """A listener that remembers messages."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def update(self, snapshot: Any) -> None: ...

    def run_ended(self, what: str, result: dict[str, Any], snapshot: Any) -> None:
        self.messages.append(f"{what}: {result['status']}")

    def message(self, text: str) -> None:
        self.messages.append(text)


class InlinePool:
    """The pool's interface in one process: a job ends when it is waited for, with a made-up result.

    It counts how often every run was trained, and commits results to their files as a worker does.
    """

    def __init__(self, workers: int = 2) -> None:
        self.workers = workers
        self.jobs: deque[Job] = deque()
        self.trained: Counter[str] = Counter()
        self.fail = lambda job: None  # job -> reason

    @property
    def pending(self) -> int:
        return len(self.jobs)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def drop_waiting(self) -> None:
        self.jobs.clear()

    def wait(self, timeout: float):
        if self.jobs:
            job = self.jobs.popleft()
            yield Done(job, self.execute(job))

    def execute(self, job: Job) -> dict[str, Any]:
        folder = RunFolder(job.folder)
        done = read_json(folder.result)
        if done is None:
            self.trained[job.run] += 1
            done = made_up(job, self.fail(job))
            write_json(folder.result, done)
        return done


def made_up(job: Job, reason: str | None = None) -> dict[str, Any]:
    """A result that is a function of the run alone."""
    common = {
        "run": job.run, "seed": job.fields["seed"], "host": "here", "device": "CPU, 1 threads",
        "finished": "2026-01-02T03:04:05.678+00:00", "hardware": {"processor": "p", "cores": 2, "accelerator": "none"},
    }  # fmt: skip
    if reason:
        return {**common, "status": "failed", "reason": reason}
    error = int(job.run[:4], 16) / 0xFFFF
    return {
        **common, "status": "finished", "reason": None, "validation_error": error, "test_error": error / 2,
        "best_step": 60, "seconds": 1.5, "compact_bytes": 1234,
        "curve": {"step": [30, 60], "train_loss": [2.0, 1.0], "validation_error": [0.9, error], "seconds": [0.75, 1.5]},
    }  # fmt: skip


class Unrecorded:
    """The record's interface, and nothing behind it: for what does not depend on MLflow, which takes its time."""

    def __init__(self) -> None:
        self.configurations: dict[int, str] = {}

    def run_begun(self, *_: Any) -> None: ...

    def run_ended(self, *_: Any) -> None: ...

    def configuration_ended(self, *_: Any) -> None: ...

    def interrupt(self) -> None: ...


@dataclasses.dataclass
class Bench:
    """A study with its stores, over several lives of its driver. `tracking`: MLflow's store; None: nothing tracks."""

    study: Study
    folder: StudyFolder
    tracking: str | None
    storage: optuna.storages.BaseStorage
    pool: InlinePool = dataclasses.field(default_factory=InlinePool)
    listener: Silent = dataclasses.field(default_factory=Silent)

    def engine(self) -> Engine:
        """A new driver on what the earlier ones left."""
        from hyperbudget.study import space

        self.pool.jobs.clear()
        self.folder.runs.mkdir(parents=True, exist_ok=True)
        before = former(self.folder)
        refuse_another_meaning(self.study, before)
        trials = space.open_study(self.study, self.storage, compared=before is not None)
        self.folder.study.write_text(self.study.resolved_yaml(), encoding="utf-8")
        record = Record(Tracker(self.tracking, self.study, self.folder), self.folder) if self.tracking else Unrecorded()
        return Engine(self.study, self.folder, trials, record, self.pool, self.listener)

    def run(self) -> Outcome:
        return self.engine().run()

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        return optuna.load_study(study_name=self.study.name, storage=self.storage).trials

    def states(self) -> Counter[str]:
        return Counter(trial.state.name for trial in self.trials)


def recorded(tracking: str, name: str) -> tuple[list[Any], list[Any]]:
    """MLflow's (parents, children) of the study `name`."""
    client = mlflow.MlflowClient(tracking_uri=tracking)
    runs = all_runs(client, client.get_experiment_by_name(name).experiment_id)
    children = [run for run in runs if RUN_TAG in run.data.tags]
    parents = [run for run in runs if RUN_TAG not in run.data.tags]
    assert {run.data.tags[PARENT_TAG] for run in children} <= {run.info.run_id for run in parents}
    return parents, children


def statuses(runs: list[Any]) -> Counter[str]:
    return Counter(run.info.status for run in runs)


def results(folder: StudyFolder) -> dict[str, dict[str, Any]]:
    """Run -> its result file, of all runs that have one."""
    found = ((run.path.name, run.result) for run in folder.all_runs())
    return {name: json.loads(file.read_text()) for name, file in found if file.exists()}


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    """What two trainings of the same run must agree in: all but the time that they took."""
    curve = {name: values for name, values in result["curve"].items() if name != "seconds"}
    return {name: result[name] for name in ("status", "validation_error", "test_error", "best_step")} | {"curve": curve}


class Death(BaseException):
    """The driver's end at an operation."""


OPERATIONS = [
    (mlflow.MlflowClient, ("create_run", "log_batch", "set_terminated", "update_run", "log_artifact")),
    (optuna.Study, ("add_trial", "ask", "tell")),
    (optuna.Trial, ("set_user_attr",)),
    (InlinePool, ("submit", "execute")),
]


def die_at(monkeypatch, moment):
    """Raise Death before the operation number `moment` of all that touch the world; returns the count so far."""
    count = Counter()

    def dying(method):
        def call(*arguments, **options):
            count["operations"] += 1
            if count["operations"] == moment:
                raise Death
            return method(*arguments, **options)

        return call

    for owner, names in OPERATIONS:
        for name in names:
            monkeypatch.setattr(owner, name, dying(getattr(owner, name)))
    return count


counter = itertools.count()
