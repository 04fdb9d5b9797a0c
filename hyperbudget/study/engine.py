"""The driver of a study: Optuna asks and tells here, Ray executes, MLflow records.

What holds at every moment, so that the same command goes on after a kill -9 at any point:

- A run's result file is its commit point; the worker writes it by an atomic rename.
- After it come MLflow's numbers and the end of its run there, and only then the trial is told to Optuna. Each step can
  be repeated without changing what it wrote before.
- At the start, every trial that Optuna has as RUNNING is taken up again under its own number: runs with a result are
  adopted, the others dispatched (from their checkpoint where there is one).
- What the study is decides which configurations are begun and counted; `hyperbudget.study.former` says what becomes of
  those of an earlier state of its file.

Which seeds of a configuration are trained when is said by `hyperbudget.study.search.turns`, and which trainings are
ended early by `hyperbudget.study.search.pruning`.
"""

from __future__ import annotations

import contextlib
import statistics
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import optuna
from optuna.trial import TrialState

from hyperbudget.config import Study
from hyperbudget.data.load import digest
from hyperbudget.study.folder import StudyFolder, read_json, write_json
from hyperbudget.study.progress import Listener, Outcome, Progress
from hyperbudget.study.search import space
from hyperbudget.study.search.candidates import Candidate
from hyperbudget.study.search.proposals import REFUSALS_IN_A_ROW, Grid, Proposals, Sampled
from hyperbudget.study.search.pruning import Pruning
from hyperbudget.study.search.turns import due, promoted, turns
from hyperbudget.study.tally import Result, Tally
from hyperbudget.study.tracking.record import Record
from hyperbudget.study.workers import packs
from hyperbudget.study.workers.events import Done, Evaluated, Retried
from hyperbudget.study.workers.job import Job
from hyperbudget.study.workers.machine import now
from hyperbudget.study.workers.pool import Pool
from hyperbudget.train.spec import RunSpec

SILENCE = 10.0
"""Seconds for which MLflow's store may not answer before it is worth a line."""


@dataclass
class Begun:
    """A configuration whose runs are under way, or were. `promoted`: it gets the seeds of the second round, too."""

    chosen: Candidate
    promoted: bool = False
    results: dict[int, Result] = field(default_factory=dict)
    """By seed."""
    training: set[int] = field(default_factory=set)
    """Seeds that were dispatched and have no result yet."""

    def mean(self, seeds: Iterable[int]) -> float:
        """Of the validation error."""
        return statistics.fmean(self.results[seed]["validation_error"] for seed in seeds)


