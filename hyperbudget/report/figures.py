"""The figures as SVG with alt texts that say what they find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.convergence import Convergence
from hyperbudget.analyze.dynamics import Saturation, WeightChanges
from hyperbudget.analyze.learning import LearningCurve
from hyperbudget.analyze.summary import Analysis, analyze
from hyperbudget.analyze.words import axis_name, capital, change, count, family_name, interval, listing, value_text
from hyperbudget.figures.axis_effects import axis_effects
from hyperbudget.figures.budget_ratios import budget_ratios
from hyperbudget.figures.convergence import convergence_figure
from hyperbudget.figures.learning import learning
from hyperbudget.figures.saturation import saturation
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.trade_off import trade_off
from hyperbudget.figures.weight_changes import weight_changes
from hyperbudget.nn.cells import SATURATED
from hyperbudget.report.inside import inside
from hyperbudget.study.metrics import Metric, percent


def render_figures(frame: pd.DataFrame, themed: bool, suffix: str = "") -> dict[str, Markup | None]:
    """Every figure by name; None where the study has no data for it. suffix: ends the ids of all."""
    analysis = analyze(frame)
    metric = analysis.metric
    found = inside(frame, metric)
    tested = f"Test {analysis.metric.title}"
    wanted: tuple[tuple[str, Any, str, str], ...] = (
        ("trade_off", trade_off, f"{tested} against learnable parameters", describe_trade_off(analysis)),
        ("budget_ratios", budget_ratios, f"{tested} relative to the baseline, by budget", describe_ratios(analysis)),
        ("axis_effects", axis_effects, f"{tested} along each axis of the study", describe_effects(analysis)),
        (
            "learning", lambda _: learning(found.curves, metric), f"Validation {metric.title} in training",
            describe_learning(found.curves, metric),
        ),
        (
            "weight_changes", lambda _: weight_changes(found.changes),
            "A text, and how much each character changed the main cell’s weights", describe_changes(found.changes),
        ),
        (
            "saturation", lambda _: saturation(found.saturations), "Histograms of φ(c), the tanh in h",
            describe_saturation(found.saturations),
        ),
        (
            "convergence", lambda _: convergence_figure(analysis.convergence),
            "Hypervolume of the front over the configurations tried", describe_convergence(analysis.convergence),
        ),
    )  # fmt: skip
    made: dict[str, Markup | None] = {}
    for name, draw, title, description in wanted:
        figure = draw(frame)
        made[name] = (
            None
            if figure is None
            else Markup(to_svg(figure, name.replace("_", "-") + suffix, title, description, themed))
        )
    return made


def describe_trade_off(analysis: Analysis) -> str:
    """Where each family's front begins and ends."""
    parts = [f"{count(len(analysis.configurations), 'configuration')} on log axes."]
    metric = analysis.metric
    for family, members in analysis.fronts.items():
        first, last = members[0], members[-1]
        name = capital(family_name(family))
        if first is last:
            parts.append(f"{name}: {_point(first, metric)}.")
        else:
            ends = f"from {_point(first, metric)} to {_point(last, metric)}"
            parts.append(f"{name}: along its front of {len(members)} {ends}.")
    return " ".join(parts)


def describe_ratios(analysis: Analysis) -> str:
    """The word of every mark."""
    parts, ratio = [], analysis.metric.ratio
    for entry in analysis.entries:
        if entry.ratio is not None:
            value = entry.ratio
            ends = "" if value.low is None or value.high is None else f" [{ratio(value.low)}, {ratio(value.high)}]"
            parts.append(
                f"{capital(family_name(entry.family))} at {entry.budget:,}: {ratio(value.mean)}{ends}, {entry.word}."
            )
    return " ".join(parts)


def describe_effects(analysis: Analysis) -> str:
    """From one end of each axis to the other."""
    parts, metric = [], analysis.metric
    for effect in analysis.effects:
        name = f"{capital(axis_name(effect.axis.name))}, {family_name(effect.family)}"
        ends = effect.end_to_end()
        if ends:
            ratio, fell, lines, _ = ends
            first, last = value_text(effect.values[0]), value_text(effect.values[-1])
            found = f"test {metric.title} {change(ratio, metric)}, lower in {fell} of {lines}"
            parts.append(f"{name}: from {first} to {last} {found}.")
        else:
            parts.append(f"{name}: {len(effect.values)} values, no setting has them all.")
    return " ".join(parts)


def describe_learning(curves: Sequence[LearningCurve], metric: Metric) -> str:
    """Where each line begins and ends."""
    return " ".join(
        f"{capital(curve.label)}: from {metric.full(curve.mean[0])} at step {curve.steps[0]:,.0f} to "
        f"{metric.full(curve.mean[-1])} at step {curve.steps[-1]:,.0f}."
        for curve in curves
    )


def describe_changes(found: WeightChanges | None) -> str:
    """What the strips say on the whole."""
    if found is None:
        return ""
    means = listing([f"{gate} {changes.mean():.2g}" for gate, changes in found.changes.items()])
    largest = max(float(changes.max()) for changes in found.changes.values())
    return (
        f"Over {count(len(found.symbols), 'character')} the norm of the change of a gate’s weights is on average "
        f"{means}; the largest is {largest:.2g}."
    )


def describe_saturation(found: Mapping[str, Saturation]) -> str:
    """The share of every panel."""
    return " ".join(
        f"{capital(family_name(family))}: {percent(each.saturated)} of all φ(c) beyond {SATURATED:g} on either side."
        for family, each in found.items()
    )


def describe_convergence(found: Convergence | None) -> str:
    """What half of the trials had found."""
    if found is None:
        return ""
    half = (len(found.tried) + 1) // 2
    return (
        f"After the first {half} of {count(len(found.tried), 'configuration')} the front has "
        f"{found.tried[half - 1]:.2f} of its final hypervolume; in random order {found.middle[half - 1]:.2f} (median)."
    )


def _point(configuration: Configuration, metric: Metric) -> str:
    return f"{interval(configuration.test, metric)}{metric.unit} with {configuration.parameters:,} parameters"
