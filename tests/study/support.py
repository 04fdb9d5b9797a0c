"""What the tests of the engine share: a tiny study, a pool without processes, and readers of what was recorded."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import optuna
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from hyperbudget.config import Study, load
from hyperbudget.errors import UserError
from hyperbudget.study.engine import Engine
from hyperbudget.study.folder import RunFolder, StudyFolder, read_json, write_json
from hyperbudget.study.former import former, refuse_another_meaning
from hyperbudget.study.progress import Outcome
from hyperbudget.study.search.proposals import Grid
from hyperbudget.study.status import status
from hyperbudget.study.tracking.record import Record
from hyperbudget.study.tracking.tracker import CONFIGURATION_TAG, PARENT_TAG, RUN_TAG, Tracker, all_runs
from hyperbudget.study.tracking.writer import Writer
from hyperbudget.study.workers.events import Done, Evaluated
from hyperbudget.study.workers.job import Evaluation, Job

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

FREE = """
question: Which of them?
task: digits
model: {network: resnet, family: free, width: {grid: [4, 8]}}
training: {steps: 120, batch_size: 64, learning_rate: 1e-2, evaluate_every: 30}
search: {seeds: [0, 1, 2]}
"""


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

    It counts how often every run was trained, and commits results to their files as a worker does. With `evaluations`,
    the first `workers` jobs take turns: each wait is one evaluation of one of them, or its end.
    """

    def __init__(self, workers: int = 2) -> None:
        self.workers = self.places = workers
        self.jobs: deque[Job] = deque()
        self.trained: Counter[str] = Counter()
        self.fail = lambda job: None  # job -> reason
        self.evaluations: Callable[[Job], list[Evaluation]] = lambda job: []
        self.coming: dict[str, list[Evaluation]] = {}  # run -> its evaluations that are not told yet
        self.asking: dict[str, Evaluation] = {}  # run -> where it waits for an answer
        self.pruned: dict[str, Evaluation] = {}

    @property
    def pending(self) -> int:
        return len(self.jobs)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self.coming[job.run] = self.evaluations(job)

    def drop_waiting(self) -> None:
        """None of them has begun, as far as anybody can tell."""
        self.jobs.clear()

    def answer(self, run: str, *, go_on: bool) -> None:
        evaluation = self.asking.pop(run, None)
        if evaluation and not go_on:
            self.pruned[run] = evaluation

    def wait(self, timeout: float):
        trains = [job for job in itertools.islice(self.jobs, self.workers) if job.run not in self.asking]
        assert trains or not self.jobs, "all runs wait for an answer"
        if trains:
            job = trains[0]
            self.jobs.remove(job)
            if self.coming[job.run] and job.run not in self.pruned:
                yield self.evaluate(job, self.coming[job.run].pop(0))
            else:
                yield Done(job, self.execute(job))

    def evaluate(self, job: Job, evaluation: Evaluation) -> Evaluated:
        self.jobs.insert(self.workers - 1, job)  # behind the others that train
        asks = job.asks and bool(self.coming[job.run])
        if asks:
            self.asking[job.run] = evaluation
        return Evaluated(job, evaluation, asks)

    def execute(self, job: Job) -> dict[str, Any]:
        folder = RunFolder(job.folder)
        done = read_json(folder.result)
        if done is None:
            self.trained[job.run] += 1
            done = made_up(job, self.fail(job))
            if job.run in self.pruned:
                done = cut_short(done, self.pruned.pop(job.run))
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


