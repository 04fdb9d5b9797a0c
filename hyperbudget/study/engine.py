"""The driver of a study: Optuna asks and tells here, Ray executes, MLflow records.

What holds at every moment, so that the same command goes on after a kill -9 at any point:

- A run's result file is its commit point; the worker writes it by an atomic rename.
- After it come MLflow's numbers and the end of its run there, and only then the trial is told to Optuna. Each step can
  be repeated without changing what it wrote before.
- At the start, every trial that Optuna has as RUNNING is taken up again under its own number: runs with a result are
  adopted, the others dispatched (from their checkpoint where there is one).
"""

from __future__ import annotations

import functools
import json
import statistics
import uuid
from collections import deque
from typing import Any

import optuna
from optuna.trial import TrialState

from hyperbudget.config import Refused, Study
from hyperbudget.data.load import digest
from hyperbudget.study import space
from hyperbudget.study.candidates import Candidate, at, candidate
from hyperbudget.study.folder import StudyFolder, read_json, write_json
from hyperbudget.study.plan import grid_candidates
from hyperbudget.study.pool import Done, Pool, Retried
from hyperbudget.study.progress import Listener, Outcome, Progress
from hyperbudget.study.provenance import versions
from hyperbudget.study.tracking import Tracker
from hyperbudget.study.worker import Job
from hyperbudget.train.spec import RunSpec

REFUSALS_IN_A_ROW = 1_000
"""After so many refused proposals one after the other, the sampler will not find a configuration that fits."""


