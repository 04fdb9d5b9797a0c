"""What each science axis buys, with the nuisance axes tuned away at every point."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hyperbudget.analyze.configurations import Configuration


@dataclass(frozen=True)
class Axis:
    """An axis of the study, as its frame describes it."""

    name: str
    role: str
    log: bool
    continuous: bool = False
    """Whether it is a range, and not a list of values."""


@dataclass(frozen=True)
class Line:
    """One setting of the other science axes: along the axis, the best nuisance setting by validation at each value."""

    setting: tuple[tuple[str, Any], ...]
    points: tuple[tuple[Any, Configuration], ...]


@dataclass(frozen=True)
class Effect:
    """One axis in one family.

    `values`: the axis's values, in order. `lines`: one for each setting of the other science axes that has at least
    two of them. `median`: (value, median test error over the lines that have every value); empty if none has.
    `loose`: configurations on no line, as random search leaves them.
    """

    axis: Axis
    family: str
    values: tuple[Any, ...]
    lines: tuple[Line, ...]
    loose: tuple[tuple[Any, Configuration], ...]

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers, none a word."""
        return all(_is_number(value) for value in self.values)

    @property
    def complete(self) -> tuple[Line, ...]:
        """The lines that have every value: only over these is a median a fair comparison of the values."""
        return tuple(line for line in self.lines if len(line.points) == len(self.values))

    @property
    def median(self) -> tuple[tuple[Any, float], ...]:
        lines = self.complete
        if not lines:
            return ()
        return tuple(
            (value, statistics.median(line.points[i][1].test.mean for line in lines))
            for i, value in enumerate(self.values)
        )

    def end_to_end(self) -> tuple[float, int, int, float] | None:
        """From the first value to the last: median ratio of test errors, how many of how many lines fell, median
        ratio of parameters. None for words instead of numbers, or where no line has every value."""
        lines = self.complete
        if not lines or not self.numeric:
            return None
        pairs = [(line.points[0][1], line.points[-1][1]) for line in lines]
        ratios = [last.test.mean / first.test.mean for first, last in pairs]
        costs = [last.parameters / first.parameters for first, last in pairs]
        return statistics.median(ratios), sum(r < 1 for r in ratios), len(ratios), statistics.median(costs)


def axes_of(study: Mapping[str, Any]) -> list[Axis]:
    """The axes in ``frame.attrs["study"]``."""
    return [
        Axis(
            str(axis["name"]),
            str(axis.get("role", "science")),
            bool(axis.get("log", False)),
            axis.get("values") is None and axis.get("low") is not None,
        )
        for axis in study.get("axes") or []
    ]


def tuned(
    configurations: Iterable[Configuration], names: Sequence[str]
) -> dict[tuple[str, tuple[Any, ...]], list[Configuration]]:
    """All configurations by family and setting of the axes `names`, each group's best by validation first."""
    groups: dict[tuple[str, tuple[Any, ...]], list[Configuration]] = {}
    for configuration in configurations:
        setting = tuple(configuration.fields.get(name) for name in names)
        groups.setdefault((configuration.family, setting), []).append(configuration)
    return {key: sorted(group, key=lambda c: c.selection_key) for key, group in groups.items()}


def effects(configurations: Sequence[Configuration], axes: Sequence[Axis]) -> list[Effect]:
    """The effect of every science axis in every family that has at least two of its values.

    The family itself is no axis here: families are compared at equal budget, not at equal shape. A family without the
    axis is left out.
    """
    science = [axis for axis in axes if axis.role == "science" and axis.name != "model.family"]
    names = [axis.name for axis in science]
    best = {key: group[0] for key, group in tuned(configurations, names).items()}
    found = []
    for position, axis in enumerate(science):
        for family in sorted({family for family, _ in best}):
            lines: dict[tuple[tuple[str, Any], ...], list[tuple[Any, Configuration]]] = {}
            for (member, setting), configuration in best.items():
                if member == family and setting[position] is not None:
                    others = tuple(
                        (name, value)
                        for i, (name, value) in enumerate(zip(names, setting, strict=True))
                        if i != position and value is not None
                    )
                    lines.setdefault(others, []).append((setting[position], configuration))
            values = sorted({value for points in lines.values() for value, _ in points}, key=_order)
            if len(values) > 1:
                ordered = {key: tuple(sorted(points, key=lambda p: _order(p[0]))) for key, points in lines.items()}
                found.append(
                    Effect(
                        axis=axis,
                        family=family,
                        values=tuple(values),
                        lines=tuple(Line(k, p) for k, p in sorted(ordered.items(), key=str) if len(p) > 1),
                        loose=tuple(p for points in ordered.values() if len(points) == 1 for p in points),
                    )
                )
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _order(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if _is_number(value) else (1, 0.0, str(value))
