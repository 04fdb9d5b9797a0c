"""What a study has and what it still wants: results by run, seeds by trial, and what the budgets allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hyperbudget.config import Study
from hyperbudget.data.load import digest
from hyperbudget.study.folder import StudyFolder, read_json, write_json
from hyperbudget.study.progress import Progress
from hyperbudget.study.search.candidates import Candidate
from hyperbudget.study.search.proposals import Proposals
from hyperbudget.study.workers.reporter import goes_on
from hyperbudget.train.spec import RunSpec

BULKY = ("curve", "dynamics", "traceback")
"""Parts of a result that only MLflow is told."""

Result = dict[str, Any]


class Tally:
    """The results that are in `folder`, and the runs that the trials have or will have; `progress` is told of both."""

    def __init__(self, study: Study, folder: StudyFolder, proposals: Proposals, progress: Progress) -> None:
        self.study, self.folder, self.proposals, self.progress = study, folder, proposals, progress
        self.known: dict[str, Result] = {}
        """Run -> its result without curves, of all runs that have one."""
        self.wanted: dict[int, tuple[Candidate, tuple[int, ...]]] = {}
        """Trial -> the seeds that it has or will have, as far as is known now."""
        self.hours = 0.0
        """Of training, of all that is known."""

    @staticmethod
    def name(spec: RunSpec) -> str:
        """What the run is called."""
        return spec.name(digest(spec.task))

    def read(self) -> None:
        """Know what earlier calls left; a training that a time limit stopped, which has been raised since, goes on."""
        for run in self.folder.all_runs():
            result = read_json(run.result)
            if result is not None and goes_on(result, self.study.resources.time_limit):
                run.result.unlink()
            elif result is not None:
                self.know(run.path.name, result)

    def curve(self, name: str) -> dict[str, list[float]] | None:
        """The curve of run `name`, from its file."""
        return (read_json(self.folder.run(name).result) or {}).get("curve")

    def know(self, name: str, result: Result) -> Result:
        """Keep what the study goes on with: most of a result is its curves, and the file has them."""
        if name not in self.known:
            self.hours += (result.get("seconds") or 0) / 3600
        self.known[name] = {key: value for key, value in result.items() if key not in BULKY}
        return self.known[name]

    def forget(self, name: str) -> None:
        """Run `name` has no result any more: its training goes on from its checkpoint."""
        self.folder.run(name).result.unlink()
        self.hours -= (self.known.pop(name).get("seconds") or 0) / 3600

    def want(self, number: int, chosen: Candidate, seeds: Iterable[int]) -> None:
        """Trial `number` has or will have these seeds, as far as is known now."""
        _, before = self.wanted.get(number, (None, ()))
        self.wanted[number] = chosen, tuple(seeds)
        self.progress.begun += len(self.wanted[number][1]) - len(before)
        self.progress.total = self.progress.begun + self.proposals.coming * len(self.study.search.at_first)

    def may_start(self, seeds: int, under_way: int) -> bool:
        """Whether the budgets allow so many further runs, besides those that are known and those under way."""
        budget = self.study.budget
        if budget.runs is not None and len(self.known) + under_way + seeds > budget.runs:
            self.progress.stopped_by = f"budget.runs: {budget.runs} (a further configuration needs {seeds})"
            return False
        if budget.hours is not None and self.hours >= budget.hours:
            self.progress.stopped_by = f"budget.hours: {budget.hours:g} hours of training are used up"
            return False
        return True

    def write_scope(self) -> None:
        """Say how many runs the study has, and which ones in its folder are none of them any more."""
        first = self.study.search.at_first
        wanted = [*self.wanted.values(), *((chosen, first) for chosen in self.proposals.known())]
        beyond = {run.path.name for run in self.folder.all_runs()}
        beyond -= {self.name(spec) for chosen, seeds in wanted for spec in chosen.runs(seeds)}
        self.progress.beyond = len(beyond & self.known.keys())
        write_json(self.folder.scope, {"runs": self.progress.total, "beyond": sorted(beyond)})
