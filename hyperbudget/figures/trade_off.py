"""The trade-off: the task's error on the test split against learnable parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperbudget.analyze.configurations import Configuration, configurations
from hyperbudget.analyze.fronts import front, fronts
from hyperbudget.analyze.intervals import resolution
from hyperbudget.analyze.paper import PaperMatch, paper_matches
from hyperbudget.figures.legend import family_legend_row
from hyperbudget.figures.points import MOST, describe_configuration, describe_runs, tell
from hyperbudget.figures.scales import error_axis, parameter_axis
from hyperbudget.figures.style import INK, MUTED, PAPER, FamilyStyle, family_styles, in_order, theme
from hyperbudget.study.results.frame import metric_of
from hyperbudget.study.results.metrics import Metric


def trade_off(frame: pd.DataFrame) -> Figure | None:
    """Both axes log. Pale dots: single runs. Hollow markers: seed means off their family's front, pale; full ones with
    their 95% t intervals: on it. Step lines: the error that a budget buys. Diamonds on a tick: the paper's numbers.
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
        right = _limits(ax, found, matches, floor, metric)
        for rank, (family, style) in enumerate(styles.items()):
            members = [c for c in found if c.family == family]
            _runs(ax, members, style, floor, metric, many=sum(c.n for c in found) > MOST)
            _family(ax, members, style, right, metric, 10 * (rank + 1))
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
    runs = [(c.parameters, max(error, floor)) for c in members for error in c.test_errors]
    (dots,) = ax.plot(
        *zip(*runs, strict=True), "o", color=style.color, markersize=2.6, alpha=0.28, markeredgewidth=0, zorder=2,
        rasterized=many,
    )  # fmt: skip
    if not many:
        tell(dots, [text for c in members for text in describe_runs(c, metric)])


def _family(
    ax: Axes, members: Sequence[Configuration], style: FamilyStyle, right: float, metric: Metric, layer: int
) -> None:
    best = front(members)
    names = {c.name for c in best}
    rest = [c for c in members if c.name not in names]
    if rest:
        (hollow,) = ax.plot(
            [c.parameters for c in rest], [c.test.mean for c in rest], style.marker, color=style.color,
            markersize=4.2 * style.scale, alpha=0.5, markerfacecolor="none", markeredgewidth=0.9, zorder=3,
        )  # fmt: skip
        tell(hollow, [describe_configuration(c, metric) for c in rest])
    ends = [*(c.parameters for c in best[1:]), right]
    for configuration, end in zip(best, ends, strict=True):
        ax.plot(
            [configuration.parameters, end], [configuration.test.mean] * 2, color=style.color, linewidth=1.8,
            dashes=style.dashes or (None, None), dash_capstyle="butt", zorder=layer, clip_on=True,
        )  # fmt: skip
    for before, after in pairwise(best):  # faint, so that it is not taken for an interval
        xs, ys = [after.parameters] * 2, [before.test.mean, after.test.mean]
        ax.plot(xs, ys, color=style.color, linewidth=1.8, alpha=0.3, zorder=layer, solid_capstyle="butt")
    for configuration in best:
        test = configuration.test
        if test.low is not None and test.high is not None:
            x = configuration.parameters
            ax.plot([x, x], [test.low, test.high], color=style.color, linewidth=1.1, zorder=layer + 1)
    (full,) = ax.plot(
        [c.parameters for c in best], [c.test.mean for c in best], style.marker, color=style.color,
        markersize=6.6 * style.scale, markeredgecolor=PAPER, markeredgewidth=0.8, zorder=layer + 2,
    )  # fmt: skip
    tell(full, [describe_configuration(c, metric) for c in best])


def _paper(ax: Axes, matches: Sequence[PaperMatch], styles: dict[str, FamilyStyle], metric: Metric) -> None:
    """The printed error as a star at our count of learnable parameters: the paper counts differently."""
    for match in matches:
        color = styles[match.configuration.family].color
        x, y = match.configuration.parameters, match.row.error
        ax.plot(x, y, "*", color=color, markersize=12, markerfacecolor=PAPER, markeredgewidth=1.2, zorder=90)
        left, right = ax.get_xlim()
        side = 1 if math.log(x / left) < 0.8 * math.log(right / left) else -1
        ax.annotate(
            f"{metric.number(y)}{metric.sign}", (x, y), xytext=(8 * side, -3), textcoords="offset points",
            ha="left" if side == 1 else "right", fontsize=8.5, color=INK, zorder=91,
        )  # fmt: skip
