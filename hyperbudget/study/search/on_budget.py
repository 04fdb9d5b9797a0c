"""The iso-budget study: of each family, the configurations of the study's space that land on its budgets."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hyperbudget.budget.solve import Solution, Solved, solve
from hyperbudget.config import Axis, Refused, Study
from hyperbudget.config.fields import FIELDS, HEADS
from hyperbudget.data.load import shape
from hyperbudget.nn.spec import FAMILIES, NETWORKS, families_of
from hyperbudget.study.search.candidates import Candidate, candidate


@dataclass(frozen=True)
class Landing:
    """What one family has at one budget: how many models land on it, those of them that are taken, and if there are
    none, the nearest."""

    task: str
    budget: int
    family: str
    found: int
    taken: list[Solution]
    nearest: Solution | None


def landings(study: Study) -> Iterator[Landing]:
    """For every task, budget of ``budget.params.at`` and family of `study`, the models of its space on that budget."""
    params = study.budget.params
    assert params is not None
    for task, budget, family in itertools.product(study.tasks(), params.at, study.families()):
        found: list[Solution] = []
        nearest: list[Solution] = []
        for network in study.networks():
            heads = {"task": task, "model.network": network, "model.family": family}
            if family not in families_of(NETWORKS[network]):
                continue
            if any(value not in _domain(study, name, heads) for name, value in heads.items()):
                continue
            solved = _solve(study, heads, budget, params.share)
            found += [solution for solution in solved.solutions if _point(study, task, solution) is not None]
            nearest += [s for s in solved.nearest.values() if _point(study, task, s) is not None]
        nearest.sort(key=lambda solution: abs(solution.anatomy.learnable - budget))
        taken = _spread(found, budget, params.each)
        yield Landing(task, budget, family, len(found), taken, None if found or not nearest else nearest[0])


def candidates(study: Study) -> list[Candidate]:
    """Every configuration that lands on a budget of `study`: its models, each with all settings of the training.

    No model stands twice, however many budgets it lands on.
    """
    points: dict[str, dict[str, Any]] = {}
    for landing in landings(study):
        for solution in landing.taken:
            point = _point(study, landing.task, solution)
            assert point is not None
            points.setdefault(repr(point), point)
    return [
        candidate(study, lambda axis, point=point: point[axis.name])  # type: ignore[misc]
        for held in points.values()
        for point in study.grid(held)
    ]


def _solve(study: Study, heads: Mapping[str, str], budget: int, share: float) -> Solved:
    network, family = heads["model.network"], heads["model.family"]
    ranges = {}
    for owner in (NETWORKS[network], FAMILIES[family]):
        for field in dataclasses.fields(owner):
            ranges[field.name] = _domain(study, f"model.{field.name}", heads)
    return solve(budget, share, networks=[network], families=[family], ranges=ranges, **shape(heads["task"]))


def _domain(study: Study, name: str, heads: Mapping[str, str]) -> tuple[Any, ...]:
    """The values that the study has for the field, as far as `heads` decide them; conditions on others come later."""
    axis = study.axis(name)
    if axis is None:
        version = FIELDS[name].version(heads)
        assert version is not None
        return (study.fixed.get(name, version.default),)
    decided = set(axis.when) <= set(HEADS)
    if decided and not axis.active(heads):
        return (axis.otherwise,)
    return (axis.values if decided else axis.possible()) or ()


def _point(study: Study, task: str, solution: Solution) -> dict[str, Any] | None:
    """The values of the model's axes that lead to `solution`; None where the study's conditions do not allow them."""
    model = solution.model
    fields = model.fields()
    chosen: dict[str, Any] = {}

    def choose(axis: Axis) -> Any:
        assert axis.values is not None
        if axis.name == "task":
            value = task
        elif axis.name.startswith("model."):
            value = fields[axis.name.removeprefix("model.")]
            if axis.name == "model.generator_hidden" and value == fields["embedding_size"] and None in axis.values:
                value = None
        else:
            return axis.values[0]
        if value not in axis.values:
            raise Refused({}, axis.name, f"{value!r} is not one of its values")
        chosen[axis.name] = value
        return value

    try:
        same = study.configure(choose).model == model
    except Refused:
        return None
    return chosen if same else None


def _spread(solutions: list[Solution], budget: int, most: int | None) -> list[Solution]:
    """At most `most` of `solutions`: the nearest to the budget of each main network, then the second nearest, ..."""
    by_network: dict[Any, list[Solution]] = {}
    for solution in sorted(solutions, key=lambda s: (abs(s.anatomy.learnable - budget), repr(s.model))):
        by_network.setdefault(solution.model.network, []).append(solution)
    rounds = itertools.zip_longest(*by_network.values())
    return [solution for round in rounds for solution in round if solution is not None][:most]
