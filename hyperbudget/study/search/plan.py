"""What a study would do, without training: its configurations, their exact counts, and what the budget refuses."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from hyperbudget.config import Axis, Refused, Study
from hyperbudget.study.search import on_budget
from hyperbudget.study.search.candidates import Candidate, at, candidate

SAMPLES = 500
"""Random configurations that stand for a space that cannot be enumerated."""


@dataclass(frozen=True)
class Plan:
    """A study's configurations. `exhaustive`: all of them; else a random sample of its space."""

    candidates: list[Candidate]
    unbuildable: list[Refused]
    exhaustive: bool
    configurations: int
    """How many will be trained at most."""
    runs: int
    """About how many, if only a share of the configurations gets all seeds; at most, if trainings may be pruned."""
    models: dict[str, list[Candidate]] = field(default_factory=dict)
    """The accepted candidates by task and model: settings of the training do not change a count."""


def plan(study: Study) -> Plan:
    """Enumerate the study's grid, or draw from its space."""
    exhaustive = all(axis.values is not None for axis in study.axes)
    candidates, unbuildable = grid_candidates(study) if exhaustive else sampled_candidates(study)
    accepted = [candidate for candidate in candidates if candidate.refusal is None]
    trials = study.search.trials
    configurations = len(accepted) if study.search.sampler == "grid" or trials is None else trials
    first, seeds = len(study.search.at_first), len(study.search.seeds)
    runs = configurations * first + math.ceil(configurations * (study.search.promote or 0)) * (seeds - first)
    if study.budget.runs is not None:
        runs = min(runs, study.budget.runs)
    models: dict[str, list[Candidate]] = {}
    for chosen in sorted(accepted, key=lambda candidate: candidate.anatomy.learnable):
        key = repr((chosen.configuration.task, chosen.configuration.model))
        models.setdefault(key, []).append(chosen)
    return Plan(candidates, unbuildable, exhaustive, configurations, runs, models)


def grid_candidates(study: Study) -> tuple[list[Candidate], list[Refused]]:
    """Every point of the study's grid, and those that cannot be built; of an iso-budget study, those that land.

    What the study includes comes first, and nothing comes twice.
    """
    found, refused = _candidates(study, (at(point) for point in study.search.include))
    if study.iso_budget:
        found += on_budget.candidates(study)
    else:
        on_grid, refused = _candidates(study, (at(point) for point in study.grid()))
        found += on_grid
    unique: dict[str, Candidate] = {}
    for chosen in found:
        unique.setdefault(chosen.name, chosen)
    return list(unique.values()), refused


def sampled_candidates(study: Study) -> tuple[list[Candidate], list[Refused]]:
    """`SAMPLES` points of the study's space, drawn by its own seed."""
    generator = random.Random(study.search.seed)
    return _candidates(study, itertools.repeat(lambda axis: _draw(axis, generator), SAMPLES))


def _candidates(study: Study, choosers: Iterable[Callable[[Axis], Any]]) -> tuple[list[Candidate], list[Refused]]:
    found: list[Candidate] = []
    refused: list[Refused] = []
    for choose in choosers:
        try:
            found.append(candidate(study, choose))
        except Refused as refusal:
            refused.append(refusal)
    return found, refused


def _draw(axis: Axis, generator: random.Random) -> Any:
    if axis.values is not None:
        return generator.choice(axis.values)
    assert axis.low is not None
    assert axis.high is not None
    if axis.log:
        value = math.exp(generator.uniform(math.log(axis.low), math.log(axis.high)))
    else:
        value = generator.uniform(axis.low, axis.high)
    return min(max(round(value), int(axis.low)), int(axis.high)) if axis.integer else value
