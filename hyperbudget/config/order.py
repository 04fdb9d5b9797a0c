"""In which order the fields of a configuration are settled: each after those that decide about it."""

from __future__ import annotations

from collections.abc import Mapping

from hyperbudget.config.axis import Axis
from hyperbudget.config.fields import FIELDS, HEADS


class CircleError(ValueError):
    """Conditions that need each other; `names` begins and ends with the same axis."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(" -> ".join(names))
        self.names = names


def walk(axes: Mapping[str, Axis]) -> tuple[str, ...]:
    """Every field's name: task, network and family first, then the axes as they come, then the rest.

    A field that a condition needs is moved in front of the axis whose condition it is. Raises CircleError.
    """
    done: dict[str, None] = {}

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            raise CircleError([*path[path.index(name) :], name])
        if name in done:
            return
        for needed in (*FIELDS[name].needed(), *(axes[name].when if name in axes else ())):
            visit(needed, [*path, name])
        done[name] = None

    for name in (*HEADS, *axes, *FIELDS):
        visit(name, [])
    return tuple(done)


def deciding(axes: Mapping[str, Axis]) -> set[str]:
    """The axes on whose value it depends which other axes there are."""
    needed = {name for axis in axes.values() for name in axis.when}
    return needed | {name for axis in axes.values() for name in FIELDS[axis.name].needed()}
