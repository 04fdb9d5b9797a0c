"""How the validation error falls in training: a line a configuration (figure 6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from hyperbudget.analyze.learning import LearningCurve
from hyperbudget.figures.heading import draw_heading, fitted, heading_height
from hyperbudget.figures.legend import family_legend_row
from hyperbudget.figures.points import describe_evaluation, evenly, tell
from hyperbudget.figures.scales import error_axis, short_count
from hyperbudget.figures.style import PAPER, FamilyStyle, family_styles, in_order, theme
from hyperbudget.study.results.metrics import Metric

HIGH, UNDER = 2.9, 0.46
MARKS = 8
"""Markers on a line, so that evaluations do not hide it."""


def learning(curves: Sequence[LearningCurve], metric: Metric, words: Sequence[str] | None = None) -> Figure | None:
    """Thick lines: means over the seeds; pale ones: the seeds. y is a log axis. None for no curves.

    words: paragraphs for a heading; None: no heading, as inside a page.
    """
    if not curves:
        return None
    styles = family_styles(in_order({curve.family for curve in curves}))
    with theme():
        width = 8.4
        heading = None if words is None else fitted(words, width)
        top = 0.34 if heading is None else heading_height(heading) + 0.3
        height = top + HIGH + UNDER
        figure = Figure(figsize=(width, height))
        if heading is not None:
            draw_heading(figure, "Validation in training", heading)
        ax = figure.add_axes((0.075, UNDER / height, 0.9, HIGH / height))
        errors = np.concatenate([curve.errors.ravel() for curve in curves])
        margin = max((errors.max() / errors.min()) ** 0.05, 1.02)
        error_axis(ax, float(errors.min() / margin), float(errors.max() * margin), metric)
        for rank, curve in enumerate(curves):
            _line(ax, curve, styles[curve.family], 10 * (rank + 1))
            chosen = evenly(len(curve.steps))
            texts = [describe_evaluation(curve, i, metric, f"step {curve.steps[i]:,.0f}") for i in chosen]
            tell(ax, curve.steps[chosen], curve.mean[chosen], texts)
        ax.set_xlim(0, 1.02 * max(curve.steps.max() for curve in curves))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 4, 5, 10]))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda step, _: short_count(step)))
        ax.set_xlabel("training step")
        ax.set_ylabel(f"validation {metric.title}")
        family_legend_row(figure, styles, 0.075, 1 - (top - 0.28) / height)
    return figure


def _line(ax: Axes, curve: LearningCurve, style: FamilyStyle, layer: int) -> None:
    if len(curve.errors) > 1:
        for errors in curve.errors:
            ax.plot(curve.steps, errors, color=style.color, linewidth=0.8, alpha=0.3, zorder=layer)
    ax.plot(
        curve.steps, curve.mean, color=style.color, linewidth=1.8, dashes=style.dashes or (None, None),
        marker=style.marker, markersize=5.4 * style.scale, markevery=max(1, len(curve.steps) // MARKS),
        markeredgecolor=PAPER, markeredgewidth=0.7, zorder=layer + 1,
    )  # fmt: skip
