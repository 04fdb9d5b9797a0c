"""The search space of a study file: which fields are varied, and which are fixed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from hyperbudget.config.axis import Axis
from hyperbudget.config.axis_reader import read_axis, read_value
from hyperbudget.config.conditions import not_here, read_condition
from hyperbudget.config.fields import FIELDS, HEADS, StudyField
from hyperbudget.config.order import CircleError, walk
from hyperbudget.config.problems import Problems, listed, show
from hyperbudget.config.words import INVALID, unknown_key

SPACE_SECTIONS = ("model", "training")


class Space:
    """What the sections task, model and training say; every mistake goes to `problems`.

    `axes` stand in the order task, network, family, then as in the file, the model's before the training's. `fixed`
    holds all other fields that a configuration can have, with their values, defaults included. `heads` are the tasks,
    networks and families of the study.
    """

    def __init__(self, data: Mapping[str, Any], problems: Problems) -> None:
        self.problems = problems
        self.axes: dict[str, Axis] = {}
        self.fixed: dict[str, Any] = {}
        self.invalid: set[str] = set()
        self.heads: dict[str, tuple[Any, ...]] = dict(HEADS)
        raw = self._flat(data)
        for name, options in HEADS.items():
            if name in raw:
                self._read(FIELDS[name], raw[name])
            else:
                problems.add(FIELDS[name].where, f"required; one of {listed(options)}")
                self.invalid.add(name)
        self.heads |= {name: self.domain(name) or () for name in HEADS if name not in self.invalid}
        for name, value in raw.items():
            if name not in HEADS:
                self._field(name, value)
        self._defaults()
        self._conditions()

    def domain(self, name: str) -> tuple[Any, ...] | None:
        """The values that the field can have in this study; None where they are unknown or too many to list."""
        if name in self.invalid:
            return None
        if (axis := self.axes.get(name)) is not None:
            return axis.possible()
        if name in self.fixed:
            return (self.fixed[name],)
        return tuple(version.default for version in FIELDS[name].in_use(self.heads))

    def ends(self, name: str) -> tuple[float, float] | None:
        """The least and the greatest number that the field can have; None where they are unknown."""
        axis = self.axes.get(name)
        if axis is not None and axis.low is not None and axis.high is not None:
            return axis.low, axis.high
        values = self.domain(name)
        return (min(values), max(values)) if values else None

    def _flat(self, data: Mapping[str, Any]) -> dict[str, Any]:
        raw = {"task": data["task"]} if "task" in data else {}
        for section in SPACE_SECTIONS:
            fields = data.get(section)
            if isinstance(fields, dict):
                raw.update({f"{section}.{name}": value for name, value in fields.items()})
            elif fields is not None:
                self.problems.add((section,), f"{show(fields)} is not a mapping of fields to values")
        return raw

    def _read(self, field: StudyField, raw: Any) -> None:
        versions = field.in_use(self.heads)
        if isinstance(raw, dict):
            read = read_axis(field, versions, raw, self.problems)
        else:
            read = read_value(field, versions, raw, field.where, self.problems)
        if read is INVALID:
            self.invalid.add(field.name)
        elif isinstance(read, Axis):
            self.axes[field.name] = read
        else:
            self.fixed[field.name] = read

    def _field(self, name: str, raw: Any) -> None:
        field = FIELDS.get(name)
        if field is None:
            section, _, word = name.partition(".")
            self.problems.add((section, word), _unknown(section, word))
        elif field.in_use(self.heads):
            self._read(field, raw)
        else:
            self.problems.add(field.where, not_here(field, self.heads))

    def _defaults(self) -> None:
        for name, field in FIELDS.items():
            defaults = [version.default for version in field.in_use(self.heads)]
            said = name in self.axes or name in self.fixed or name in self.invalid
            if defaults and not said and all(default == defaults[0] for default in defaults):
                self.fixed[name] = defaults[0]

    def _conditions(self) -> None:
        found = len(self.problems.found)
        for name, axis in self.axes.items():
            self.axes[name] = dataclasses.replace(axis, when=read_condition(axis, self, self.problems))
        if len(self.problems.found) > found:
            return
        try:
            walk(self.axes)
        except CircleError as circle:
            where = (*FIELDS[next(name for name in circle.names if name in self.axes)].where, "when")
            self.problems.add(where, f"the conditions go round in a circle: {circle}; take one of them out")


def _unknown(section: str, word: str) -> str:
    for other in FIELDS:
        if other.partition(".")[2] == word:
            return f"unknown key; did you mean {other!r}?"
    return unknown_key(word, [name.removeprefix(f"{section}.") for name in FIELDS if name.startswith(f"{section}.")])