class Engine:
    """Drives `study` in `folder` to its end, or until `stop` is called. One engine a folder at a time (see its lock).

    `threads` and the other resources come from the study; `pool` executes, `tracker` and `trials` record.
    """

    def __init__(
        self, study: Study, folder: StudyFolder, trials: optuna.Study, tracker: Tracker, pool: Pool, listener: Listener
    ) -> None:
        self.study, self.folder, self.trials, self.tracker, self.pool = study, folder, trials, tracker, pool
        self.progress = Progress(listener, pool.workers)
        self.versions = {f"version.{name}": version for name, version in versions().items()}
        self.attempt = uuid.uuid4().hex
        self.threads = max(1, int(study.resources.cpus))
        self.grid = study.search.sampler == "grid"
        self.candidates: dict[int, Candidate] = {}  # trials that are not told yet, by number
        self.results: dict[int, dict[int, dict[str, Any]]] = {}  # trial -> seed -> result
        self.waiting: dict[str, list[tuple[int, int]]] = {}  # run -> the (trial, seed) pairs that want its result
        self.asked = 0  # trials whose configuration was dispatched, in this call or before
        self.enqueued = 0  # trials that wait in Optuna's queue
        self.mlflow: dict[str, str] = {}  # run or configuration -> its id in MLflow
        self.known: dict[str, dict[str, Any]] = {}  # run -> result, of all runs that have one
        self.ready: deque[Done] = deque()
        self.stopping = False

    def stop(self) -> None:
        """Start nothing new; the trainings that are under way go on to their end."""
        self.stopping = True
        self.pool.drop_waiting()

    def run(self) -> Outcome:
        """All of it. What is still open when `stop` was called stays so, and the next call takes it up."""
        self._prepare()
        while True:
            while not self.stopping and self.pool.pending + len(self.ready) < self.pool.workers and self._start_next():
                pass
            if not self.pool.pending and not self.ready:
                break
            self._collect()
            self.progress.update(self.pool.pending)
        if self.candidates:  # stopped, with seeds that never started
            self.tracker.interrupt()
        return self.progress.outcome(stopped=self.stopping)

    # -- starting -------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        for run in self.folder.all_runs():
            result = read_json(run.result)
            if result is not None:
                self.known[run.path.name] = result
        before = self.trials.get_trials(deepcopy=False)
        if self.grid:
            self._enqueue_grid()
        for trial in before:
            if "point" in trial.user_attrs:
                self.asked += 1
                self._take_up(trial)
            elif "refused" in trial.user_attrs:
                self.progress.refused += 1
            elif trial.state == TrialState.RUNNING:  # the driver died while it was asking: nothing was started
                if "fixed_params" in trial.system_attrs:
                    self.trials.enqueue_trial(trial.system_attrs["fixed_params"])
                self.trials.tell(trial.number, state=TrialState.FAIL)
        self.enqueued = len(self.trials.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
        total = self.asked + self.enqueued if self.grid else self.study.search.trials
        self.progress.total = (total or 0) * len(self.study.search.seeds)

    def _take_up(self, trial: optuna.trial.FrozenTrial) -> None:
        """Count a trial that was begun before; go on with it where it, or one of its runs, has no result yet.

        The latter are trials that only the machine's faults kept from their end, and those of a study whose list of
        seeds has grown: they are trained now, and what Optuna was told stays.
        """
        chosen = candidate(self.study, at(_decoded(trial.user_attrs["point"])))
        results = [self.known.get(self._name(spec)) for spec in chosen.runs(self.study.search.seeds)]
        if trial.state == TrialState.RUNNING or None in results:
            self._dispatch(trial.number, chosen)
        else:
            for result in filter(None, results):
                self.progress.count(trial.number, chosen, result)

    def _enqueue_grid(self) -> None:
        """Every point that the budget allows, in the order of the file; those that are there already are skipped."""
        candidates, unbuildable = grid_candidates(self.study)
        wanted = [candidate for candidate in candidates if candidate.refusal is None]
        self.progress.refused += len(unbuildable) + len(candidates) - len(wanted)
        for chosen in wanted:
            self.trials.enqueue_trial(_encoded(chosen.configuration.point), skip_if_exists=True)

    def _may_start(self) -> bool:
        budget, seeds = self.study.budget, len(self.study.search.seeds)
        begun = len(self.known) + self.pool.pending
        if budget.runs is not None and begun + seeds > budget.runs:
            self.progress.stopped_by = f"budget.runs: {budget.runs} (a further configuration needs {seeds})"
            return False
        hours = sum(result.get("seconds") or 0 for result in self.known.values()) / 3600
        if budget.hours is not None and hours >= budget.hours:
            self.progress.stopped_by = f"budget.hours: {budget.hours:g} hours of training are used up"
            return False
        return True

    def _start_next(self) -> bool:
        """Ask for a configuration and dispatch its runs. False: there is none, or none may start."""
        for _ in range(REFUSALS_IN_A_ROW):
            wanted = self.enqueued > 0 or (not self.grid and self.asked < (self.study.search.trials or 0))
            if not wanted or not self._may_start():
                return False
            trial = self.trials.ask()
            self.enqueued = max(0, self.enqueued - 1)
            try:
                chosen = candidate(self.study, functools.partial(space.suggest, trial))
            except Refused as refused:
                self._refuse(trial, refused.reason, constraint=1.0, learnable=0)
                continue
            if chosen.refusal:
                self._refuse(trial, chosen.refusal, chosen.over_budget, chosen.anatomy.learnable)
                continue
            if self.study.budget.params is not None:
                trial.set_constraint("params", chosen.over_budget)
            self.asked += 1
            trial.set_user_attr("point", _encoded(chosen.configuration.point))
            self._dispatch(trial.number, chosen)
            return True
        self.progress.stopped_by = f"search: {REFUSALS_IN_A_ROW} proposals in a row were refused by the budget"
        return False

    def _refuse(self, trial: optuna.Trial, reason: str, constraint: float, learnable: int) -> None:
        """Told as complete, worst and infeasible: the sampler learns where the budget ends; nothing is trained."""
        trial.set_constraint("params", constraint)
        trial.set_user_attr("refused", reason)
        self.trials.tell(trial, space.objectives(self.study, space.WORST_ERROR, learnable))
        self.progress.refused += 1

    def _dispatch(self, number: int, chosen: Candidate) -> None:
        self.candidates[number] = chosen
        self.results[number] = {}
        for spec in chosen.runs(self.study.search.seeds):
            name = self._name(spec)
            self.waiting.setdefault(name, []).append((number, spec.seed))
            if len(self.waiting[name]) == 1:
                self._start_run(number, name, spec, chosen)

    def _start_run(self, number: int, name: str, spec: RunSpec, chosen: Candidate) -> None:
        folder = self.folder.run(name)
        folder.path.mkdir(parents=True, exist_ok=True)
        write_json(folder.spec, {"run": name, **spec.fields()})
        folder.attempt.write_text(self.attempt, encoding="utf-8")
        job = Job(name, spec.fields(), digest(spec.task), folder.path, self.attempt, self.threads)
        self.mlflow[name] = self._record_start(number, name, spec, chosen)
        if name in self.known:
            self.ready.append(Done(job, self.known[name]))
        else:
            self.pool.submit(job)

    def _record_start(self, number: int, name: str, spec: RunSpec, chosen: Candidate) -> str:
        fields = {"task": spec.task, **_flat("model", spec.model.fields())}
        fields |= _flat("training", spec.fields()["training"])
        numbers = chosen.anatomy.metrics()
        key = spec.configuration()
        common = {"family": spec.model.family.name, "task": spec.task}
        self.mlflow[key] = self.tracker.configuration(key, chosen.label, common, fields, numbers)
        tags = common | {
            "hyperbudget.configuration": key,
            "hyperbudget.label": chosen.label,
            "hyperbudget.trial": str(number),
            "data_digest": digest(spec.task),
        }
        label = f"{chosen.label} seed {spec.seed}"
        return self.tracker.run(name, label, self.mlflow[key], tags, {**fields, "seed": spec.seed}, numbers)

    def _name(self, spec: RunSpec) -> str:
        return spec.name(digest(spec.task))

    # -- finishing ------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        if self.ready:
            self._finish_run(self.ready.popleft())
            return
        for event in self.pool.wait(timeout=0.5):
            if isinstance(event, Retried):
                self.progress.listener.message(f"run {event.job.run}: {event.fault}; it is tried again")
            else:
                self._finish_run(event)

    def _finish_run(self, done: Done) -> None:
        name = done.job.run
        result = done.result or _fault(done)
        if done.result:
            self.known[name] = result
        self._record_end(name, result)
        claims = self.waiting.pop(name)
        for number, seed in claims:
            self.results[number][seed] = result
        for number, _ in claims:
            self.progress.ended(number, self.candidates[number], result, self.pool.pending)
            if len(self.results[number]) == len(self.study.search.seeds):
                self._finish_trial(number)

    def _record_end(self, name: str, result: dict[str, Any]) -> None:
        curve = result.get("curve") or {"step": []}
        curves = {
            f"curve.{key}": list(zip(curve["step"], values, strict=True))
            for key, values in curve.items()
            if key != "step"
        }
        keys = ("validation_error", "test_error", "best_step", "seconds", "compact_bytes")
        numbers = {key: result[key] for key in keys if result.get(key) is not None}
        dynamics = _flat("dynamics", result.get("dynamics") or {})  # an older result has none
        numbers |= {name: value for name, value in dynamics.items() if not isinstance(value, list)}
        tags = {key: str(result[key]) for key in ("metric", "reason", "device", "host", "finished") if result.get(key)}
        tags |= {name: str(value) for name, value in _flat("hardware", result.get("hardware", {})).items()}
        tags |= {name: json.dumps(value) for name, value in dynamics.items() if isinstance(value, list)}
        tags |= self.versions
        ok = result["status"] == "finished"
        if ok:
            self.tracker.artifact(self.mlflow[name], self.folder.run(name).model)
        self.tracker.finish(
            self.mlflow[name], ok=ok, numbers=numbers, curves=curves, tags=tags, finished=result["finished"]
        )

    def _finish_trial(self, number: int) -> None:
        chosen, results = self.candidates[number], list(self.results[number].values())
        key = chosen.configuration.run(self.study.search.seeds[0]).configuration()
        ok = all(result["status"] == "finished" for result in results)
        means = {}
        if ok:
            for quantity in ("validation_error", "test_error"):
                means[quantity] = statistics.fmean(result[quantity] for result in results)
        last = max(result["finished"] for result in results)
        self.tracker.finish(self.mlflow[key], ok=ok, numbers=means, curves={}, tags={}, finished=last)
        if ok:
            values = space.objectives(self.study, means["validation_error"], chosen.anatomy.learnable)
            self.trials.tell(number, values, skip_if_finished=True)
        else:
            self.trials.tell(number, state=TrialState.FAIL, skip_if_finished=True)
        del self.candidates[number], self.results[number]


def _encoded(point: dict[str, Any]) -> dict[str, Any]:
    return {name: space.encode(value) for name, value in point.items()}


def _decoded(point: dict[str, Any]) -> dict[str, Any]:
    return {name: space.decode(value) for name, value in point.items()}


def _flat(section: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {f"{section}.{name}": value for name, value in fields.items()}


def _fault(done: Done) -> dict[str, Any]:
    """What a run that the machine could not give a result counts as: failed, and tried again by the next call."""
    from hyperbudget.study.worker import now

    return {
        "status": "failed", "reason": done.fault, "run": done.job.run, "seed": done.job.fields["seed"],
        "finished": now(),
    }  # fmt: skip
