"""The figures as SVG with alt texts that say what they find."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.summary import Analysis, analyze
from hyperbudget.analyze.words import axis_name, capital, count, family_name, interval, percent, ratio, value_text
from hyperbudget.figures.axis_effects import axis_effects
from hyperbudget.figures.budget_ratios import budget_ratios
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.trade_off import trade_off


def render_figures(frame: pd.DataFrame, themed: bool, suffix: str = "") -> dict[str, Markup | None]:
    """Every figure by name; None where the study has no data for it. suffix: ends the ids of all."""
    analysis = analyze(frame)
    wanted: tuple[tuple[str, Any, str, str], ...] = (
        ("trade_off", trade_off, "Test error against learnable parameters", describe_trade_off(analysis)),
        ("budget_ratios", budget_ratios, "Test error relative to the baseline, by budget", describe_ratios(analysis)),
        ("axis_effects", axis_effects, "Test error along each axis of the study", describe_effects(analysis)),
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
    for family, members in analysis.fronts.items():
        first, last = members[0], members[-1]
        name = capital(family_name(family))
        if first is last:
            parts.append(f"{name}: {_point(first)}.")
        else:
            parts.append(f"{name}: along its front of {len(members)} from {_point(first)} to {_point(last)}.")
    return " ".join(parts)


def describe_ratios(analysis: Analysis) -> str:
    """The word of every mark."""
    parts = []
    for entry in analysis.entries:
        if entry.ratio is not None:
            value = entry.ratio
            ends = "" if value.low is None or value.high is None else f" [{value.low:.2f}, {value.high:.2f}]"
            parts.append(
                f"{capital(family_name(entry.family))} at {entry.budget:,}: {value.mean:.2f}{ends}, {entry.word}."
            )
    return " ".join(parts)


def describe_effects(analysis: Analysis) -> str:
    """From one end of each axis to the other."""
    parts = []
    for effect in analysis.effects:
        name = f"{capital(axis_name(effect.axis.name))}, {family_name(effect.family)}"
        ends = effect.end_to_end()
        if ends:
            change, fell, lines, _ = ends
            first, last = value_text(effect.values[0]), value_text(effect.values[-1])
            parts.append(f"{name}: from {first} to {last} test error {ratio(change)}, lower in {fell} of {lines}.")
        else:
            parts.append(f"{name}: {len(effect.values)} values, no setting has them all.")
    return " ".join(parts)


def _point(configuration: Configuration) -> str:
    error = configuration.test
    text = interval(error) if error.low is not None else percent(error.mean)
    return f"{text} with {configuration.parameters:,} parameters"
