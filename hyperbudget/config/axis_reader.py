"""What stands for a field's value: the value itself, or a mapping such as ``{grid: [8, 16], when: {family: free}}``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, Strict

from hyperbudget.config.axis import Axis, Role
from hyperbudget.config.fields import StudyField, Version
from hyperbudget.config.problems import Key, Problems, show
from hyperbudget.config.words import INVALID, checked, checked_model, first_repeated, unknown_key
from hyperbudget.nn.spec import FAMILIES, NETWORKS


class Entry(BaseModel):
    """The mapping that makes a field an axis."""

    grid: list[Any] | None = None
    choice: list[Any] | None = None
    between: list[Any] | None = None
    log: Annotated[bool, Strict()] = False
    role: Role | None = None
    when: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    otherwise: Any = None


KEYS = list(Entry.model_fields)
KINDS = ("grid", "choice", "between")
ANY = "any"
"""Stands for a list of values: ``{grid: any}``."""


def read_value(
    field: StudyField, versions: Sequence[Version], raw: Any, where: Key, problems: Problems, key: Key | None = None
) -> Any:
    """A value of `field`, good for all its `versions` that are in use, or `INVALID` with the problem recorded.

    Problems are placed at `where` and shown under the name `key`, or the field's.
    """
    key = field.where if key is None else key
    if isinstance(raw, list) and not any(version.takes_lists for version in versions):
        problems.add(where, f"{show(raw)} is a list; write {{grid: {show(raw)}}} to search over it", key)
        return INVALID
    value = None
    for version in versions:
        if (value := checked(version.adapter, raw, where, problems, key)) is INVALID:
            break
    return value


def read_axis(field: StudyField, versions: Sequence[Version], raw: dict[str, Any], problems: Problems) -> Any:
    """An `Axis` whose `when` is still as it was written, or `INVALID` with its problems recorded."""
    found = len(problems.found)
    unknown = [name for name in raw if name not in KEYS]
    for name in unknown:
        problems.add((*field.where, name), unknown_key(name, KEYS))
    known = {name: value for name, value in raw.items() if name in KEYS}
    if known.get("grid") == ANY:
        known["grid"] = [ANY]
    entry: Entry = checked_model(Entry, known, field.where, problems)
    if entry is INVALID:  # look at the values all the same, to tell all mistakes at once
        entry = Entry.model_construct(**{kind: raw[kind] for kind in KINDS if isinstance(raw.get(kind), list)})
    kinds = [kind for kind in KINDS if getattr(entry, kind) is not None]
    if len(kinds) > 1:
        problems.add(field.where, f"has {' and '.join(kinds)}; give one of them")
    elif not kinds and len(problems.found) == found:
        problems.add(field.where, f"{show(raw)} has no values; give grid, choice or between")
    if entry.log and kinds and "between" not in kinds:
        problems.add((*field.where, "log"), "goes with between only; remove it")
    varied, elsewhere = _sides(versions, raw.get("when"))
    axis = None
    for kind in kinds:
        read = _between if kind == "between" else _grid
        axis = read(field, varied, getattr(entry, kind), (*field.where, kind), entry.log, problems)
    otherwise = _otherwise(field, elsewhere, known, problems)
    if axis is None or len(problems.found) > found:
        return INVALID
    role = entry.role or axis.role
    return dataclasses.replace(axis, role=role, when=entry.when or {}, otherwise=otherwise)


def _sides(versions: Sequence[Version], when: Any) -> tuple[Sequence[Version], Sequence[Version]]:
    """The versions that can apply where the condition holds, and where it does not: all, unless the condition names
    the network or the family that a version needs."""
    if not isinstance(when, dict):
        return versions, versions
    named = {
        name if "." in name else f"model.{name}": tuple(value) if isinstance(value, list) else (value,)
        for name, value in when.items()
        if isinstance(name, str)
    }

    def meets(version: Version) -> bool | None:
        """Whether the condition names what the version needs; None: it does not speak of it."""
        if version.needs is None or version.needs[0] not in named:
            return None
        return version.needs[1] in named[version.needs[0]]

    varied = [version for version in versions if meets(version) is not False]
    elsewhere = [version for version in versions if len(named) > 1 or meets(version) is not True]
    return varied or versions, elsewhere or versions


def _grid(
    field: StudyField, versions: Sequence[Version], raw: list[Any], where: Key, log: bool, problems: Problems
) -> Axis | None:
    if raw == [ANY]:
        values = tuple(dict.fromkeys(value for version in versions for value in usual(version, field)))
        if len(values) < 2:
            problems.add(where, "any: there is no usual range of this field; give a list of values")
        return Axis(field.name, "grid", _role(field), values=values, integer=versions[0].number is int)
    if not raw:
        problems.add(where, "is empty; give at least one value")
    read = [read_value(field, versions, item, (*where, index), problems) for index, item in enumerate(raw)]
    values = tuple(value for value in read if value is not INVALID)
    if twice := first_repeated(values):
        problems.add(where, f"{show(twice[0])} stands in the list twice")
    return Axis(field.name, "grid", _role(field), values=values, integer=versions[0].number is int)


def usual(version: Version, field: StudyField) -> Sequence[Any]:
    """The values that ``grid: any`` stands for: those that `hyperbudget solve` tries of this field."""
    if version.needs is None:
        return ()
    from hyperbudget.budget.grids import usual_values  # needs NumPy, which a study file else does not

    return usual_values({**NETWORKS, **FAMILIES}[version.needs[1]], field.where[-1])


def _between(
    field: StudyField, versions: Sequence[Version], raw: list[Any], where: Key, log: bool, problems: Problems
) -> Axis | None:
    if (number := versions[0].number) is None:
        problems.add(where, "is for numbers only; give a grid")
        return None
    if len(raw) != 2:
        problems.add(where, f"{show(raw)} is not a pair [lowest, highest]")
        return None
    ends = [read_value(field, versions, item, (*where, index), problems) for index, item in enumerate(raw)]
    if INVALID in ends:
        return None
    if None in ends:
        problems.add(where, f"{show(raw)} is not a range of numbers")
        return None
    low, high = ends
    if low >= high:
        problems.add(where, f"{show(raw[0])} is not less than {show(raw[1])}")
    if log and low <= 0:
        problems.add(where, f"{show(raw[0])} has no logarithm; begin above 0, or leave log out")
    return Axis(field.name, "between", _role(field), low=low, high=high, log=log, integer=number is int)


def _role(field: StudyField) -> Role:
    return "nuisance" if field.section == "training" else "science"


def _otherwise(field: StudyField, versions: Sequence[Version], raw: dict[str, Any], problems: Problems) -> Any:
    """The value where the condition does not hold: the one given, else the field's default."""
    where = (*field.where, "otherwise")
    if "otherwise" in raw and raw.get("when") is None:
        problems.add(where, "goes with when only; remove it, or say when the axis is varied")
    elif "otherwise" in raw:
        return read_value(field, versions, raw["otherwise"], where, problems, where)
    elif raw.get("when") is not None:
        first = versions[0].default
        if first is not dataclasses.MISSING and all(version.default == first for version in versions):
            return first
        problems.add(field.where, "has no single default; say its value where the condition does not hold: otherwise")
    return None
