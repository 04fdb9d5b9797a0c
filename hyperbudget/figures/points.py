"""What the marks of a figure stand for, in words: shown on a page where the pointer or the keyboard is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from hyperbudget.analyze.attainment import Attainment
from hyperbudget.analyze.budgets import BudgetEntry
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.learning import LearningCurve
from hyperbudget.analyze.paper import PaperMatch
from hyperbudget.analyze.words import count, family_legend, interval, listing
from hyperbudget.study.results.metrics import Metric

MOST = 2_000
"""Marks that are drawn one by one; more of them become a picture, which says nothing of each."""
FEW = 600
"""Texts that a figure has for marks that say little each, as the cells of a map: enough to look things up, and not so
many that they weigh more than all else on the page."""
ON_A_LINE = 20
"""Texts that a line has; of more points some are taken evenly, its ends among them."""

Box = tuple[float, float, float, float]
"""Left, bottom, width and height, in data coordinates."""


class Texts(Artist):
    """Texts for places on an axes, of which nothing is drawn. `rank`: those of a lower one come first. `silent`: what
    has none, in words."""

    def __init__(self, boxes: Sequence[Box] = (), texts: Sequence[str] = (), rank: int = 0, silent: str = "") -> None:
        super().__init__()
        self.boxes, self.texts, self.rank, self.silent = boxes, texts, rank, silent

    def draw(self, renderer: RendererBase) -> None:
        """Nothing."""


def tell(ax: Axes, x: Iterable[float], y: Iterable[float], texts: Sequence[str], *, rank: int = 0) -> None:
    """Give the points (`x`, `y`) of `ax` a text each. They are a series, which is walked from its left to its right.

    rank: series of a lower one come first; of the same, those that were told first. Raises ValueError where there are
    more texts than points, or fewer.
    """
    tell_boxes(ax, [(float(a), float(b), 0.0, 0.0) for a, b in zip(x, y, strict=True)], texts, rank=rank)


def tell_boxes(ax: Axes, boxes: Sequence[Box], texts: Sequence[str], *, rank: int = 0) -> None:
    """As `tell`, for bars."""
    if len(boxes) != len(texts):
        raise ValueError(f"texts: got {len(texts)} for {len(boxes)} places")
    ax.add_artist(Texts(boxes, texts, rank))


def leave_out(ax: Axes, what: str) -> None:
    """Have the figure's description say that some marks, which are too many, get no texts. what: ``single runs``."""
    ax.add_artist(Texts(silent=what))


def evenly(number: int, most: int = ON_A_LINE) -> list[int]:
    """At most so many places of `number` in a row, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, number - 1, min(number, most)).tolist()})


def told(figure: Figure) -> str:
    """The texts of `figure`, which has been drawn, as JSON; empty where it has none.

    A list of series; each is the beginning that its texts have in common, and then ``[x, y, text]`` for a point or
    ``[x, y, text, width, height]`` for a bar: where it is in the SVG (of a bar the upper left corner), and the rest of
    its text. What lies outside of its axes is not drawn, and left out.
    """
    series = []
    for texts in sorted(figure.findobj(Texts), key=lambda each: each.rank):
        places = sorted(_placed(figure, texts))
        start = _beginning([place.text for place in places])
        if places:
            series.append([start, *(place.short(len(start)) for place in places)])
    return json.dumps(series, ensure_ascii=False, separators=(",", ":")) if series else ""


def silence(figure: Figure) -> str:
    """A sentence on the marks that have no text; empty where all have."""
    silent = dict.fromkeys(each.silent for each in figure.findobj(Texts) if each.silent)
    return f" Too many for a text each: {listing(list(silent))}." if silent else ""


class _Place(NamedTuple):
    """In points, from the figure's upper left corner."""

    x: float
    y: float
    text: str
    width: float
    height: float

    def short(self, start: int) -> list[float | str]:
        """Without the first letters of the text, and without the sizes of a point."""
        size = [self.width, self.height] if self.width or self.height else []
        return [self.x, self.y, self.text[start:], *size]


def _placed(figure: Figure, found: Texts) -> Iterable[_Place]:
    ax, points = found.axes, 72 / figure.dpi
    assert ax is not None
    for (left, bottom, width, height), text in zip(found.boxes, found.texts, strict=True):
        corners = ax.transData.transform([(left, bottom), (left + width, bottom + height)])
        (x0, y0), (x1, y1) = corners.min(0).tolist(), corners.max(0).tolist()
        box = ax.bbox
        if box.x0 - 1 <= x1 and x0 <= box.x1 + 1 and box.y0 - 1 <= y1 and y0 <= box.y1 + 1:
            x, y, w, h = (round(points * value, 1) for value in (x0, figure.bbox.height - y1, x1 - x0, y1 - y0))
            yield _Place(x, y, text, w, h)


def _beginning(texts: Sequence[str]) -> str:
    """What all of them begin with: what the first and the last in the alphabet do."""
    first, last = min(texts, default=""), max(texts, default="")
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


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


def describe_attained(family: str, found: Attainment, place: int, metric: Metric) -> str:
    """``hypernetwork, within 2,410 parameters: test error 2.1%, in 95% of draws 1.8 to 2.4%``."""
    ends = f"{metric.number(found.low[place])} to {metric.number(min(found.high[place], metric.ceiling))}{metric.sign}"
    return (
        f"{family_legend(family)}, within {found.parameters[place]:,.0f} parameters: "
        f"{metric.measured('test', found.middle[place])}, in 95% of draws {ends}"
    )


def describe_printed(match: PaperMatch, metric: Metric) -> str:
    """``paper, Table 6, 7 x 7 kernel: test error 0.72%; here ours has 12,544 parameters and 0.75%``."""
    ours = match.configuration
    return (
        f"paper, {match.row.table}, {match.row.row}: {metric.measured('test', match.row.error)}; "
        f"ours has {metric.full(ours.test.mean)} with {ours.parameters:,} parameters"
    )


def describe_ratio(entry: BudgetEntry, metric: Metric) -> str:
    """``hypernetwork width 8 at 2,000: × 0.62 [0.51, 0.75], better``."""
    value = entry.ratio
    assert value is not None
    ends = (
        "" if value.low is None or value.high is None else f" [{metric.ratio(value.low)}, {metric.ratio(value.high)}]"
    )
    name = f"{family_legend(entry.family)} {entry.configuration.short_label}"
    return f"{name} at {entry.budget:,}: × {metric.ratio(value.mean)}{ends}, {entry.word}"


def curve_name(curve: LearningCurve) -> str:
    """``hypernetwork width 16 N_z 4``."""
    return f"{family_legend(curve.family)} {curve.label.removeprefix(curve.family).strip()}".strip()


def describe_evaluation(curve: LearningCurve, place: int, metric: Metric, when: str) -> str:
    """``hypernetwork width 16 N_z 4, step 2,000: validation error 2.31%, seeds 2.10% to 2.52%``."""
    seeds, mean = curve.errors[:, place], float(curve.mean[place])
    ends = (
        f", seeds {metric.number(seeds.min())} to {metric.number(seeds.max())}{metric.sign}" if len(seeds) > 1 else ""
    )
    return f"{curve_name(curve)}, {when}: {metric.measured('validation', mean)}{ends}"
