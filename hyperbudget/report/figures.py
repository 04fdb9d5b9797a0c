"""The figures as SVG with alt texts that say what they find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from hyperbudget.analyze.summary import Analysis
from hyperbudget.figures.anatomy import anatomy_bars
from hyperbudget.figures.axis_effects import axis_effects
from hyperbudget.figures.budget_ratios import budget_ratios
from hyperbudget.figures.convergence import convergence_figure
from hyperbudget.figures.costs import learning_costs
from hyperbudget.figures.importances import importance_bars
from hyperbudget.figures.learning import learning
from hyperbudget.figures.saturation import saturation
from hyperbudget.figures.sharing import sharing_maps, sharing_shapes
from hyperbudget.figures.spread import spread_figure
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.trade_off import trade_off
from hyperbudget.figures.weight_changes import weight_changes
from hyperbudget.report import describe
from hyperbudget.report.inside import Inside
from hyperbudget.report.tables import anatomies


@dataclass(frozen=True)
class Drawn:
    """A figure and its alt text."""

    figure: Figure
    title: str
    description: str


def draw_figures(frame: pd.DataFrame, analysis: Analysis, found: Inside) -> dict[str, Drawn | None]:
    """Every figure by name; None where the study has no data for it. analysis, found: of `frame`."""
    metric = analysis.metric
    tested = f"Test {metric.title}"
    chosen = anatomies(analysis)
    wanted: tuple[tuple[str, Any, str, str], ...] = (
        (
            "trade_off", trade_off(frame), f"{tested} against learnable parameters",
            describe.describe_trade_off(analysis),
        ),
        (
            "budget_ratios", budget_ratios(frame), f"{tested} relative to the baseline, by budget",
            describe.describe_ratios(analysis),
        ),
        (
            "axis_effects", axis_effects(frame), f"{tested} along each axis of the study",
            describe.describe_effects(analysis),
        ),
        (
            "importances", importance_bars(analysis.importances), f"What decides validation {metric.title}",
            describe.describe_importances(analysis.importances),
        ),
        (
            "anatomy", anatomy_bars(chosen), "Learnable parameters by group, as shares",
            describe.describe_anatomy(chosen),
        ),
        (
            "sharing_maps", sharing_maps(found.sharings), "Cosine between every two kernels, family by family",
            describe.describe_sharing(found.sharings),
        ),
        (
            "sharing_shapes", sharing_shapes(found.sharings), "Effective ranks of kernels, and embeddings",
            describe.describe_shapes(found.sharings),
        ),
        (
            "learning", learning(found.curves, metric), f"Validation {metric.title} in training",
            describe.describe_learning(found.curves, metric),
        ),
        (
            "costs", learning_costs(found.curves, metric), f"Validation {metric.title} against what training costs",
            describe.describe_costs(found.curves, metric),
        ),
        (
            "weight_changes", weight_changes(found.changes),
            "A text, and how much each character changed the main cell’s weights",
            describe.describe_changes(found.changes),
        ),
        (
            "spread", spread_figure(found.spreads), "How far the scaling vectors move along a text",
            describe.describe_spread(found.spreads),
        ),
        (
            "saturation", saturation(found.saturations), "Histograms of φ(c), the tanh in h",
            describe.describe_saturation(found.saturations),
        ),
        (
            "convergence", convergence_figure(analysis.convergence),
            "Hypervolume of the front over the configurations tried",
            describe.describe_convergence(analysis.convergence),
        ),
    )  # fmt: skip
    return {
        name: None if figure is None else Drawn(figure, title, description)
        for name, figure, title, description in wanted
    }  # fmt: skip


def render_figures(drawn: Mapping[str, Drawn | None], themed: bool, suffix: str = "") -> dict[str, Markup | None]:
    """All of them as SVG. suffix: ends the ids of all."""
    return {
        name: None if each is None
        else Markup(to_svg(each.figure, name.replace("_", "-") + suffix, each.title, each.description, themed))
        for name, each in drawn.items()
    }  # fmt: skip
