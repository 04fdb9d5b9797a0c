"""A study as it is used: its search space as configurations, and the settings around it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hyperbudget.config.axis import Axis
from hyperbudget.config.fields import FIELDS
from hyperbudget.config.order import deciding, walk
from hyperbudget.config.problems import Key, Place, nearest
from hyperbudget.config.resolve import resolve, to_yaml
from hyperbudget.config.sections import Budget, Objective, Report, Resources, Search
from hyperbudget.data.load import fits, shape
from hyperbudget.nn.spec import ModelSpec, SpecError
from hyperbudget.train.spec import RunSpec, TrainingSpec

Choose = Callable[[Axis], Any]


class Refused(Exception):
    """A configuration that cannot be built: its `point`, the `field` at fault (dotted), and the `reason` in a line."""

    def __init__(self, point: dict[str, Any], field: str, problem: str) -> None:
        super().__init__(point, field, problem)
        self.point = point
        self.field = field
        self.problem = problem

    @property
    def reason(self) -> str:
        return f"{self.field}: {self.problem}"

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Configuration:
    """One point of the search space. `point` holds the chosen values of the axes that are active there."""

    point: dict[str, Any]
    task: str
    model: ModelSpec
    training: TrainingSpec

    def run(self, seed: int) -> RunSpec:
        """Its run with one seed."""
        return RunSpec(self.task, self.model, self.training, seed)


@dataclass(frozen=True)
class Study:
    """A question, its search space, its budget.

    `axes` are the fields that vary: task, network and family first, then as in the file. `fixed` holds the values of
    all other fields by dotted name, defaults included. `path` is absolute, and `places` say where each value was
    written; both are no part of what the study is.
    """

    name: str
    path: Path = field(compare=False)
    question: str
    axes: tuple[Axis, ...]
    fixed: Mapping[str, Any] = field(hash=False)
    search: Search
    objectives: tuple[Objective, ...]
    budget: Budget
    resources: Resources
    report: Report
    places: Mapping[Key, Place] = field(default_factory=dict, compare=False, repr=False)

    def place(self, key: Key) -> str:
        """Where the value at `key` was written, or the mapping that it would belong to: ``x.yaml:7``."""
        return nearest(self.places, key, Place(0, str(self.path))).text

    @property
    def task(self) -> str | None:
        """The task's name; None where the task is an axis."""
        return self.fixed.get("task")

    def tasks(self) -> tuple[str, ...]:
        """Every task that the study needs."""
        return self._possible("task")

    def families(self) -> tuple[str, ...]:
        """Every family of kernels that the study compares."""
        return self._possible("model.family")

    def networks(self) -> tuple[str, ...]:
        """Every main network that the study has."""
        return self._possible("model.network")

    def axis(self, name: str) -> Axis | None:
        """The axis of this dotted name; None for a field that the study does not vary."""
        return self._axes.get(name)

    @property
    def iso_budget(self) -> bool:
        """Whether the study compares configurations that land on given budgets."""
        return self.budget.params is not None and bool(self.budget.params.at)

    @property
    def finite(self) -> bool:
        """Whether the space can be enumerated: no axis lies between two numbers."""
        return all(axis.values is not None for axis in self.axes)

    def configure(self, choose: Choose) -> Configuration:
        """The configuration that `choose` leads to; it is asked for the active axes only, the deciding ones first.

        Raises Refused when the values do not go together.
        """
        point, values = self._settle(choose)
        sections: dict[str, dict[str, Any]] = {"model": {}, "training": {}}
        for name, value in values.items():
            section, _, own = name.partition(".")
            if own:
                sections[section][own] = value
        part = "model"
        try:
            task = values["task"]
            model = ModelSpec.from_fields(sections["model"])
            model.network.check(shape(task), task)
            part = "training"
            training = TrainingSpec(**sections["training"])
            training.check(model)
            fits(task, training.batch_size, training.length)
        except SpecError as error:
            raise Refused(point, f"{part}.{error.field}", error.problem) from None
        return Configuration(point, task, model, training)

    def grid(self, held: Mapping[str, Any] = MappingProxyType({})) -> Iterator[dict[str, Any]]:
        """Every point of the space, none twice: in the order in which `configure` asks, the last axis fastest.

        The axes in `held` keep the value there. Raises ValueError when an axis lies between two numbers.
        """
        if not self.finite:
            raise ValueError(f"{self.name}: an axis between two numbers cannot be enumerated")
        return self._points({axis.name for axis in self.axes} - set(held), held)

    def corners(self) -> Iterator[dict[str, Any]]:
        """As `grid`, with every axis between two numbers at its lower end."""
        return self._points({axis.name for axis in self.axes if axis.values is not None})

    def size(self) -> int | None:
        """How many points `grid` has, without going through them all; None if the space is not finite."""
        if not self.finite:
            return None
        decide = deciding(self._axes)
        leaves = [axis for axis in self.axes if axis.name not in decide]
        return sum(
            math.prod(len(leaf.values or ()) for leaf in leaves if leaf.name in point) for point in self._points(decide)
        )

    def space_digest(self) -> str:
        """A hash of what gives the search its meaning.

        That is the space, the objectives, the sampler with its seed, and which parameter counts are refused; not how
        far the search goes (trials, seeds, runs, hours), nor how it is shown. Fields at their defaults are left out:
        a version that adds one changes no study's meaning.
        """
        meaning: dict[str, Any] = {
            name: value for name, value in self.fixed.items() if value not in FIELDS[name].defaults()
        }
        for axis in self.axes:
            meaning[axis.name] = axis.entry()
            del meaning[axis.name]["role"]
        params = self.budget.params
        meaning["objectives"] = self.objectives
        meaning["search"] = [self.search.sampler, self.search.seed]
        meaning["params"] = params and params.model_dump(mode="json", exclude_defaults=True)
        canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def resolved(self) -> dict[str, Any]:
        """The study as plain data with every default filled in; as a file it loads to an equal study."""
        return resolve(self)

    def resolved_yaml(self) -> str:
        """`resolved` as the text of a study file."""
        return to_yaml(self.resolved())

    @cached_property
    def _axes(self) -> dict[str, Axis]:
        return {axis.name: axis for axis in self.axes}

    @cached_property
    def _walk(self) -> tuple[str, ...]:
        return walk(self._axes)

    def _settle(self, choose: Choose) -> tuple[dict[str, Any], dict[str, Any]]:
        """The chosen point, and the values of all fields that apply to it."""
        point: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name in self._walk:
            if (version := FIELDS[name].version(values)) is None:
                continue
            if (axis := self._axes.get(name)) is None:
                values[name] = self.fixed.get(name, version.default)
            elif axis.active(values):
                values[name] = point[name] = choose(axis)
            else:
                values[name] = axis.otherwise
        return point, values

    def _points(
        self, vary: Collection[str], held: Mapping[str, Any] = MappingProxyType({})
    ) -> Iterator[dict[str, Any]]:
        """The points where the axes in `vary` take all of their values, and the others that in `held`, or their first
        or lowest."""
        trail: list[tuple[int, int]] = []  # of each varied axis on the way: which value, of how many
        while True:
            depth = 0

            def choose(axis: Axis) -> Any:
                nonlocal depth
                if axis.name in held:
                    return held[axis.name]
                if axis.values is None:
                    return axis.low
                if axis.name not in vary:
                    return axis.values[0]
                if depth == len(trail):
                    trail.append((0, len(axis.values)))
                depth += 1
                return axis.values[trail[depth - 1][0]]

            yield self._settle(choose)[0]
            while trail and trail[-1][0] + 1 == trail[-1][1]:
                trail.pop()
            if not trail:
                return
            trail[-1] = (trail[-1][0] + 1, trail[-1][1])

    def _possible(self, name: str) -> tuple[Any, ...]:
        return self._axes[name].possible() or () if name in self._axes else (self.fixed[name],)
