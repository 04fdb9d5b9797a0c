"""The driver of a study: Optuna asks and tells here, Ray executes, MLflow records.

What holds at every moment, so that the same command goes on after a kill -9 at any point:

- A run's result file is its commit point; the worker writes it by an atomic rename.
- After it come MLflow's numbers and the end of its run there, and only then the trial is told to Optuna. Each step can
  be repeated without changing what it wrote before.
- At the start, every trial that Optuna has as RUNNING is taken up again under its own number: runs with a result are
  adopted, the others dispatched (from their checkpoint where there is one).
- What the study is decides which configurations are begun and counted; `hyperbudget.study.former` says what becomes of
  those of an earlier state of its file.
"""

from __future__ import annotations

import statistics
import uuid
from collections import deque
from typing import Any

import optuna
from optuna.trial import TrialState

from hyperbudget.config import Study
from hyperbudget.data.load import digest
from hyperbudget.study import space
from hyperbudget.study.candidates import Candidate
from hyperbudget.study.folder import StudyFolder, read_json, write_json
from hyperbudget.study.pool import Done, Pool, Retried
from hyperbudget.study.progress import Listener, Outcome, Progress
from hyperbudget.study.proposals import REFUSALS_IN_A_ROW, Grid, Proposals, Sampled
from hyperbudget.study.record import Record
from hyperbudget.study.worker import Job
from hyperbudget.train.spec import RunSpec

BULKY = ("curve", "dynamics", "traceback")
"""Parts of a result that only MLflow is told."""


class Engine:
    """Drives `study` in `folder` to its end, or until `stop` is called. One engine a folder at a time (see its lock).

    `threads` and the other resources come from the study; `pool` executes, `record` and `trials` keep what came of it.
    """

    def __init__(
        self, study: Study, folder: StudyFolder, trials: optuna.Study, record: Record, pool: Pool, listener: Listener
    ) -> None:
        self.study, self.folder, self.trials, self.record, self.pool = study, folder, trials, record, pool
        self.progress = Progress(listener, pool.workers)
        self.attempt = uuid.uuid4().hex
        self.threads = max(1, int(study.resources.cpus))
        self.proposals: Proposals = (
            Grid(study, trials, record.configurations) if study.search.sampler == "grid" else Sampled(study, trials)
        )
        self.candidates: dict[int, Candidate] = {}  # trials that are not told yet, by number
        self.results: dict[int, dict[int, dict[str, Any]]] = {}  # trial -> seed -> result
        self.waiting: dict[str, list[tuple[int, int]]] = {}  # run -> the (trial, seed) pairs that want its result
        self.known: dict[str, dict[str, Any]] = {}  # run -> its result without curves, of all runs that have one
        self.hours = 0.0  # of training, of all of these
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
        self.record.interrupt()  # seeds that never started, or that an earlier state of the file had
        return self.progress.outcome(stopped=self.stopping)

    # -- starting -------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        for run in self.folder.all_runs():
            result = read_json(run.result)
            if result is not None:
                self._know(run.path.name, result)
        self._scope()
        for trial, chosen in self.proposals.begun:
            self._take_up(trial, chosen)
        self.progress.refused = self.proposals.refused

    def _scope(self) -> None:
        """Say how many runs the study has, and which ones in its folder are none of them any more."""
        candidates = [*(chosen for _, chosen in self.proposals.begun), *self.proposals.known()]
        configurations = len(self.proposals.begun) + self.proposals.coming
        self.progress.total = configurations * len(self.study.search.seeds)
        beyond = {run.path.name for run in self.folder.all_runs()}
        beyond -= {self._name(spec) for chosen in candidates for spec in chosen.runs(self.study.search.seeds)}
        self.progress.beyond = len(beyond & set(self.known))
        write_json(self.folder.scope, {"runs": self.progress.total, "beyond": sorted(beyond)})

    def _take_up(self, trial: optuna.trial.FrozenTrial, chosen: Candidate) -> None:
        """Count a trial that was begun before; go on with it where it, or one of its runs, has no result yet.

        The latter are trials that only the machine's faults kept from their end, and those of a study whose list of
        seeds has grown: they are trained now, and what Optuna was told stays.
        """
        results = [self.known.get(self._name(spec)) for spec in chosen.runs(self.study.search.seeds)]
        if trial.state == TrialState.RUNNING or None in results:
            self._dispatch(trial.number, chosen)
        else:
            for result in filter(None, results):
                self.progress.count(trial.number, chosen, result)

    def _may_start(self) -> bool:
        budget, seeds = self.study.budget, len(self.study.search.seeds)
        begun = len(self.known) + self.pool.pending
        if budget.runs is not None and begun + seeds > budget.runs:
            self.progress.stopped_by = f"budget.runs: {budget.runs} (a further configuration needs {seeds})"
            return False
        if budget.hours is not None and self.hours >= budget.hours:
            self.progress.stopped_by = f"budget.hours: {budget.hours:g} hours of training are used up"
            return False
        return True

    def _start_next(self) -> bool:
        """Begin a configuration and dispatch its runs. False: there is none, or none may start."""
        if not self.proposals.coming or not self._may_start():
            return False
        begun = self.proposals.next()
        self.progress.refused = self.proposals.refused
        if begun is None:
            if self.proposals.coming:
                self.progress.stopped_by = f"search: {REFUSALS_IN_A_ROW} proposals in a row were refused by the budget"
            return False
        self._dispatch(*begun)
        return True

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
        self.record.run_begun(name, spec, chosen, number)
        if name in self.known:
            self.ready.append(Done(job, read_json(folder.result)))
        else:
            self.pool.submit(job)

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
        self.record.run_ended(name, result)
        if done.result:
            result = self._know(name, result)
        claims = self.waiting.pop(name)
        for number, seed in claims:
            self.results[number][seed] = result
        for number, _ in claims:
            self.progress.ended(number, self.candidates[number], result, self.pool.pending)
            if len(self.results[number]) == len(self.study.search.seeds):
                self._finish_trial(number)

    def _know(self, name: str, result: dict[str, Any]) -> dict[str, Any]:
        """Keep what the study goes on with: most of a result is its curves, and the file has them."""
        if name not in self.known:
            self.hours += (result.get("seconds") or 0) / 3600
        self.known[name] = {key: value for key, value in result.items() if key not in BULKY}
        return self.known[name]

    def _finish_trial(self, number: int) -> None:
        chosen, results = self.candidates[number], list(self.results[number].values())
        key = chosen.configuration.run(self.study.search.seeds[0]).configuration()
        ok = all(result["status"] == "finished" for result in results)
        self.record.configuration_ended(key, results)
        if ok:
            mean = statistics.fmean(result["validation_error"] for result in results)
            values = space.objectives(self.study, mean, chosen.anatomy.learnable)
            self.trials.tell(number, values, skip_if_finished=True)
        else:
            self.trials.tell(number, state=TrialState.FAIL, skip_if_finished=True)
        del self.candidates[number], self.results[number]


def _fault(done: Done) -> dict[str, Any]:
    """What a run that the machine could not give a result counts as: failed, and tried again by the next call."""
    from hyperbudget.study.worker import now

    return {
        "status": "failed", "reason": done.fault, "run": done.job.run, "seed": done.job.fields["seed"],
        "finished": now(),
    }  # fmt: skip
