"""Which axes decide the error: two bars an axis, one panel a family."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from hyperbudget.analyze.importance import Importances
from hyperbudget.analyze.words import axis_name, capital, family_legend
from hyperbudget.figures.points import Box, tell_boxes
from hyperbudget.figures.style import INK, MUTED, theme

VARIANCE, BEST = "#0072b2", "#e69f00"
ACROSS = 2
ROW, ABOVE, UNDER, LEGEND = 0.34, 0.36, 0.5, 0.34
"""Heights of an axis, of a panel's title and of its scale, and of the legend, in inches."""
NAMES = 1.85
"""Inches for the names of the axes."""
HIGH = 0.36
"""Of a bar, as a share of an axis's row."""


def importance_bars(found: Sequence[Importances]) -> Figure | None:
    """Upper bars: fANOVA, with a tick where chance is; lower ones: PED-ANOVA. None where there are none."""
    if not found:
        return None
    columns = min(ACROSS, len(found))
    rows = math.ceil(len(found) / columns)
    deepest = [max(len(each.axes) for each in found[row * columns : (row + 1) * columns]) for row in range(rows)]
    with theme():
        width = 8.4 if columns > 1 else 5.8
        height = LEGEND + sum(ABOVE + ROW * deep + UNDER for deep in deepest)
        figure = Figure(figsize=(width, height))
        panel = width / columns
        top = height - LEGEND
        for row, deep in enumerate(deepest):
            for column, each in enumerate(found[row * columns : (row + 1) * columns]):
                high = ROW * len(each.axes)
                box = (
                    (column * panel + NAMES) / width, (top - ABOVE - high) / height,
                    (panel - NAMES - 0.22) / width, high / height,
                )  # fmt: skip
                _panel(figure.add_axes(box, label=each.family), each)
            top -= ABOVE + ROW * deep + UNDER
        figure.legend(
            handles=[
                Patch(color=VARIANCE, linewidth=0, label="variance explained (fANOVA)"),
                Line2D([], [], color=INK, marker="|", markersize=9, markeredgewidth=1.4, linewidth=0, label="chance"),
                Patch(color=BEST, linewidth=0, label="what the best have (PED-ANOVA)"),
            ],
            loc="upper left", bbox_to_anchor=(0.08 / width, 1 - 0.06 / height), ncols=3, handlelength=1.4,
            columnspacing=1.3, handletextpad=0.6, borderpad=0, borderaxespad=0, labelcolor=INK,
        )  # fmt: skip
    return figure


def _panel(ax: Axes, found: Importances) -> None:
    boxes: list[Box] = []
    texts: list[str] = []
    for place, axis in enumerate(found.axes):
        name = f"{family_legend(found.family)}, {axis_name(axis.axis)}"
        if axis.variance is not None:
            ax.barh(place - HIGH / 2, axis.variance, HIGH, color=VARIANCE, linewidth=0, zorder=3)
            boxes.append((0, place - HIGH, axis.variance, HIGH))
            texts.append(f"{name}: explains {axis.variance:.2f} of the variance (fANOVA); by chance {found.chance:.2f}")
            ax.plot([found.chance] * 2, [place - HIGH, place], color=INK, linewidth=1.4, zorder=4)
        ax.barh(place + HIGH / 2, axis.best, HIGH, color=BEST, linewidth=0, zorder=3)
        boxes.append((0, place, axis.best, HIGH))
        texts.append(f"{name}: {axis.best:.2f} of what sets the best {found.top} apart (PED-ANOVA)")
    tell_boxes(ax, boxes, texts)
    ax.set_ylim(len(found.axes) - 0.5, -0.5)
    ax.set_yticks(range(len(found.axes)), [capital(axis_name(axis.axis)) for axis in found.axes])
    for label in ax.get_yticklabels():
        label.set_color(INK)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ax.set_xlabel("importance")
    ax.xaxis.label.set_color(MUTED)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_title(family_legend(found.family), x=0)