def cut_short(result: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    """What the worker makes of a run that is pruned at `evaluation`."""
    left = {name: value for name, value in result.items() if name in ("run", "seed", "host", "finished", "hardware")}
    curve = {name: [value] for name, value in dataclasses.asdict(evaluation).items() if name != "usage"}
    return {
        **left, "status": "pruned", "reason": f"pruned at step {evaluation.step}", "stopped_at": evaluation.step,
        "metric": "error", "seconds": evaluation.seconds, "curve": curve,
        "validation_error_so_far": evaluation.validation_error,
    }  # fmt: skip


class Unrecorded:
    """The record's interface, and nothing behind it: for what does not depend on MLflow, which takes its time."""

    def __init__(self) -> None:
        self.configurations: dict[int, str] = {}

    def complete(self, *_: Any) -> bool:
        return True

    configuration_complete = complete

    def lost(self) -> None: ...

    def behind(self) -> float:
        return 0.0

    def run_begun(self, *_: Any) -> None: ...

    def evaluated(self, *_: Any) -> None: ...

    def run_ended(self, *_: Any) -> None: ...

    def configuration_ended(self, *_: Any) -> None: ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


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
        from hyperbudget.study.search import space

        self.pool.jobs.clear()
        self.folder.runs.mkdir(parents=True, exist_ok=True)
        before = former(self.folder)
        refuse_another_meaning(self.study, before)
        trials = space.open_study(self.study, self.storage, compared=before is not None)
        self.folder.study.write_text(self.study.resolved_yaml(), encoding="utf-8")
        record = Record(Tracker(self.tracking, self.study, self.folder), self.folder) if self.tracking else Unrecorded()
        return Engine(self.study, self.folder, trials, record, self.pool, self.listener)

    def run(self) -> Outcome:
        engine = self.engine()
        try:
            return engine.run()
        finally:
            with contextlib.suppress(UserError, Death):  # the tests that want them get them from the engine
                engine.record.close()

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
    parents = [run for run in runs if CONFIGURATION_TAG in run.data.tags and RUN_TAG not in run.data.tags]
    assert {run.data.tags[PARENT_TAG] for run in children} <= {run.info.run_id for run in parents}
    return parents, children


def statuses(runs: list[Any]) -> Counter[str]:
    return Counter(run.info.status for run in runs)


def results(folder: StudyFolder) -> dict[str, dict[str, Any]]:
    """Run -> its result file, of all runs that have one."""
    found = ((run.path.name, run.result) for run in folder.all_runs())
    return {name: json.loads(file.read_text()) for name, file in found if file.exists()}


def assert_status(folder: StudyFolder, total: int, **counts: int) -> None:
    """What `hyperbudget status` shows of a study that no driver is at work on; counts that are not given are 0."""
    now = status(folder)
    shown = {name: getattr(now, name) for name in ("finished", "failed", "pruned", "open", "beyond")}
    assert shown == dict.fromkeys(shown, 0) | counts
    assert (now.total, now.driver, len(now.failures)) == (total, False, now.failed)


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    """What two trainings of the same run must agree in: all but the time that they took."""
    curve = {name: values for name, values in result["curve"].items() if name != "seconds"}
    return {name: result[name] for name in ("status", "validation_error", "test_error", "best_step")} | {"curve": curve}


class Death(BaseException):
    """The driver's end at an operation."""


OPERATIONS = [
    (mlflow.MlflowClient, ("create_run", "log_batch", "set_terminated", "update_run")),
    (LocalArtifactRepository, ("log_artifact",)),
    (optuna.Study, ("add_trial", "ask", "tell")),
    (Grid, ("tell",)),
    (optuna.Trial, ("set_user_attr",)),
    (InlinePool, ("submit", "execute")),
]


def die_at(monkeypatch, moment):
    """Raise Death before the operation number `moment` of all that touch the world, and before all that come after it,
    on whatever thread; returns the count so far."""
    count = Counter()

    def dying(method):
        def call(*arguments, **options):
            count["operations"] += 1
            if 0 < moment <= count["operations"]:
                raise Death
            return method(*arguments, **options)

        return call

    for owner, names in OPERATIONS:
        for name in names:
            monkeypatch.setattr(owner, name, dying(getattr(owner, name)))
    return count


def in_step(monkeypatch):
    """Let the driver wait for MLflow after everything that it says, so that operations have one order."""
    put = Writer.put

    def wait(writer, change, **options):
        put(writer, change, **options)
        writer.flush()

    monkeypatch.setattr(Writer, "put", wait)


counter = itertools.count()
