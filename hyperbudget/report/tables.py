"""The tables as rows of text, ready for the template."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from hyperbudget.analyze.anatomy import groups_of, present, shown
from hyperbudget.analyze.budgets import ALONE, BASELINE, BETTER, WORSE
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.importance import importance_sentences
from hyperbudget.analyze.intervals import Interval
from hyperbudget.analyze.summary import Analysis
from hyperbudget.analyze.words import (
    axis_name,
    capital,
    change,
    family_legend,
    family_name,
    group_name,
    probability,
    ratio,
    short_axis_name,
    value_text,
)
from hyperbudget.figures.style import family_styles, in_order
from hyperbudget.study.results.metrics import Metric

_TONES = {BETTER: "better", WORSE: "worse", BASELINE: "baseline", ALONE: "alone"}

MOST = 40
"""Configurations that the first table shows before it keeps to the fronts."""


def tables(analysis: Analysis) -> dict[str, Any]:
    """Every table of the report by name, and the metric that their numbers are in."""
    found = analysis.configurations
    whole = configuration_rows(analysis, found)
    chosen = whole
    if len(found) > MOST:
        names = {c.name for members in analysis.fronts.values() for c in members}
        chosen = configuration_rows(analysis, [c for c in found if c.name in names])
    return {
        "metric": analysis.metric,
        "configurations": chosen,
        "all": whole if len(chosen) < len(whole) else [],
        "budgets": budget_rows(analysis),
        "axes": axis_rows(analysis),
        "loose": sum(1 for effect in analysis.effects if not effect.complete),
        "importances": importance_sentences(analysis.importances),
        "everywhere": all(axis.variance is not None for each in analysis.importances for axis in each.axes),
        "anatomy": anatomy_rows(analysis),
        "paper": paper_rows(analysis),
        "baseline": family_name(analysis.baseline) if analysis.baseline in analysis.fronts else "",
        "chances": bool(analysis.probabilities),
        "rated": bool(analysis.axis_rates),
        "intervals": any(c.n > 1 for c in found),
        "compression": any(c.compression is not None for c in found),
        "files": any(c.compact_bytes is not None for c in found),
    }


def configuration_rows(analysis: Analysis, configurations: Iterable[Configuration]) -> list[dict[str, Any]]:
    """One row a configuration. `front`: ``all`` for the common front, ``own`` for its family's, else empty."""
    common = {c.name for c in analysis.front}
    own = {c.name for members in analysis.fronts.values() for c in members}
    return [
        {
            **family_cell(c.family),
            "label": c.short_label,
            "tuned": tuning(analysis, c),
            "parameters": f"{c.parameters:,}",
            "compression": f"{c.compression:.1f} ×" if c.compression else "",
            "file": f"{c.compact_bytes / 1000:,.1f}" if c.compact_bytes else "",
            "test": analysis.metric.number(c.test.mean),
            "interval": interval_text(c.test, analysis.metric),
            "validation": analysis.metric.number(c.validation.mean),
            "n": str(c.n),
            "front": "all" if c.name in common else "own" if c.name in own else "",
            "chance": probability(analysis.probabilities[c.name]) if analysis.probabilities else "",
        }
        for c in configurations
    ]


def budget_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """One group a budget with one row a family."""
    groups, metric = [], analysis.metric
    for budget, entries in groupby(analysis.entries, key=lambda e: e.budget):
        rows = []
        for entry in entries:
            c, value = entry.configuration, entry.ratio
            rows.append(
                {
                    **family_cell(c.family),
                    "label": c.short_label,
                    "tuned": remarks(analysis, c),
                    "parameters": f"{c.parameters:,}",
                    "test": metric.number(c.test.mean),
                    "interval": interval_text(c.test, metric),
                    "n": str(c.n),
                    "ratio": "" if value is None else metric.ratio(value.mean),
                    "ratio_interval": "" if value is None or value.low is None or value.high is None else
                    f"[{metric.ratio(value.low)}, {metric.ratio(value.high)}]",
                    "beats": "" if entry.beats is None else probability(entry.beats),
                    "word": entry.word,
                    "tone": _TONES.get(entry.word, "open"),
                }
            )  # fmt: skip
        groups.append({"budget": f"{budget:,}", "rows": rows})
    return groups


