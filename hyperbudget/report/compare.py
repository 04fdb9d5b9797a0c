"""Build ``comparison.html`` and ``comparison.pdf`` of several studies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from hyperbudget.analyze.compare import TaskComparison, compare
from hyperbudget.analyze.compare_words import answer, differences, evidence, paired_words
from hyperbudget.analyze.configurations import finished_runs
from hyperbudget.analyze.words import count, listing
from hyperbudget.errors import UserError
from hyperbudget.figures.comparison import MOST, ratios, study_styles, trade_offs
from hyperbudget.figures.style import FamilyStyle
from hyperbudget.figures.svg import to_svg
from hyperbudget.report.compare_tables import front_rows, lone_rows, pair_rows, study_cell, study_rows
from hyperbudget.report.provenance import csv, provenance
from hyperbudget.report.publish import Target, publish, render
from hyperbudget.report.tables import interval_text

PRINTED = 120
"""Rows that a table of configurations has on paper; the page has them all."""


def build_comparison(frames: Mapping[str, pd.DataFrame], out: Path, only: Target | None = None) -> list[Path]:
    """Write the comparison of `frames`, by the studies' names, into the folder `out`; returns the files written.

    The same frames give the same bytes. Raises UserError for studies that cannot be compared, for fewer than two or
    more than can be told apart, and as `hyperbudget.report.publish.publish` does.
    """
    if not 2 <= len(frames) <= MOST:
        raise UserError(f"compare: takes 2 to {MOST} studies, and got {len(frames)}")
    parts = compare(frames)
    runs = csv(pd.concat([frame.assign(study=name) for name, frame in frames.items()], ignore_index=True))
    context = _context(frames, parts)

    def draw(target: Target) -> str:
        drawn = [_figures(part, target == "html", suffix) for part, suffix in zip(parts, _suffixes(parts), strict=True)]
        return render("compare.html", context | {"figures": drawn, "csv_text": runs}, target)

    return publish(draw, out, "comparison", {"runs.csv": runs}, only)


def _context(frames: Mapping[str, pd.DataFrame], parts: list[TaskComparison]) -> dict[str, Any]:
    names = list(frames)
    title = f"{listing(names)}: do they differ?"
    styles = study_styles(names)
    return {
        "question": title,
        "running": title if len(title) <= 80 else f"{title[:78].rsplit(' ', 1)[0]} …",
        "studies": study_rows(frames, styles),
        "facts": [
            ("studies", str(len(frames))),
            ("finished runs", f"{sum(len(finished_runs(frame)) for frame in frames.values()):,}"),
            ("compared configurations", f"{sum(len(each.pairs) for part in parts for each in part.comparisons):,}"),
        ],
        "runs": sum(len(frame) for frame in frames.values()),
        "differences": differences(frames),
        "parts": [_part(part, suffix) for part, suffix in zip(parts, _suffixes(parts), strict=True)],
        "provenances": _provenances(frames, styles),
        "printed": PRINTED,
    }


def _provenances(frames: Mapping[str, pd.DataFrame], styles: Mapping[str, FamilyStyle]) -> list[tuple[Any, ...]]:
    """(study, its provenance, the study before it that has the same file, which is then not printed again)."""
    seen: dict[str, str] = {}
    found = []
    for name, frame in frames.items():
        origin = provenance(frame)
        same = seen.get(origin["yaml"], "")
        seen.setdefault(origin["yaml"], name)
        found.append((study_cell(name, styles), origin | {"yaml": "" if same else origin["yaml"]}, same))
    return found


def _part(part: TaskComparison, suffix: str) -> dict[str, Any]:
    styles = study_styles([side.name for side in part.sides])
    return {
        "on": f" on {part.task}" if suffix else "",
        "suffix": suffix,
        "metric": part.metric,
        "first": part.sides[0].name,
        "paired": paired_words(part),
        "fronts": front_rows(part, styles),
        "comparisons": [
            {
                "study": study_cell(found.other.name, styles),
                "name": found.other.name,
                "answer": answer(found, part.metric),
                "evidence": evidence(found, part.metric),
                "rows": pair_rows(found, part.metric),
                "alone": lone_rows(found, part.metric, styles),
                "tests": found.tests,
            }
            for found in part.comparisons
        ],
    }


def _figures(part: TaskComparison, themed: bool, suffix: str) -> dict[str, Markup | None]:
    wanted = (
        ("trade-off", trade_offs(part), f"Test {part.metric.title} against learnable parameters, by study",
         _describe_fronts(part)),
        ("ratios", ratios(part), f"Test {part.metric.title} over {part.metric.pronoun} of {part.sides[0].name}",
         " ".join(sentence for found in part.comparisons for sentence in answer(found, part.metric))),
    )  # fmt: skip
    return {
        name.replace("-", "_"): None
        if figure is None
        else Markup(to_svg(figure, f"{name}{suffix}", title, text, themed))
        for name, figure, title, text in wanted
    }


def _describe_fronts(part: TaskComparison) -> str:
    """Where each study's front begins and ends."""
    sentences, metric = [], part.metric
    for side in part.sides:
        if side.front:
            first, last = side.front[0], side.front[-1]
            ends = " to ".join(
                f"{metric.full(c.test.mean)} {interval_text(c.test, metric)} with {c.parameters:,} parameters"
                for c in ([first, last] if first is not last else [first])
            )
            sentences.append(f"{side.name}: {count(len(side.front), 'configuration')} on its front, {ends}.")
        else:
            sentences.append(f"{side.name}: no finished run.")
    return " ".join(sentences)


def _suffixes(parts: list[TaskComparison]) -> list[str]:
    return [f"-{number}" if len(parts) > 1 else "" for number in range(1, len(parts) + 1)]
