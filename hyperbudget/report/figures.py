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
from hyperbudget.figures.stretch import elastic_share, stretched
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.trade_off import trade_off
from hyperbudget.figures.weight_changes import weight_changes
from hyperbudget.report import describe
from hyperbudget.report.inside import Inside
from hyperbudget.report.publish import Target
from hyperbudget.report.tables import anatomies

RIGID, ROWS = ("sharing_maps", "weight_changes"), ("anatomy", "budget_ratios", "importances", "spread", "ratios")
"""Figures that hold squares or lines of text, and those that hold rows."""
WIDE = 8.4
"""Inches of a figure that is as wide as the page; what is narrower has letters of the same size."""


@dataclass(frozen=True)
class Drawn:
    """A figure and its alt text. limits: what its axes' heights may be multiplied by, to fill pages of paper."""

    figure: Figure
    title: str
    description: str
    limits: tuple[float, float] = (1.0, 1.0)


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
        name: None if figure is None else Drawn(figure, title, description, limits(name))
        for name, figure, title, description in wanted
    }  # fmt: skip


def limits(name: str) -> tuple[float, float]:
    """What the heights of a figure's axes may be multiplied by without harm."""
    return (1.0, 1.0) if name in RIGID else (0.8, 1.25) if name in ROWS else (0.55, 1.25)


def render_figures(
    drawn: Mapping[str, Drawn | None], target: Target, stretches: Mapping[str, float], suffix: str = ""
) -> dict[str, Markup | None]:
    """All of them as SVG. stretches: as of `render_figure`. suffix: ends the ids of all."""
    return {
        name: None if each is None else render_figure(each, name.replace("_", "-") + suffix, target, stretches)
        for name, each in drawn.items()
    }


def render_figure(drawn: Drawn, name: str, target: Target, stretches: Mapping[str, float]) -> Markup:
    """The figure as SVG.

    stretches: by name from -1, the axes as low as they may be, to 1, as tall as they may be. On paper, attributes say
    what shares of the figure's height that is, for `hyperbudget.report.blocks`.
    """
    ratio = stretches.get(name, 0.0)
    least, most = drawn.limits
    with stretched(drawn.figure, 1 + ratio * (most - 1 if ratio > 0 else 1 - least)):
        text = to_svg(drawn.figure, name, drawn.title, drawn.description, target == "html")
        width = drawn.figure.get_figwidth() / WIDE
        if width < 1:
            text = text.replace(' style="', f' style="--width: {width:.1%}; ', 1)
        if target == "pdf":
            share = elastic_share(drawn.figure)
            give = f'data-shrink="{share * (1 - least):.4f}" data-grow="{share * (most - 1):.4f}"'
            text = text.replace("<svg ", f'<svg data-figure="{name}" {give} ', 1)
    return Markup(text)
