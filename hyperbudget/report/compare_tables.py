"""The tables of a comparison as rows of text, ready for the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from hyperbudget.analyze.compare import Comparison, TaskComparison
from hyperbudget.analyze.compare_words import pair_word
from hyperbudget.analyze.configurations import Configuration, finished_runs
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
                "when": entries.get("runs finished", "–"),
            }
        )
    return rows


def pair_rows(found: Comparison, metric: Metric) -> list[dict[str, Any]]:
    """One row a configuration that both have, from few parameters to many. `marked`: told from 1 by its interval, or on
    a front."""
    fronts = {c.name for side in (found.first, found.other) for c in side.front}
    return [
        {
            **_configuration(pair.first),
            "first": metric.number(pair.first.test.mean),
            "other": metric.number(pair.other.test.mean),
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
        for pair in found.pairs
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


def lone_rows(found: Comparison, metric: Metric, styles: Mapping[str, FamilyStyle]) -> list[dict[str, Any]]:
    """One row a configuration with finished runs in one of the two studies only."""
    return [
        {
            "study": study_cell(side.name, styles),
            **_configuration(c),
            "test": metric.number(c.test.mean),
            "interval": interval_text(c.test, metric),
            "n": str(c.n),
        }
        for side, alone in ((found.first, found.only_first), (found.other, found.only_other))
        for c in alone
    ]


def _configuration(c: Configuration) -> dict[str, str]:
    return {**family_cell(c.family), "label": c.short_label, "parameters": f"{c.parameters:,}"}
