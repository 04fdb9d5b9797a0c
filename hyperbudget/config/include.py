"""``search: {include: [...]}``: configurations that are run first, each given by its values on the axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyperbudget.config.axis import Axis
from hyperbudget.config.axis_reader import read_value
from hyperbudget.config.fields import FIELDS
from hyperbudget.config.problems import Key, Problems, did_you_mean, listed, show
from hyperbudget.config.sections import Point, Search
from hyperbudget.config.space import Space
from hyperbudget.config.study import Refused, Study
from hyperbudget.config.words import INVALID


def read_include(search: Search, space: Space, problems: Problems) -> Search:
    """`search` with its included points by full names of axes and with typed values; every mistake is recorded."""
    points = [_point(raw, ("search", "include", index), space, problems) for index, raw in enumerate(search.include)]
    return search.model_copy(update={"include": tuple(points)})


def check_include(study: Study, problems: Problems) -> None:
    """Record the points that are no configuration of `study`, and those that stand there twice."""
    found: list[Mapping[str, Any]] = []
    for index, point in enumerate(study.search.include):
        where: Key = ("search", "include", index)
        asked: list[str] = []

        def choose(axis: Axis, point: Mapping[str, Any] = point, asked: list[str] = asked) -> Any:
            asked.append(axis.name)
            return point.get(axis.name, axis.low if axis.values is None else axis.values[0])

        try:
            study.configure(choose)
        except Refused as refused:
            reason = str(refused)
        else:
            reason = ""
        idle, missing = [name for name in point if name not in asked], [name for name in asked if name not in point]
        for name in idle:
            problems.add((*where, name), _idle(study, name))
        if missing:
            problems.add(where, f"lacks {listed(missing)}; an included configuration has a value on each of its axes")
        elif not idle and reason:
            problems.add(where, f"cannot be built: {reason}")
        if point in found:
            problems.add(where, f"is the same as search.include[{found.index(point)}]")
        found.append(point)


def _point(raw: Any, where: Key, space: Space, problems: Problems) -> Point:
    if not isinstance(raw, dict):
        problems.add(where, f"{show(raw)} is not a mapping of axes to values, such as {{family: free, width: 8}}")
        return Point()
    point = Point()
    for name, value in raw.items():
        key: Key = (*where, name)
        full = _axis(name, space)
        if full is None:
            problems.add(key, _no_axis(name, space))
        elif full in point:
            problems.add(key, f"{full} stands in this configuration twice")
        elif full in space.axes:
            point[full] = _value(space.axes[full], value, key, space, problems)
    return point


def _axis(name: str, space: Space) -> str | None:
    """The full name of the axis that `name` means, itself or its last word; None if there is no such axis."""
    known = {*space.axes, *space.invalid}
    if name in known:
        return name
    return next((full for full in known if full.rpartition(".")[2] == name), None)


def _no_axis(name: str, space: Space) -> str:
    fixed = next((full for full in space.fixed if name in (full, full.rpartition(".")[2])), None)
    if fixed is not None:
        return f"is no axis of this study, where {fixed} is {show(space.fixed[fixed])} in every configuration"
    words = [full.rpartition(".")[2] for full in space.axes]
    return "no axis has this name" + (did_you_mean(name, [*space.axes, *words]) or f"; the axes are {listed(words)}")


def _value(axis: Axis, raw: Any, key: Key, space: Space, problems: Problems) -> Any:
    field = FIELDS[axis.name]
    value = read_value(field, field.in_use(space.heads), raw, key, problems, key)
    if value is INVALID:
        return None
    if axis.values is not None:
        if value not in axis.values:
            problems.add(key, f"{show(value)} is not one of its values, {listed(map(show, axis.values))}")
        return value
    assert axis.low is not None
    assert axis.high is not None
    if value is None or not axis.low <= value <= axis.high:
        problems.add(key, f"{show(value)} is not between {show(axis.low)} and {show(axis.high)}")
    return value


def _idle(study: Study, name: str) -> str:
    axis = study.axis(name)
    conditions = axis.when.items() if axis else ()
    when = " and ".join(f"{field} is {' or '.join(map(show, allowed))}" for field, allowed in conditions)
    return f"is not varied here, but where {when}; remove it" if when else "no field of this configuration; remove it"
