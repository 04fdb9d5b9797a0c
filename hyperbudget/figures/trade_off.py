"""The trade-off: the task's error on the test split against learnable parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperbudget.analyze.attainment import Attainment, attainments
from hyperbudget.analyze.configurations import Configuration, configurations
from hyperbudget.analyze.fronts import front, fronts
from hyperbudget.analyze.intervals import resolution
from hyperbudget.analyze.paper import PaperMatch, paper_matches
from hyperbudget.figures.legend import family_legend_row
from hyperbudget.figures.points import (
    MOST,
    describe_attained,
    describe_configuration,
    describe_printed,
    describe_runs,
    evenly,
    leave_out,
    tell,
)
from hyperbudget.figures.scales import error_axis, parameter_axis
from hyperbudget.figures.style import INK, MUTED, PAPER, FamilyStyle, family_styles, in_order, theme
from hyperbudget.study.results.frame import metric_of
from hyperbudget.study.results.metrics import Metric


def trade_off(frame: pd.DataFrame) -> Figure | None:
    """Both axes log. Pale dots: single runs. Hollow markers: seed means off their family's front, pale; full ones with
    their 95% t intervals: on it. Step lines and bands: what a budget buys, as `hyperbudget.analyze.attainment` has it.
    Stars on a dotted line: the paper's numbers.
    """
    found = configurations(frame)
    if not found:
        return None
    metric, floor = metric_of(frame), resolution(frame).test / 2
    matches = paper_matches(found)
    with theme():
        figure = Figure(figsize=(8.4, 4.6))
        ax = figure.add_axes((0.075, 0.105, 0.9, 0.82))
        styles = family_styles(in_order({c.family for c in found}))
        attained = attainments(found, resolution(frame))
        right = _limits(ax, found, matches, floor, metric)
        for rank, (family, style) in enumerate(styles.items()):
            members = [c for c in found if c.family == family]
            _runs(ax, members, style, floor, metric, many=sum(c.n for c in found) > MOST)
            _attained(ax, family, attained.get(family), front(members), style, right, metric, 10 * (rank + 1))
            _family(ax, members, style, metric, 10 * (rank + 1), many=len(found) > MOST)
        _paper(ax, matches, styles, metric)
        ax.set_xlabel("learnable parameters")
        ax.set_ylabel(f"test {metric.title}")
        extra = [
            Line2D([], [], color=MUTED, marker="*", markersize=10, markerfacecolor=PAPER, linewidth=0, label="paper")
        ] if matches else []  # fmt: skip
        family_legend_row(figure, styles, 0.075, 0.985, extra=extra)
    return figure


def _limits(
    ax: Axes, found: Sequence[Configuration], matches: Sequence[PaperMatch], floor: float, metric: Metric
) -> float:
    """Set both axes' limits around all runs and the fronts' intervals. Returns the right end of x."""
    errors = [max(error, floor) for c in found for error in c.test_errors] + [m.row.error for m in matches]
    drawn = [c.test for members in fronts(found).values() for c in members]
    ends = [end for test in drawn for end in (test.low, test.high) if end is not None]
    room = 3**metric.grain  # an interval of two seeds must not squeeze all the rest
    low = max(min([*errors, *ends]), min(errors) / room)
    high = min(max([*errors, *ends]), max(errors) * room)
    margin = max((high / low) ** 0.06, 1.08**metric.grain)
    error_axis(ax, low / margin, high * margin, metric)
    counts = [c.parameters for c in found]
    pad = max((max(counts) / min(counts)) ** 0.05, 1.15)
    parameter_axis(ax, min(counts) / pad, max(counts) * pad)
    return float(max(counts) * pad)


def _runs(
    ax: Axes, members: Sequence[Configuration], style: FamilyStyle, floor: float, metric: Metric, many: bool
) -> None:
    xs, ys = _places(members, floor)
    ax.plot(
        xs, ys, "o", color=style.color, markersize=2.6, alpha=0.28, markeredgewidth=0, zorder=2, rasterized=many,
    )  # fmt: skip
    several = [c for c in members if c.n > 1]  # the mean of a single run has its text
    if many:
        leave_out(ax, "single runs")
    elif several:
        tell(ax, *_places(several, floor), [text for c in several for text in describe_runs(c, metric)], rank=2)


def _places(members: Sequence[Configuration], floor: float) -> tuple[list[float], list[float]]:
    """x and y of every run."""
    runs = [(float(c.parameters), max(error, floor)) for c in members for error in c.test_errors]
    return [x for x, _ in runs], [y for _, y in runs]


def _attained(
    ax: Axes,
    family: str,
    attained: Attainment | None,
    best: Sequence[Configuration],
    style: FamilyStyle,
    right: float,
    metric: Metric,
    layer: int,
) -> None:
    """What a budget buys, as steps: the median over draws and its band; the front itself where seeds show no spread."""
    if attained is None:
        steps = [(float(c.parameters), c.test.mean) for c in best]
    else:
        steps = list(zip(attained.parameters.tolist(), attained.middle.tolist(), strict=True))
        ax.fill_between(
            [*attained.parameters, right], [*attained.low, attained.low[-1]], [*attained.high, attained.high[-1]],
            step="post", color=style.color, alpha=0.13, linewidth=0, zorder=1,
        )  # fmt: skip
        chosen = evenly(len(steps))
        texts = [describe_attained(family, attained, place, metric) for place in chosen]
        tell(ax, attained.parameters[chosen], attained.middle[chosen], texts, rank=1)
    ends = [*(start for start, _ in steps[1:]), right]
    for (start, error), end in zip(steps, ends, strict=True):
        ax.plot(
            [start, end], [error] * 2, color=style.color, linewidth=1.8, dashes=style.dashes or (None, None),
            dash_capstyle="butt", zorder=layer, clip_on=True,
        )  # fmt: skip
    for (_, before), (start, after) in pairwise(steps):  # faint, so that it is not taken for an interval
        xs, ys = [start] * 2, [before, after]
        ax.plot(xs, ys, color=style.color, linewidth=1.8, alpha=0.3, zorder=layer, solid_capstyle="butt")


def _family(
    ax: Axes, members: Sequence[Configuration], style: FamilyStyle, metric: Metric, layer: int, many: bool
) -> None:
    best = front(members)
    names = {c.name for c in best}
    rest = [c for c in members if c.name not in names]
    if rest:
        xs, ys = [c.parameters for c in rest], [c.test.mean for c in rest]
        ax.plot(
            xs, ys, style.marker, color=style.color, markersize=4.2 * style.scale, alpha=0.5, markerfacecolor="none",
            markeredgewidth=0.9, zorder=3, rasterized=many,
        )  # fmt: skip
        if many:
            leave_out(ax, "configurations off the fronts")
        else:
            tell(ax, xs, ys, [describe_configuration(c, metric) for c in rest], rank=1)
    for configuration in best:
        test = configuration.test
        if test.low is not None and test.high is not None:
            x = configuration.parameters
            ax.plot([x, x], [test.low, test.high], color=style.color, linewidth=1.1, zorder=layer + 1)
    xs, ys = [c.parameters for c in best], [c.test.mean for c in best]
    ax.plot(
        xs, ys, style.marker, color=style.color, markersize=6.6 * style.scale, markeredgecolor=PAPER,
        markeredgewidth=0.8, zorder=layer + 2,
    )  # fmt: skip
    tell(ax, xs, ys, [describe_configuration(c, metric) for c in best])


def _paper(ax: Axes, matches: Sequence[PaperMatch], styles: dict[str, FamilyStyle], metric: Metric) -> None:
    """The printed error as a line, a star on it at our count of learnable parameters: the paper counts differently."""
    for match in matches:
        color = styles[match.configuration.family].color
        x, y = match.configuration.parameters, match.row.error
        ax.axhline(y, color=color, linewidth=0.8, alpha=0.55, dashes=(1, 3), zorder=1.5)
        ax.plot(x, y, "*", color=color, markersize=12, markerfacecolor=PAPER, markeredgewidth=1.2, zorder=90)
        tell(ax, [x], [y], [describe_printed(match, metric)])
        left, right = ax.get_xlim()
        side = 1 if math.log(x / left) < 0.8 * math.log(right / left) else -1
        ax.annotate(
            f"{metric.number(y)}{metric.sign}", (x, y), xytext=(8 * side, -3), textcoords="offset points",
            ha="left" if side == 1 else "right", fontsize=8.5, color=INK, zorder=91,
        )  # fmt: skip
