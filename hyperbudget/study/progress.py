"""How far a study is: counted here, shown by whoever listens."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from hyperbudget.study.results.metrics import ERROR, metric_named
from hyperbudget.study.search.candidates import Candidate
from hyperbudget.study.search.fronts import front


@dataclass(frozen=True)
class Best:
    """A configuration on its task's front so far: no smaller one has a lower mean validation error.

    `metric`: what that error is, by its name in `hyperbudget.study.results.metrics`.
    """

    label: str
    learnable: int
    validation_error: float
    seeds: int
    metric: str = ERROR.name


@dataclass(frozen=True)
class Snapshot:
    """The state of a study at one moment. Counts are runs; `refused` counts configurations."""

    total: int
    finished: int
    failed: int
    pruned: int
    running: int
    refused: int
    front: Callable[[], list[Best]]
    """Worked out when it is asked for: not every listener shows it, and it goes through all configurations."""
    seconds_left: float | None
    """Estimated from the mean time of the finished runs and the number of workers; None before the first one."""


@dataclass(frozen=True)
class Outcome:
    """How a call of `run` ended."""

    finished: int
    pruned: int
    failures: list[tuple[str, str]]
    """What failed and why: (label and seed, reason)."""
    refused: int
    stopped: bool
    """The user stopped it: there is more to do."""
    stopped_by: str | None
    """The budget that stopped it, in words."""
    beyond: int = 0
    """Runs with a result that the study does not have any more: its file has changed."""


class Listener(Protocol):
    """Shows a study's progress."""

    def update(self, snapshot: Snapshot) -> None:
        """Called whenever something may have changed, several times a second."""

    def run_ended(self, what: str, result: dict[str, Any], snapshot: Snapshot) -> None:
        """Called for every run that ends in this call."""

    def message(self, text: str) -> None:
        """Something the user should know."""


@dataclass
class Progress:
    """Counts results, each (trial, seed) once. `begun`: the runs of all trials that were begun, as far as is known."""

    listener: Listener
    workers: int
    begun: int = 0
    total: int = 0
    refused: int = 0
    beyond: int = 0
    stopped_by: str | None = None
    failed: int = 0
    pruned: int = 0
    results: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    candidates: dict[int, Candidate] = field(default_factory=dict)
    seconds: float = 0.0
    timed: int = 0
    _shown: float = 0.0

    def count(self, trial: int, candidate: Candidate, result: dict[str, Any]) -> None:
        """Add a result that is there already."""
        self.candidates[trial] = candidate
        self.results[trial, result["seed"]] = result
        self.failed += result["status"] == "failed"
        self.pruned += result["status"] == "pruned"
        if result.get("seconds"):
            self.seconds += result["seconds"]
            self.timed += 1

    def ended(self, trial: int, candidate: Candidate, result: dict[str, Any], running: int) -> None:
        """Add a result that came in now, and say so."""
        self.count(trial, candidate, result)
        self.listener.run_ended(f"{candidate.label} seed {result['seed']}", result, self.snapshot(running))

    def update(self, running: int) -> None:
        """Let the listener draw, a few times a second at most."""
        if time.monotonic() - self._shown > 0.25:
            self._shown = time.monotonic()
            self.listener.update(self.snapshot(running))

    def snapshot(self, running: int) -> Snapshot:
        """The state now, with `running` runs under way."""
        done = len(self.results)
        left = None
        if self.timed:
            left = self.seconds / self.timed * max(self.total - done, 0) / self.workers
        finished = done - self.failed - self.pruned
        return Snapshot(self.total, finished, self.failed, self.pruned, running, self.refused, self.front, left)

    def front(self) -> list[Best]:
        """The configurations that no smaller one of their task beats on validation: task by task, smallest first."""
        finished: dict[int, list[dict[str, Any]]] = {}
        for (trial, _), result in self.results.items():
            if result["status"] == "finished":
                finished.setdefault(trial, []).append(result)
        tasks: dict[str, list[Best]] = {}
        for trial, results in finished.items():
            chosen = self.candidates[trial]
            mean = statistics.fmean(result["validation_error"] for result in results)
            metric = metric_named(results[0].get("metric")).name
            best = Best(chosen.label, chosen.anatomy.learnable, mean, len(results), metric)
            tasks.setdefault(chosen.configuration.task, []).append(best)
        return [
            best
            for means in tasks.values()
            for best in front(means, key=lambda best: (best.learnable, best.validation_error))
        ]

    def outcome(self, *, stopped: bool) -> Outcome:
        """The end of the call."""
        failures = [
            (f"{self.candidates[trial].label} seed {seed}", result["reason"])
            for (trial, seed), result in sorted(self.results.items())
            if result["status"] == "failed"
        ]
        finished = len(self.results) - len(failures) - self.pruned
        return Outcome(finished, self.pruned, failures, self.refused, stopped, self.stopped_by, self.beyond)