class Engine:
    """Drives `study` in `folder` to its end, or until `stop` is called. One engine a folder at a time (see its lock).

    `threads` and the other resources come from the study; `pool` executes, `record` and `trials` keep what came of it.
    """

    def __init__(
        self, study: Study, folder: StudyFolder, trials: optuna.Study, record: Record, pool: Pool, listener: Listener
    ) -> None:
        self.study, self.folder, self.record, self.pool = study, folder, record, pool
        self.progress = Progress(listener, pool.workers)
        self.attempt = uuid.uuid4().hex
        self.threads = max(1, int(study.resources.cpus))
        self.pruning = Pruning(study)
        self.proposals: Proposals = (
            Grid(study, trials, record.configurations) if study.search.sampler == "grid" else Sampled(study, trials)
        )
        self.tally = Tally(study, folder, self.proposals, self.progress)
        self.open: dict[int, Begun] = {}  # trials that are not told yet, and those in their second round
        self.told: dict[int, Begun] = {}  # of a study with a second round: trials that have finished the first
        self.waiting: dict[str, list[tuple[int, int]]] = {}  # run -> the (trial, seed) pairs that want its result
        self.ready: deque[Done] = deque()
        self.stopping = False
        self.record_behind = False  # the user knows that MLflow's store does not answer

    def stop(self) -> None:
        """Start nothing new; the trainings that are under way go on to their end."""
        self.stopping = True
        self.pool.drop_waiting()

    def run(self) -> Outcome:
        """All of it. What is still open when `stop` was called stays so, and the next call takes it up."""
        self._prepare()
        while True:
            while not self.stopping and self.pool.pending + len(self.ready) < self.pool.places and self._start_next():
                pass
            if not self.pool.pending and not self.ready and (self.stopping or not self._promote()):
                break
            self._collect()
            self._watch_record()
            self.progress.update(self.pool.pending)
        self.tally.write_scope()
        self.record.interrupt()  # seeds that never started, or that an earlier state of the file had
        return self.progress.outcome(stopped=self.stopping)

    # -- starting -------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        self.tally.read()
        for trial, chosen in self.proposals.begun:
            self._take_up(trial, chosen)
        self.progress.refused = self.proposals.refused
        self.tally.write_scope()

    def _take_up(self, trial: optuna.trial.FrozenTrial, chosen: Candidate) -> None:
        """Count a trial that was begun before; go on with it where it, or one of its runs, has no result yet.

        The latter are trials that only the machine's faults kept from their end, and those of a study whose list of
        seeds has grown, or that has no pruner any more: they are trained now, and what Optuna was told stays.
        """
        seeds, first, known = self.study.search.seeds, self.study.search.at_first, self.tally.known
        begun = Begun(chosen)
        for spec in chosen.runs(seeds):
            name = self.tally.name(spec)
            if self.study.search.pruner == "none" and known.get(name, {}).get("status") == "pruned":
                self.tally.forget(name)
            if name in known:
                self._adopt(trial.number, name, spec, begun)
                if self.pruning.by_curve and spec.seed == seeds[0] and (curve := self.tally.curve(name)):
                    self.pruning.replay(name, chosen, curve, known[name].get("validation_error"))
        begun.promoted = bool(begun.results.keys() - set(first))
        pruned = trial.state == TrialState.PRUNED and self.study.search.pruner != "none"
        if pruned or (trial.state.is_finished() and not due(self._turns(begun), begun.results)):
            self._settle(trial.number, begun)
        else:
            self._open(trial.number, begun)

    def _adopt(self, number: int, name: str, spec: RunSpec, begun: Begun) -> None:
        """Count the result that run `name` has, and see that MLflow has it, too."""
        result = begun.results[spec.seed] = self.tally.known[name]
        if not self.record.complete(name):
            self.record.run_begun(name, spec, begun.chosen, number)
            self.record.run_ended(name, dict(read_json(self.folder.run(name).result) or {}))
        self.progress.count(number, begun.chosen, result)

    def _turns(self, begun: Begun) -> list[tuple[int, ...]]:
        return turns(self.study, promoted=begun.promoted)

    def _may_start(self, seeds: int) -> bool:
        """Whether the budgets allow so many further runs."""
        wanted = self.tally.wanted
        coming = (len(wanted[n][1]) - len(begun.results) - len(begun.training) for n, begun in self.open.items())
        return self.tally.may_start(seeds, under_way=self.pool.pending + sum(coming))

    def _start_next(self) -> bool:
        """Begin a configuration and dispatch its runs. False: there is none, or none may start."""
        if not self.proposals.coming or not self._may_start(len(self.study.search.at_first)):
            return False
        begun = self.proposals.next()
        self.progress.refused = self.proposals.refused
        if begun is None:
            if self.proposals.coming:
                self.progress.stopped_by = f"search: {REFUSALS_IN_A_ROW} proposals in a row were refused by the budget"
            return False
        number, chosen = begun
        self._open(number, Begun(chosen))
        return True

    def _promote(self) -> bool:
        """The second round: dispatch the other seeds of the best configurations. False: there is nothing to do."""
        first = self.study.search.at_first
        errors = {number: (begun.chosen, begun.mean(first)) for number, begun in self.told.items()}
        started = False
        for number in promoted(self.study, errors):
            begun = self.told[number]
            if not begun.promoted and self._may_start(len(self.study.search.seeds) - len(first)):
                begun.promoted = started = True
                self._open(number, begun)
        return started

    def _open(self, number: int, begun: Begun) -> None:
        self.open[number] = begun
        self.tally.want(number, begun.chosen, (seed for seeds in self._turns(begun) for seed in seeds))
        self._advance(number)

    def _advance(self, number: int) -> None:
        """Dispatch the seeds of a trial whose turn it is, or end the trial."""
        begun = self.open[number]
        seeds = due(self._turns(begun), begun.results)
        if seeds and self.pruning.by_seeds:
            errors = {seed: result["validation_error"] for seed, result in begun.results.items()}
            if not self.pruning.seeded(str(number), begun.chosen, errors):
                self._finish_trial(number, pruned=True)
                return
        if not seeds:
            self._finish_trial(number)
        elif not self.stopping:
            begun.training.update(seeds)
            for spec in begun.chosen.runs(seeds):
                name = self.tally.name(spec)
                self.waiting.setdefault(name, []).append((number, spec.seed))
                if len(self.waiting[name]) == 1:
                    self._start_run(number, name, spec, begun.chosen)

    def _start_run(self, number: int, name: str, spec: RunSpec, chosen: Candidate) -> None:
        folder = self.folder.run(name)
        folder.path.mkdir(parents=True, exist_ok=True)
        write_json(folder.spec, {"run": name, **spec.fields()})
        folder.attempt.write_text(self.attempt, encoding="utf-8")
        folder.fault.unlink(missing_ok=True)
        job = Job(
            name, spec.fields(), digest(spec.task), folder.path, self.attempt, self.threads,
            asks=self.pruning.by_curve and spec.seed == self.study.search.seeds[0],
            time_limit=self.study.resources.time_limit, system_metrics=self.study.resources.system_metrics,
            pack=None if folder.checkpoint.exists() else packs.key(self.study, chosen, spec),
        )  # fmt: skip
        self.record.run_begun(name, spec, chosen, number)
        if name in self.tally.known:  # of another trial that is the same configuration
            self.ready.append(Done(job, read_json(folder.result)))
        else:
            self.pool.submit(job)

    # -- finishing ------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        if lost := self.record.lost():
            raise lost
        if self.ready:
            self._finish_run(self.ready.popleft())
            return
        for event in self.pool.wait(timeout=0.5):
            match event:
                case Evaluated():
                    self._evaluated(event)
                case Retried():
                    self.progress.listener.message(f"run {event.job.run}: {event.fault}; it is tried again")
                case Done():
                    self._finish_run(event)

    def _watch_record(self) -> None:
        """Say when MLflow's store has not answered for a while, and when it does again."""
        behind = self.record.behind()
        if bool(behind) == self.record_behind or 0 < behind < SILENCE:
            return
        self.record_behind = not self.record_behind
        self.progress.listener.message(
            "MLflow's store does not answer; the study goes on, and it will be told what it missed"
            if self.record_behind
            else "MLflow's store answers again"
        )

    def _evaluated(self, event: Evaluated) -> None:
        name, evaluation = event.job.run, event.evaluation
        if name not in self.waiting:  # it has ended meanwhile
            return
        if event.asks:
            chosen = self.open[self.waiting[name][0][0]].chosen
            go_on = self.pruning.trained(name, chosen, evaluation.step, evaluation.validation_error)
            self.pool.answer(name, go_on=go_on)
        self.record.evaluated(name, evaluation)

    def _finish_run(self, done: Done) -> None:
        name = done.job.run
        result = done.result or _fault(done)
        self.record.run_ended(name, result)
        if done.result:
            result = self.tally.know(name, result)
        else:
            with contextlib.suppress(OSError):  # as where the disk is what failed; MLflow has it, too
                write_json(self.folder.run(name).fault, result)
        self.pruning.ended(name, result.get("validation_error"))
        claims = self.waiting.pop(name)
        for number, seed in claims:
            begun = self.open[number]
            begun.results[seed] = result
            begun.training.discard(seed)
        for number, _ in claims:
            begun = self.open[number]
            self.progress.ended(number, begun.chosen, result, self.pool.pending)
            if not begun.training:
                self._advance(number)

    def _finish_trial(self, number: int, *, pruned: bool = False) -> None:
        """`pruned`: by its seeds; else its results say how it went."""
        begun = self.open.pop(number)
        statuses = {result["status"] for result in begun.results.values()}
        error = begun.mean(begun.results) if statuses == {"finished"} and not pruned else None
        self.pruning.ended(str(number), error)
        self._settle(number, begun)
        if any(result.get("fault") for result in begun.results.values()):
            return  # the machine's, and nothing that a sampler should learn: the next call takes the trial up again
        if error is not None:
            values = space.objectives(self.study, error, begun.chosen.anatomy.learnable)
            self.proposals.tell(number, TrialState.COMPLETE, values)
        else:
            self.proposals.tell(number, TrialState.PRUNED if pruned or "pruned" in statuses else TrialState.FAIL)

    def _settle(self, number: int, begun: Begun) -> None:
        """A trial has all the results that it will have, in this round at least."""
        key = begun.chosen.name
        if not self.record.configuration_complete(key, len(begun.results)):
            self.record.configuration_ended(key, list(begun.results.values()))
        self.tally.want(number, begun.chosen, begun.results)
        finished = {seed for seed, result in begun.results.items() if result["status"] == "finished"}
        if self.study.search.promote is not None and finished >= set(self.study.search.at_first):
            self.told[number] = begun


def _fault(done: Done) -> Result:
    """What a run that the machine could not give a result counts as: failed, and tried again by the next call."""
    return {
        "status": "failed", "reason": done.fault, "run": done.job.run, "seed": done.job.fields["seed"],
        "finished": now(), "fault": True,
    }  # fmt: skip
