"""What the marks of a figure stand for, in words: shown on a page where the pointer or the keyboard is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote, unquote

from matplotlib.lines import Line2D

from hyperbudget.analyze.budgets import BudgetEntry
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import count, family_legend, interval
from hyperbudget.study.results.metrics import Metric

MOST = 2_000
"""Marks that are drawn one by one; more of them become a picture, which says nothing of each."""

_PREFIX = "points:"
_GROUP = re.compile(rf'^( *)<g id="{_PREFIX}([^"]*)">\n(.*?)^\1</g>', re.DOTALL | re.MULTILINE)


def tell(line: Line2D, texts: Sequence[str]) -> None:
    """Give every mark of `line` its text, in the order of its points."""
    line.set_gid(_PREFIX + quote(json.dumps(list(texts))))  # an id has no quotes


def told(svg: str, themed: bool) -> str:
    """matplotlib's `svg` with the texts as ``aria-label`` of each mark; themed: as in `hyperbudget.figures.svg.to_svg`,
    without which the texts are left out."""
    number = 0

    def marks(found: re.Match[str]) -> str:
        nonlocal number
        number += 1
        indent, texts, inside = found.group(1), json.loads(unquote(found.group(2))), found.group(3)
        if themed and inside.count("<use ") == len(texts):  # marks outside the figure are not drawn
            labels = iter(texts)
            inside = re.sub("<use ", lambda _: f'<use aria-label="{escape(next(labels))}" ', inside)
        return f'{indent}<g id="points_{number}">\n{inside}{indent}</g>'

    return _GROUP.sub(marks, svg)


def describe_configuration(configuration: Configuration, metric: Metric) -> str:
    """``hypernetwork depth 6 N_z 4: 2,410 parameters; test error 2.1% [1.7, 2.6], validation error 2.0%; 5 seeds``."""
    test = interval(configuration.test, metric)
    tested = f"test {test}{metric.unit}" if metric.unit else f"test {metric.title} {test}"
    return (
        f"{family_legend(configuration.family)} {configuration.short_label}: {configuration.parameters:,} parameters; "
        f"{tested}, {metric.measured('validation', configuration.validation.mean)}; {count(configuration.n, 'seed')}"
    )


def describe_runs(configuration: Configuration, metric: Metric) -> list[str]:
    """One text a seed."""
    name = f"{family_legend(configuration.family)} {configuration.short_label}"
    errors = zip(configuration.seeds, configuration.test_errors, configuration.validation_errors, strict=True)
    return [
        f"{name}, seed {seed}: {metric.measured('test', test)}, {metric.measured('validation', validation)}"
        for seed, test, validation in errors
    ]


def describe_ratio(entry: BudgetEntry, metric: Metric) -> str:
    """``hypernetwork width 8 at 2,000: × 0.62 [0.51, 0.75], better``."""
    value = entry.ratio
    assert value is not None
    ends = (
        "" if value.low is None or value.high is None else f" [{metric.ratio(value.low)}, {metric.ratio(value.high)}]"
    )
    name = f"{family_legend(entry.family)} {entry.configuration.short_label}"
    return f"{name} at {entry.budget:,}: × {metric.ratio(value.mean)}{ends}, {entry.word}"
