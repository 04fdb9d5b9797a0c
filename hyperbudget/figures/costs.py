"""How the validation error falls with what training costs: seconds on the left, operations on the right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperbudget.analyze.learning import LearningCurve
from hyperbudget.analyze.words import duration, operations
from hyperbudget.figures.legend import family_legend_row
from hyperbudget.figures.points import describe_evaluation, evenly, tell
from hyperbudget.figures.scales import error_axis, operation_axis, time_axis
from hyperbudget.figures.style import PAPER, FamilyStyle, family_styles, in_order, theme
from hyperbudget.nn.sharing.matrices import Array
from hyperbudget.study.results.metrics import Metric

HIGH, ABOVE, UNDER = 2.4, 0.36, 0.46
MARKS = 6
"""Markers on a line."""


def learning_costs(curves: Sequence[LearningCurve], metric: Metric) -> Figure | None:
    """Means over the seeds, all axes log; a panel that no curve has data for is missing. None without either."""
    timed = [(curve, np.asarray(curve.seconds.mean(0))) for curve in curves if curve.seconds is not None]
    counted = [(curve, curve.operations) for curve in curves if curve.operations is not None]
    panels = [
        ("training time", timed, time_axis, duration),
        (
            "training, floating-point operations",
            counted,
            operation_axis,
            lambda count: f"{operations(count)} operations",
        ),
    ]
    panels = [panel for panel in panels if panel[1]]
    if not panels:
        return None
    styles = family_styles(in_order({curve.family for _, lines, *_ in panels for curve, _ in lines}))
    errors = np.concatenate([curve.mean for _, lines, *_ in panels for curve, _ in lines])
    margin = max((errors.max() / errors.min()) ** 0.05, 1.02)
    with theme():
        width, height = 8.4, ABOVE + HIGH + UNDER
        figure = Figure(figsize=(width, height))
        left, between, right = 0.63, 0.3, 0.2
        wide = (width - left - right - between * (len(panels) - 1)) / len(panels)
        for place, (name, lines, scale, write) in enumerate(panels):
            box = ((left + place * (wide + between)) / width, UNDER / height, wide / width, HIGH / height)
            ax = figure.add_axes(box, label=name)
            error_axis(ax, float(errors.min() / margin), float(errors.max() * margin), metric)
            ends = np.concatenate([at for _, at in lines])
            scale(ax, float(ends.min() / 1.15), float(ends.max() * 1.15))
            for curve, at in lines:
                _line(ax, curve, at, styles[curve.family])
                chosen = evenly(len(at))
                texts = [describe_evaluation(curve, i, metric, f"after {write(float(at[i]))}") for i in chosen]
                tell(ax, at[chosen], curve.mean[chosen], texts)
            ax.set_xlabel(name)
            if place:
                ax.tick_params(labelleft=False)
            else:
                ax.set_ylabel(f"validation {metric.title}")
        family_legend_row(figure, styles, left / width, 1 - 0.06 / height)
    return figure


def _line(ax: Axes, curve: LearningCurve, at: Array, style: FamilyStyle) -> None:
    ax.plot(
        at, curve.mean, color=style.color, linewidth=1.8, dashes=style.dashes or (None, None), marker=style.marker,
        markersize=5.0 * style.scale, markevery=max(1, len(at) // MARKS), markeredgecolor=PAPER, markeredgewidth=0.7,
        zorder=3,
    )  # fmt: skip
