"""``when: {family: free}``: where an axis is varied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hyperbudget.config.axis import Axis
from hyperbudget.config.axis_reader import read_value
from hyperbudget.config.fields import FIELDS, StudyField
from hyperbudget.config.problems import Key, Problems, did_you_mean, listed, show
from hyperbudget.config.words import INVALID

if TYPE_CHECKING:
    from hyperbudget.config.space import Space


def read_condition(axis: Axis, space: Space, problems: Problems) -> dict[str, tuple[Any, ...]]:
    """The axis's condition, whose `when` is as it was written, with full names and typed values.

    A field that does not exist, or a value that it never has in this study, is a problem.
    """
    section = FIELDS[axis.name].section
    condition: dict[str, tuple[Any, ...]] = {}
    for name, raw in axis.when.items():
        where: Key = (*FIELDS[axis.name].where, "when", name)
        full = name if name in FIELDS else f"{section}.{name}"
        field = FIELDS.get(full)
        if field is None:
            options = [other.removeprefix(f"{section}.") for other in FIELDS]
            problems.add(where, f"no field has this name{did_you_mean(name, options)}")
        elif not field.in_use(space.heads):
            problems.add(where, not_here(field, space.heads))
        elif full in space.axes and space.axes[full].kind == "between":
            problems.add(where, f"{full} is searched between two numbers; a condition needs a value or a grid")
        elif full in condition:
            problems.add(where, f"{full} stands in this condition twice")
        else:
            condition[full] = _allowed(field, raw, where, space, problems)
    return condition


def _allowed(field: StudyField, raw: Any, where: Key, space: Space, problems: Problems) -> tuple[Any, ...]:
    versions, domain = field.in_use(space.heads), space.domain(field.name)
    one_list = versions[0].takes_lists and isinstance(raw, list) and not any(isinstance(item, list) for item in raw)
    listing = isinstance(raw, list) and not one_list
    if listing and not raw:
        problems.add(where, "is empty; give at least one value")
    allowed = []
    for index, item in enumerate(raw if listing else [raw]):
        place = (*where, index) if listing else where
        if (value := read_value(field, versions, item, place, problems, where)) is INVALID:
            continue
        allowed.append(value)
        if domain is not None and value not in domain:
            problems.add(place, f"{field.name} is never {show(value)} in this study; it is {listed(domain)}", where)
    return tuple(allowed)


def not_here(field: StudyField, heads: Mapping[str, tuple[Any, ...]]) -> str:
    """Why no configuration of the study has the field."""
    needs: dict[str, list[str]] = {}
    for version in field.versions:
        if version.needs is not None:
            needs.setdefault(version.needs[0], []).append(version.needs[1])
    owners = " or ".join(f"the {head.removeprefix('model.')} {' or '.join(names)}" for head, names in needs.items())
    have = " and ".join(listed(heads[head]) for head in needs)
    return f"applies to {owners} only, and this study has {have}"
