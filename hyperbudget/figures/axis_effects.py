"""What each axis buys: small multiples, one panel a science axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperbudget.analyze.axes import Effect, axes_of, effects
from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.words import axis_name, capital, family_legend, value_text
from hyperbudget.figures.legend import family_legend_row
from hyperbudget.figures.points import FEW, describe_configuration, leave_out, tell
from hyperbudget.figures.scales import error_axis, value_axis
from hyperbudget.figures.style import PAPER, FamilyStyle, family_styles, in_order, theme
from hyperbudget.study.results.frame import metric_of
from hyperbudget.study.results.metrics import Metric

COLUMNS = 3


def axis_effects(frame: pd.DataFrame) -> Figure | None:
    """The task's error along each science axis, the nuisance axes tuned away by validation at every point.

    Thin lines: one setting of the other axes each. Thick lines: the median over those that have every value. Dots:
    configurations whose setting occurs at one value alone.
    """
    found = effects(configurations(frame), axes_of(frame.attrs["study"]))
    panels: dict[str, list[Effect]] = {}
    for effect in found:
        panels.setdefault(effect.axis.name, []).append(effect)
    if not panels:
        return None
    metric = metric_of(frame)
    with theme():
        rows = math.ceil(len(panels) / COLUMNS)
        columns = math.ceil(len(panels) / rows)
        height = 2.6 * rows + 0.5
        figure = Figure(figsize=(8.4 if columns > 1 else 5.4, height))
        grid = figure.add_gridspec(
            rows, columns, left=0.075 if columns > 1 else 0.115, right=0.985, top=1 - 0.68 / height,
            bottom=0.3 / height, wspace=0.1, hspace=0.38,
        )  # fmt: skip
        styles = family_styles(in_order({effect.family for effect in found}))
        low, high = _limits(found, metric)
        few = points_on_lines(found) <= FEW
        for place, (name, members) in enumerate(panels.items()):
            ax = figure.add_subplot(grid[divmod(place, columns)])
            error_axis(ax, low, high, metric)
            _horizontal(ax, members)
            for effect in sorted(members, key=lambda e: list(styles).index(e.family)):
                _panel(ax, effect, styles[effect.family], _positions(members), metric, few)
            ax.set_title(capital(axis_name(name)))
            if place % columns:
                ax.tick_params(labelleft=False)
            else:
                ax.set_ylabel(f"test {metric.title}")
        family_legend_row(figure, styles, 0.075 if columns > 1 else 0.115, 1 - 0.06 / height)
    return figure


def _limits(found: Sequence[Effect], metric: Metric) -> tuple[float, float]:
    errors = [c.test.mean for e in found for line in e.lines for _, c in line.points]
    errors += [c.test.mean for e in found for _, c in e.loose]
    alone = [c.test for e in found if len(e.complete) == 1 for _, c in e.complete[0].points]
    ends = [end for test in alone for end in (test.low, test.high) if end is not None]
    room = 2**metric.grain
    errors += [min(max(end, min(errors) / room), max(errors) * room) for end in ends]
    margin = max((max(errors) / min(errors)) ** 0.07, 1.06**metric.grain)
    return min(errors) / margin, max(errors) * margin


def _positions(members: Sequence[Effect]) -> dict[object, float]:
    """Where each value lies: at itself if all are positive numbers, else evenly spaced in order."""
    values = [value for effect in members for value in effect.values]
    unique = list(dict.fromkeys(values))
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in unique):
        unique.sort()
        if unique[0] > 0:
            return {value: float(value) for value in unique}
    return {value: float(place) for place, value in enumerate(unique)}


def _horizontal(ax: Axes, members: Sequence[Effect]) -> None:
    places = _positions(members)
    if all(isinstance(value, int | float) and value == place for value, place in places.items()) and 0 not in places:
        value_axis(ax, list(places.values()))
        return
    ax.set_xlim(-0.4, len(places) - 0.6)
    ax.set_xticks(list(places.values()), [value_text(value) for value in places])


def points_on_lines(found: Sequence[Effect]) -> int:
    """Points of the thin lines beside a median: each has a text where there are at most `FEW`."""
    return sum(len(line.points) for effect in found if len(effect.complete) != 1 for line in effect.lines)


def _panel(
    ax: Axes, effect: Effect, style: FamilyStyle, places: dict[object, float], metric: Metric, few: bool
) -> None:
    dashes = style.dashes or (None, None)
    complete = len(effect.complete)
    for line in effect.lines:
        xs, ys = [places[v] for v, _ in line.points], [c.test.mean for _, c in line.points]
        ax.plot(xs, ys, color=style.color, linewidth=0.8, alpha=0.35 if complete > 1 else 0.8, dashes=dashes, zorder=3)
        if complete != 1 and not few:
            leave_out(ax, "points of thin lines")
        elif complete != 1:
            tell(ax, xs, ys, [describe_configuration(c, metric) for _, c in line.points], rank=1)
    if effect.loose:
        xs, ys = [places[v] for v, _ in effect.loose], [c.test.mean for _, c in effect.loose]
        ax.plot(xs, ys, style.marker, color=style.color, markersize=4 * style.scale, alpha=0.6, markerfacecolor="none")
        tell(ax, xs, ys, [describe_configuration(c, metric) for _, c in effect.loose])
    if effect.median:
        xs, ys = [places[v] for v, _ in effect.median], [error for _, error in effect.median]
        ax.plot(
            xs, ys, style.marker, linestyle="-", color=style.color, linewidth=1.9, dashes=dashes,
            markersize=6 * style.scale, markeredgecolor=PAPER, markeredgewidth=0.8, zorder=5,
        )  # fmt: skip
        said = "test" if complete == 1 else "median test"
        name = f"{family_legend(effect.family)}, {axis_name(effect.axis.name)}"
        tell(ax, xs, ys, [f"{name} {value_text(v)}: {metric.measured(said, error)}" for v, error in effect.median])
    if complete == 1:
        for value, configuration in effect.complete[0].points:
            test = configuration.test
            if test.low is not None and test.high is not None:
                x = places[value]
                ax.plot([x, x], [test.low, test.high], color=style.color, linewidth=1.0, zorder=4)
