"""Configurations before they are trained: their exact cost, their runs, and what the budget says to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hyperbudget.budget.closed_form import Anatomy, anatomy
from hyperbudget.budget.flops import training_step
from hyperbudget.config import Axis, Configuration, Study
from hyperbudget.data.load import shape
from hyperbudget.study.search.label import label
from hyperbudget.train.spec import RunSpec


@dataclass(frozen=True)
class Candidate:
    """A configuration, what it costs, and why the budget refuses it (None: it does not)."""

    configuration: Configuration
    label: str
    anatomy: Anatomy
    over_budget: float
    """Learnable parameters above the budget's largest (or below its smallest); <= 0 where it fits."""

    @cached_property
    def refusal(self) -> str | None:
        """Why it will not be trained."""
        if self.over_budget <= 0:
            return None
        return f"{self.anatomy.learnable:,} learnable parameters are {self.over_budget:,.0f} outside budget.params"

    @cached_property
    def name(self) -> str:
        """The configuration's: a hash, the same whichever fields of the study are axes."""
        return self.configuration.run(0).configuration()

    def metrics(self) -> dict[str, float]:
        """What it costs, under the names of the frame's columns: its parameters by group, and operations a step."""
        chosen = self.configuration
        step = training_step(chosen.model, shape(chosen.task), chosen.training)
        return {**self.anatomy.metrics(), "flops.step": step}

    def runs(self, seeds: Sequence[int]) -> list[RunSpec]:
        """One run a seed."""
        return [self.configuration.run(seed) for seed in seeds]


def at(point: Mapping[str, Any]) -> Callable[[Axis], Any]:
    """Chooses the values of `point`, by the names of the axes."""
    return lambda axis: point[axis.name]


def candidate(study: Study, choose: Callable[[Axis], Any]) -> Candidate:
    """The configuration that `choose` leads to. Raises Refused when it cannot be built."""
    configuration = study.configure(choose)
    counts = anatomy(configuration.model, **shape(configuration.task))
    return Candidate(configuration, label(study, configuration), counts, over_budget(study, counts.learnable))


def over_budget(study: Study, learnable: int) -> float:
    """How far `learnable` parameters are outside what the study allows: an Optuna constraint, feasible at <= 0."""
    limits = study.budget.params
    return 0.0 if limits is None else limits.outside(learnable)
