"""Build ``comparison.html`` and ``comparison.pdf`` of several studies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from hyperbudget.analyze.compare import Studies, TaskComparison, compare
from hyperbudget.analyze.compare.differences import Difference, difference_sentences, differences
from hyperbudget.analyze.compare.evidence import evidence
from hyperbudget.analyze.compare.notes import explained, left_out_words, one_sided, paired_words
from hyperbudget.analyze.compare.words import answer
from hyperbudget.analyze.configurations import finished_runs
from hyperbudget.analyze.words import count, listing
from hyperbudget.errors import UserError
from hyperbudget.figures.comparison import MOST, banded, ratios, study_styles, trade_offs
from hyperbudget.figures.style import FamilyStyle
from hyperbudget.report.compare_tables import (
    count_rows,
    difference_rows,
    front_rows,
    lone_rows,
    pair_rows,
    speed_rows,
    status_rows,
    study_cell,
    study_rows,
)
from hyperbudget.report.figures import Drawn, limits, render_figures
from hyperbudget.report.provenance import csv, provenance
from hyperbudget.report.publish import Target, publish, render
from hyperbudget.report.tables import interval_text

PRINTED, LISTED = 120, 40
"""Rows that a table of configurations, and one of what changed, has on paper; the page has them all."""


class Built(NamedTuple):
    """The `files` written, and what of the studies is in no comparison, in sentences."""

    files: list[Path]
    left_out: list[str]


def build_comparison(frames: Mapping[str, pd.DataFrame], out: Path, only: Target | None = None) -> Built:
    """Write the comparison of `frames`, by the studies' names, into the folder `out`.

    The same frames give the same bytes. Raises UserError for studies that cannot be compared, for fewer than two or
    more than can be told apart, and as `hyperbudget.report.publish.publish` does.
    """
    if not 2 <= len(frames) <= MOST:
        raise UserError(f"compare: takes 2 to {MOST} studies, and got {len(frames)}")
    found = compare(frames)
    runs = csv(pd.concat([frame.assign(study=name) for name, frame in frames.items()], ignore_index=True))
    styles = study_styles([*frames])
    context = _context(frames, found, styles)
    drawn = [_draw(part, styles) for part in found.parts]

    def draw(target: Target, stretches: Mapping[str, float]) -> str:
        figures = [
            render_figures(each, target, stretches, suffix)
            for each, suffix in zip(drawn, _suffixes(found.parts), strict=True)
        ]
        return render("compare.html", context | {"figures": figures, "csv_text": runs}, target)

    files = publish(draw, out, "comparison", {"runs.csv": runs}, only)
    lone = [sentence for part in found.parts for each in part.comparisons for sentence in one_sided(each)]
    return Built(files, left_out_words(found.left_out) + lone)


def _context(frames: Mapping[str, pd.DataFrame], found: Studies, styles: Mapping[str, FamilyStyle]) -> dict[str, Any]:
    names, parts = list(frames), found.parts
    title = f"{listing(names)}: do they differ?"
    compared = _compared(frames, parts)
    unlike = differences(compared)
    return {
        "question": title,
        "running": title if len(title) <= 80 else f"{title[:78].rsplit(' ', 1)[0]} …",
        "studies": study_rows(frames, styles),
        "names": [study_cell(name, styles) for name in compared],
        "facts": [
            ("studies", str(len(frames))),
            ("finished runs", f"{sum(len(finished_runs(frame)) for frame in frames.values()):,}"),
            ("compared configurations", f"{sum(len(each.pairs) for part in parts for each in part.comparisons):,}"),
        ],
        "runs": sum(len(frame) for frame in frames.values()),
        "differences": left_out_words(found.left_out) + difference_sentences(unlike, compared),
        "unlike": difference_rows(unlike),
        "parts": [_part(part, suffix, styles, unlike) for part, suffix in zip(parts, _suffixes(parts), strict=True)],
        "provenances": _provenances(frames, styles),
        "alone": sum(len(part.comparisons) for part in parts) == 1,
        "printed": PRINTED,
        "listed": LISTED,
    }


def _compared(frames: Mapping[str, pd.DataFrame], parts: list[TaskComparison]) -> dict[str, pd.DataFrame]:
    """Of the studies that are compared, the runs of the tasks in which they are."""
    found = {}
    for name, frame in frames.items():
        tasks = {part.task for part in parts if any(side.name == name for side in part.sides)}
        if tasks:
            found[name] = frame[frame["task"].isin(tasks)]
            found[name].attrs = frame.attrs
    return found


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


def _part(
    part: TaskComparison, suffix: str, styles: Mapping[str, FamilyStyle], unlike: list[Difference]
) -> dict[str, Any]:
    return {
        "on": f" on {part.task}" if suffix else "",
        "suffix": suffix,
        "metric": part.metric,
        "first": part.sides[0].name,
        "paired": paired_words(part),
        "samples": "Characters" if part.metric.plural else "Images",
        "banded": any(banded(found) for found in part.comparisons),
        "fronts": front_rows(part, styles),
        "comparisons": [
            {
                "study": study_cell(found.other.name, styles),
                "name": found.other.name,
                "answer": answer(found, part.metric),
                "evidence": evidence(found, part.metric)
                + ([sentence] if not found.pairs and (sentence := explained(unlike)) else []),
                "rows": pair_rows(found, part.metric),
                "statuses": status_rows(found),
                "counts": count_rows(found),
                "speeds": speed_rows(found),
                "alone": lone_rows(found, part.metric, styles),
            }
            for found in part.comparisons
        ],
    }


def _draw(part: TaskComparison, styles: Mapping[str, FamilyStyle]) -> dict[str, Drawn | None]:
    metric, first = part.metric, part.sides[0].name
    wanted = (
        ("trade_off", trade_offs(part, styles), f"Test {metric.title} against learnable parameters, by study",
         _describe_fronts(part)),
        ("ratios", ratios(part, styles), f"Test {metric.title} over {metric.pronoun} of {first}",
         " ".join(sentence for found in part.comparisons for sentence in answer(found, metric))),
    )  # fmt: skip
    return {
        name: None if figure is None else Drawn(figure, title, text, limits(name))
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