def anatomy_rows(analysis: Analysis) -> dict[str, Any]:
    """The parameters of each group, as the figure of the anatomy shows them: `head`, and one row a configuration."""
    chosen = anatomies(analysis)
    groups = present(chosen)
    rows = [
        {
            **family_cell(c.family),
            "label": c.short_label,
            "parameters": f"{c.parameters:,}",
            "groups": [f"{groups_of(c).get(group, 0):,}" for group in groups],
        }
        for c in chosen
    ]
    return {"head": [group_name(group) for group in groups], "rows": rows}


def anatomies(analysis: Analysis) -> list[Configuration]:
    """The configurations whose anatomy is shown, in the order of the figures' legends."""
    return shown({family: analysis.fronts[family] for family in in_order(set(analysis.fronts))})


def axis_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """One row an axis and family: from its first value to its last, and what a doubling by it alone buys."""
    rows, metric = [], analysis.metric
    rates = {(rate.axis, rate.family): rate.factor for rate in analysis.axis_rates}
    for effect in analysis.effects:
        ends, rate = effect.end_to_end(), rates.get((effect.axis.name, effect.family))
        if ends or rate:
            error, fell, lines, cost = ends or (None, 0, 0, None)
            rows.append(
                {
                    **family_cell(effect.family),
                    "axis": capital(axis_name(effect.axis.name)),
                    "ends": f"{value_text(effect.values[0])} → {value_text(effect.values[-1])}",
                    "error": "" if error is None else change(error, metric),
                    "parameters": "" if cost is None else ratio(cost),
                    "fell": f"{fell} of {lines}" if ends else "",
                    "rate": change(rate.mean, metric) if rate else "",
                    "rate_interval": "" if rate is None or rate.low is None or rate.high is None else
                    f"[{metric.ratio(rate.low)}, {metric.ratio(rate.high)}]",
                }
            )  # fmt: skip
    return rows


def paper_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """One row a printed row of the paper that the study reproduces."""
    rows, metric = [], analysis.metric
    for match in analysis.paper:
        error, count = match.configuration.test, match.count
        inside = match.inside
        where = "inside" if inside else "above" if (error.low or 0) > match.row.error else "below"
        rows.append(
            {
                "table": match.row.table,
                "row": match.row.row,
                "printed_count": match.row.printed,
                "count": "" if count is None else f"{count:,}",
                "same": count is not None and match.row.agrees(count),
                "printed": metric.number(match.row.error),
                "ours": metric.number(error.mean),
                "interval": interval_text(error, metric),
                "n": str(error.n),
                "where": "" if inside is None else where,
                "note": match.row.protocol,
                "protocol": match.protocol,
                "candidates": match.candidates,
                "label": match.configuration.label,
            }
        )
    return rows


def tuning(analysis: Analysis, configuration: Configuration) -> str:
    """The nuisance settings that the label leaves out though another configuration has the same label."""
    if sum(c.label == configuration.label for c in analysis.configurations) < 2:
        return ""
    return ", ".join(
        f"{short_axis_name(axis.name)} {value_text(configuration.fields[axis.name])}"
        for axis in analysis.axes
        if axis.role == "nuisance" and axis.name in configuration.fields
    )


def remarks(analysis: Analysis, configuration: Configuration) -> str:
    """Its `tuning`, and what makes a claim about it weak."""
    weak = [weakness.short for weakness in analysis.weaknesses.get(configuration.name, ())]
    return ", ".join(filter(None, [tuning(analysis, configuration), *weak]))


def family_cell(family: str) -> dict[str, str]:
    """The family with its marker, as the figures draw it."""
    style = family_styles(in_order({family}))[family]
    shapes = {"o": "●", "s": "■", "D": "◆", "^": "▲", "v": "▼", ">": "►"}
    return {
        "family": family_legend(family),
        "color": style.color.removeprefix("#"),
        "marker": shapes.get(style.marker, "●"),
    }


def interval_text(value: Interval, metric: Metric) -> str:
    """``[1.7, 2.6]`` in the metric's measure; empty where there is none."""
    if value.low is None or value.high is None:
        return ""
    return f"[{metric.number(value.low)}, {metric.number(min(value.high, metric.ceiling))}]"
