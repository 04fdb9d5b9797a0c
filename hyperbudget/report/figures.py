"""The figures as SVG with alt texts that say what they find."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.summary import Analysis, analyze
from hyperbudget.analyze.words import axis_name, capital, change, count, family_name, interval, value_text
from hyperbudget.figures.axis_effects import axis_effects
from hyperbudget.figures.budget_ratios import budget_ratios
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.trade_off import trade_off
from hyperbudget.study.metrics import Metric


def render_figures(frame: pd.DataFrame, themed: bool, suffix: str = "") -> dict[str, Markup | None]:
    """Every figure by name; None where the study has no data for it. suffix: ends the ids of all."""
    analysis = analyze(frame)
    tested = f"Test {analysis.metric.title}"
    wanted: tuple[tuple[str, Any, str, str], ...] = (
        ("trade_off", trade_off, f"{tested} against learnable parameters", describe_trade_off(analysis)),
        ("budget_ratios", budget_ratios, f"{tested} relative to the baseline, by budget", describe_ratios(analysis)),
        ("axis_effects", axis_effects, f"{tested} along each axis of the study", describe_effects(analysis)),
    )
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


def _point(configuration: Configuration, metric: Metric) -> str:
    return f"{interval(configuration.test, metric)}{metric.unit} with {configuration.parameters:,} parameters"
