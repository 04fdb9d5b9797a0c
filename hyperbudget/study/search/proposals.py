"""Where a study's configurations come from, and Optuna's record of them: the points of a grid, or a sampler's."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from hyperbudget.config import Refused, Study
from hyperbudget.study.search import space
from hyperbudget.study.search.candidates import Candidate, at, candidate
from hyperbudget.study.search.plan import grid_candidates

REFUSALS_IN_A_ROW = 1_000
"""After so many refused proposals one after the other, the sampler will not find a configuration that fits."""


class Proposals(Protocol):
    """The configurations of a study, one after the other."""

    begun: list[tuple[FrozenTrial, Candidate]]
    """Those that earlier calls began, with their trials; what is still RUNNING was interrupted."""
    refused: int
    """How many configurations were refused so far."""

    @property
    def coming(self) -> int:
        """How many are still to begin."""

    def known(self) -> Collection[Candidate]:
        """Which ones they are, where that is known."""

    def next(self) -> tuple[int, Candidate] | None:
        """Begin the next one: the number of its trial, which is RUNNING now; None when no more are found."""

    def tell(self, number: int, state: TrialState, values: list[float] | None = None) -> None:
        """End trial `number`; one that has ended stays as it is."""


class Grid:
    """Every point that the budget allows, in the order of the file, after those that the study includes.

    `recorded`: trial -> name of its configuration, of trials that do not say it themselves (an earlier version's).
    A trial is written at once with all it says, not proposed by Optuna and asked for: each then costs the same however
    many there are. Trials whose configuration the grid no longer has are left alone.
    """

    def __init__(self, study: Study, trials: optuna.Study, recorded: Mapping[int, str]) -> None:
        self.study, self.trials = study, trials
        candidates, unbuildable = grid_candidates(study)
        wanted = [chosen for chosen in candidates if chosen.refusal is None]
        self.refused = len(unbuildable) + len(candidates) - len(wanted)
        self._todo = {chosen.name: chosen for chosen in wanted}
        self.begun: list[tuple[FrozenTrial, Candidate]] = []
        self._distributions: dict[str, BaseDistribution] = {
            axis.name: CategoricalDistribution([space.encode(value) for value in axis.values or ()])
            for axis in study.axes
        }
        before = trials.get_trials(deepcopy=False)
        self._number = len(before)
        for trial in before:
            for name, distribution in trial.distributions.items():
                if self._distributions.get(name, distribution) != distribution:
                    del self._distributions[name]  # Optuna stores no parameter whose choices have changed
            configuration = trial.user_attrs.get("configuration") or recorded.get(trial.number, "")
            if chosen := self._todo.pop(configuration, None):
                self.begun.append((trial, chosen))
        _end_unasked(trials, before)

    @property
    def coming(self) -> int:
        """See `Proposals`."""
        return len(self._todo)

    def known(self) -> Collection[Candidate]:
        """See `Proposals`."""
        return self._todo.values()

    def next(self) -> tuple[int, Candidate] | None:
        """See `Proposals`."""
        name, chosen = next(iter(self._todo.items()), (None, None))
        if name is None or chosen is None:
            return None
        point = encoded(chosen.configuration.point)
        distributions = {axis: self._distributions[axis] for axis in point if axis in self._distributions}
        trial = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params={axis: point[axis] for axis in distributions},
            distributions=distributions,
            user_attrs={"configuration": name, "point": point},
            constraints=None if self.study.budget.params is None else {"params": chosen.over_budget},
        )
        self.trials.add_trial(trial)
        del self._todo[name]
        self._number += 1
        return self._number - 1, chosen

    def tell(self, number: int, state: TrialState, values: list[float] | None = None) -> None:
        """See `Proposals`. `optuna.Study.tell` reads the trial before and after, a third of what a trial costs; no
        sampler wants to hear of this one.
        """
        storage = self.trials._storage
        with contextlib.suppress(UpdateFinishedTrialError):
            trial_id = storage.get_trial_id_from_study_id_trial_number(self.trials._study_id, number)
            storage.set_trial_state_values(trial_id, state, values)


def _end_unasked(trials: optuna.Study, before: list[FrozenTrial]) -> None:
    """End the trials that an earlier version left in Optuna's queue, or that it was asking for when it died."""
    waiting = sum(trial.state == TrialState.WAITING for trial in before)
    unasked = [
        trial.number for trial in before if trial.state == TrialState.RUNNING and "point" not in trial.user_attrs
    ]
    for number in [*unasked, *(trials.ask().number for _ in range(waiting))]:
        trials.tell(number, state=TrialState.FAIL)


class Sampled:
    """As many configurations as the study asks for: those that it includes, and then Optuna's sampler's."""

    def __init__(self, study: Study, trials: optuna.Study) -> None:
        self.study, self.trials = study, trials
        self.refused = 0
        self.begun: list[tuple[FrozenTrial, Candidate]] = []
        there: list[Mapping[str, Any]] = []
        self._waiting = 0
        for trial in trials.get_trials(deepcopy=False):
            if "point" in trial.user_attrs:
                self.begun.append((trial, candidate(study, at(decoded(trial.user_attrs["point"])))))
                there.append(trial.user_attrs["point"])
            elif "refused" in trial.user_attrs:
                self.refused += 1
                there.append(trial.params)
            elif trial.state == TrialState.WAITING:
                self._waiting += 1
                there.append(trial.system_attrs["fixed_params"])
            elif trial.state == TrialState.RUNNING:  # the driver died while it was asking: nothing was started
                trials.tell(trial.number, state=TrialState.FAIL)
        self._asked = len(self.begun)
        for point in map(encoded, study.search.include):
            if point not in there:
                trials.enqueue_trial(point)
                self._waiting += 1

    @property
    def coming(self) -> int:
        """See `Proposals`."""
        return max(self._waiting, (self.study.search.trials or 0) - self._asked)

    def known(self) -> Collection[Candidate]:
        """See `Proposals`."""
        return ()

    def next(self) -> tuple[int, Candidate] | None:
        """See `Proposals`."""
        for _ in range(REFUSALS_IN_A_ROW):
            if not self.coming:
                return None
            trial = self.trials.ask()  # the first one that waits, if any does
            self._waiting = max(0, self._waiting - 1)
            try:
                chosen = candidate(self.study, functools.partial(space.suggest, trial))
            except Refused as refused:
                self._refuse(trial, refused.reason, constraint=1.0, learnable=0)
                continue
            if chosen.refusal:
                self._refuse(trial, chosen.refusal, chosen.over_budget, chosen.anatomy.learnable)
                continue
            trial.set_constraint(
                "params", chosen.over_budget
            )  # also without a budget: Gaussian processes want all alike
            trial.set_user_attr("configuration", chosen.name)
            trial.set_user_attr("point", encoded(chosen.configuration.point))  # the last: from here on it has begun
            self._asked += 1
            return trial.number, chosen
        return None

    def tell(self, number: int, state: TrialState, values: list[float] | None = None) -> None:
        """See `Proposals`."""
        self.trials.tell(number, values, state, skip_if_finished=True)

    def _refuse(self, trial: optuna.Trial, reason: str, constraint: float, learnable: int) -> None:
        """Told as complete, worst and infeasible: the sampler learns where the budget ends; nothing is trained."""
        trial.set_constraint("params", constraint)
        trial.set_user_attr("refused", reason)
        self.trials.tell(trial, space.objectives(self.study, space.worst(self.study), learnable))
        self.refused += 1


def encoded(point: Mapping[str, Any]) -> dict[str, Any]:
    """`point` as Optuna can store it."""
    return {name: space.encode(value) for name, value in point.items()}


def decoded(point: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `encoded`."""
    return {name: space.decode(value) for name, value in point.items()}
