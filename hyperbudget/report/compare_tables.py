"""The tables of a comparison as rows of text, ready for the template."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from hyperbudget.analyze.compare import Comparison, TaskComparison
from hyperbudget.analyze.compare.changes import ABSENT
from hyperbudget.analyze.compare.differences import Difference
from hyperbudget.analyze.compare.words import VERBS, pair_word
from hyperbudget.analyze.configurations import Configuration, finished_runs
from hyperbudget.analyze.words import group_name
from hyperbudget.figures.style import FamilyStyle
from hyperbudget.report.provenance import provenance
from hyperbudget.report.tables import family_cell, interval_text
from hyperbudget.study.results.metrics import Metric


def study_cell(name: str, styles: Mapping[str, FamilyStyle]) -> dict[str, str]:
    """The study with its colour, as the figures draw it."""
    return {"family": name, "color": styles[name].color.removeprefix("#"), "marker": "■"}


def study_rows(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, FamilyStyle]) -> list[dict[str, Any]]:
    """One row a study: what it is."""
    rows = []
    for name, frame in frames.items():
        origin = provenance(frame)
        entries = dict(origin["entries"])
        versions = dict(origin["versions"])
        rows.append(
            {
                **study_cell(name, styles),
                "question": str(frame.attrs["study"].get("question") or ""),
                "task": ", ".join(sorted({str(task) for task in frame["task"].dropna()})),
                "configurations": f"{finished_runs(frame)['configuration'].nunique():,}",
                "runs": f"{len(finished_runs(frame)):,}",
                "failed": f"{int((frame['status'] == 'failed').sum()):,}",
                "code": " ".join(filter(None, (versions.get("hyperbudget", ""), entries.get("commit", "")))) or "–",
                "device": entries.get("device", "–"),
                "when": _days(frame),
            }
        )
    return rows


def pair_rows(found: Comparison, metric: Metric) -> list[dict[str, Any]]:
    """One row a configuration that both have, in the order of `Comparison.ranked`. `marked`: told from 1 by its
    interval, or on a front."""
    fronts = {c.name for side in (found.first, found.other) for c in side.front}
    return [
        {
            **_configuration(pair.first),
            "first": metric.number(pair.tests[0]),
            "other": metric.number(pair.tests[1]),
            "ratio": metric.ratio(pair.ratio.mean),
            "ratio_interval": ""
            if pair.ratio.low is None or pair.ratio.high is None
            else f"[{metric.ratio(pair.ratio.low)}, {metric.ratio(pair.ratio.high)}]",
            "word": pair_word(pair),
            "same": f"{pair.same} of {pair.runs}" if pair.runs else "–",
            "seconds": f"{pair.seconds:.2f}" if pair.seconds else "–",
            "shaded": pair.clear,
            "marked": pair.clear or pair.first.name in fronts or pair.other.name in fronts,
        }
        for pair in found.ranked
    ]


def front_rows(found: TaskComparison, styles: Mapping[str, FamilyStyle]) -> list[dict[str, Any]]:
    """One row a configuration on its study's front, over all families."""
    return [
        {
            "study": study_cell(side.name, styles),
            **_configuration(c),
            "test": found.metric.number(c.test.mean),
            "interval": interval_text(c.test, found.metric),
            "validation": found.metric.number(c.validation.mean),
            "n": str(c.n),
        }
        for side in found.sides
        for c in side.front
    ]


def difference_rows(found: Sequence[Difference]) -> list[tuple[str, list[Difference]]]:
    """(kind, those of the kind), as the table groups them."""
    return [(kind, list(members)) for kind, members in groupby(found, key=lambda each: each.kind)]


def status_rows(found: Comparison) -> list[dict[str, str]]:
    """One row a configuration and way in which runs of it ended otherwise, or are in one of the two studies only."""
    return [
        {
            **family_cell(change.family),
            "label": change.label.removeprefix(change.family).strip() or change.label,
            "seeds": ", ".join(map(str, change.seeds)),
            "before": _end(change.before),
            "after": _end(change.after),
            "reason": change.reason,
        }
        for change in found.statuses
    ]


def count_rows(found: Comparison) -> list[dict[str, str]]:
    """One row a configuration whose parameters are counted otherwise."""
    return [
        {
            **family_cell(change.family),
            "label": change.label.removeprefix(change.family).strip() or change.label,
            "first": f"{change.learnable[0]:,}",
            "other": f"{change.learnable[1]:,}",
            "groups": "; ".join(f"{group_name(name)} {a:,} → {b:,}" for name, (a, b) in change.groups.items()),
        }
        for change in found.counts
    ]


def speed_rows(found: Comparison) -> list[dict[str, str]]:
    """One row a family."""
    return [
        {
            **family_cell(speed.family),
            "configurations": str(speed.configurations),
            **_pair_of("step", speed.step, 1000.0),
            **_pair_of("samples", speed.samples, 1.0),
            "ratio": f"{speed.ratio.mean:.2f}",
            "range": f"{speed.ratio.low:.2f} to {speed.ratio.high:.2f}",
        }
        for speed in found.speeds
    ]


def lone_rows(found: Comparison, metric: Metric, styles: Mapping[str, FamilyStyle]) -> list[dict[str, Any]]:
    """One row a configuration with finished runs in one of the two studies only."""
    return [
        {
            "study": study_cell(side.name, styles),
            **_configuration(c),
            "test": metric.number(c.test.mean),
            "interval": interval_text(c.test, metric),
            "n": str(c.n),
            "tried": ", ".join(_end(end) for end in found.tried.get(c.name, ABSENT).split(", ")),
        }
        for side, alone in ((found.first, found.only_first), (found.other, found.only_other))
        for c in alone
    ]


def _configuration(c: Configuration) -> dict[str, str]:
    return {**family_cell(c.family), "label": c.short_label, "parameters": f"{c.parameters:,}"}


def _days(frame: pd.DataFrame) -> str:
    """The days on which the first and the last run finished, if they are known."""
    days = sorted({str(time)[:10] for time in frame["finished"].dropna()}) if "finished" in frame.columns else []
    return " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "–"


def _end(status: str) -> str:
    return VERBS.get(status, status)


def _pair_of(name: str, values: tuple[float, float] | None, factor: float) -> dict[str, str]:
    """``name_first`` and ``name_other`` to three digits; a dash where they are not known."""
    texts = ["–", "–"] if values is None else [_digits(factor * value) for value in values]
    return {f"{name}_first": texts[0], f"{name}_other": texts[1]}


def _digits(value: float) -> str:
    """To three digits: ``0.0213``, ``12.4``, ``1,230``."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:.{max(0, 2 - math.floor(math.log10(rounded)))}f}"
