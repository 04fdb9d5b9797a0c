"""Ending configurations early that fall behind others of their kind, by Optuna's pruners.

Optuna's pruners want one objective and know one study. A parameter-budget study has two, and pruned as one it would
lose its small networks for being small. So each group of configurations that compete has a single-objective study of
its own, in memory, which the pruner sees: configurations of one kind with about as many learnable parameters (see
`group`). Families do not compete here: which of them is better at a budget is what the study asks.

How far a training is, is counted in parts, `PARTS` for a whole one, so that configurations of different length compare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import Trial, TrialState

from hyperbudget.config import Study
from hyperbudget.study.search.candidates import Candidate

PARTS = 27
FACTOR = 3
"""Of successive halving and Hyperband: one of so many goes on from a rung to the next, so many times as far."""

Group = tuple[tuple[str, ...], int]


def group(study: Study, chosen: Candidate) -> Group:
    """What `chosen` competes with: its kind, which is what the question is about in words, and its band of parameters.

    The kind are its values on the science axes, those that are words: task, family, initialisation. A band is one of
    the budgets of an iso-budget study; else a doubling of the parameters, if they are an objective; else all sizes
    are one band, as the study asks for quality alone.
    """
    point, learnable = chosen.configuration.point, chosen.anatomy.learnable
    kind = tuple(
        str(point[axis.name])
        for axis in study.axes
        if axis.role == "science" and isinstance(point.get(axis.name), str | bool)
    )
    params = study.budget.params
    band = 0
    if params is not None and params.at:
        band = min(params.at, key=lambda budget: abs(budget - learnable))
    elif "learnable_parameters" in study.objectives:
        band = int(math.log2(learnable))
    return kind, band


def pruner(name: str) -> optuna.pruners.BasePruner:
    """Optuna's pruner of that name in a study file."""
    match name:
        case "median":  # worse than the median of at least 5 others, after a fifth of the training
            return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=PARTS // 5)
        case "halving":  # rungs after a ninth and a third of the training
            return optuna.pruners.SuccessiveHalvingPruner(min_resource=PARTS // FACTOR**2, reduction_factor=FACTOR)
        case "hyperband":
            return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=PARTS, reduction_factor=FACTOR)
        case "wilcoxon":
            return optuna.pruners.WilcoxonPruner(p_threshold=0.1)
        case _:
            raise ValueError(name)


@dataclass
class _Entry:
    trial: Trial
    reported: dict[int, float] = field(default_factory=dict)

    def report(self, error: float, at: int) -> None:
        self.trial.report(error, at)
        self.reported[at] = error


class Pruning:
    """The competitions of a study, one a group. An entry is one training or, seed by seed, one configuration."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.name = study.search.pruner
        self.by_seeds = self.name == "wilcoxon"
        """A configuration is judged after each of its seeds, by all of them; else its first seed, as it trains."""
        self.by_curve = not self.by_seeds and self.name != "none"
        self._groups: dict[Group, optuna.Study] = {}
        self._entries: dict[str, _Entry] = {}

    def trained(self, key: str, chosen: Candidate, step: int, error: float) -> bool:
        """Whether training `key` of `chosen` should go on after an evaluation at `step` that gave `error`.

        What counts is the least error so far: the evaluation that a run selects in the end. A part of the training that
        was judged before, as a resumed one comes by it again, is not judged anew.
        """
        entry = self._entry(key, chosen)
        part = PARTS * step // chosen.configuration.training.steps
        last = max(entry.reported, default=0)
        if part <= last or part >= PARTS:
            return True
        if last:  # evaluations may be rarer than parts
            for passed in range(last + 1, part):
                entry.report(entry.reported[last], passed)
        entry.report(min(error, entry.reported.get(last, error)), part)
        return not entry.trial.should_prune()

    def seeded(self, key: str, chosen: Candidate, errors: Mapping[int, float]) -> bool:
        """Whether configuration `key` should be trained with its other seeds, given its error for some seeds."""
        entry = self._entry(key, chosen)
        for seed in errors.keys() - entry.reported.keys():
            entry.report(errors[seed], seed)
        return not (errors and entry.trial.should_prune())

    def ended(self, key: str, error: float | None) -> None:
        """Training, or configuration, `key` came to its end with `error`; None: it was pruned, or failed."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            state = TrialState.PRUNED if error is None else TrialState.COMPLETE
            entry.trial.study.tell(entry.trial, error, state=state)

    def replay(self, key: str, chosen: Candidate, curve: Mapping[str, Sequence[Any]], error: float | None) -> None:
        """Enter a training of an earlier call by its curve and its end; nothing is decided."""
        for step, measured in zip(curve["step"], curve["validation_error"], strict=True):
            self.trained(key, chosen, step, measured)
        self.ended(key, error)

    def _entry(self, key: str, chosen: Candidate) -> _Entry:
        if key not in self._entries:
            of = group(self.study, chosen)
            if of not in self._groups:
                name = f"{self.study.name} {of}"  # Hyperband deals its brackets by the study's name
                self._groups[of] = optuna.create_study(study_name=name, pruner=pruner(self.name))
            self._entries[key] = _Entry(self._groups[of].ask())
        return self._entries[key]
