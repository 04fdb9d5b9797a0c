"""Build ``report.html`` and ``report.pdf`` from a frame, with one template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hyperbudget.analyze.exchange import SPAN
from hyperbudget.analyze.summary import analyze
from hyperbudget.report.certainty import certainty
from hyperbudget.report.figures import draw_figures, render_figures
from hyperbudget.report.inside import inside
from hyperbudget.report.provenance import provenance
from hyperbudget.report.publish import Target, publish, render
from hyperbudget.report.tables import tables
from hyperbudget.report.text import header

PRINTED = 400
"""Configurations that an appendix on paper lists; where there are more, the attached runs.csv has them."""


def build(frame: pd.DataFrame, out: Path, only: Target | None = None) -> list[Path]:
    """Write the report of `frame` into the folder `out`, made if it is missing; returns the files written.

    The same frame gives the same bytes. Raises UserError as `hyperbudget.report.publish.publish` does.
    """
    context = _context(frame)

    def draw(target: Target, stretches: Mapping[str, float]) -> str:
        figures = [render_figures(part["drawn"], target, stretches, part["suffix"]) for part in context["parts"]]
        return render("template.html", context | {"figures": figures}, target)

    return publish(draw, out, "report", {"runs.csv": context["provenance"]["csv"]}, only)


def _context(frame: pd.DataFrame) -> dict[str, Any]:
    """What the template prints, and the figures. Tasks are never mixed: each has its own part."""
    found = [(task, runs, analyze(runs)) for task, runs in split(frame).items()]
    parts = [(task, runs, analysis, inside(runs, analysis.metric)) for task, runs, analysis in found]
    several = len(parts) > 1
    return {
        **header(frame, [analysis for _, _, analysis in found]),
        "parts": [
            {
                "on": f" on {task}" if several else "",
                "suffix": f"-{number}" if several else "",
                "drawn": draw_figures(runs, analysis, within),
                "verdict": analysis.verdict,
                "health": analysis.health,
                "unsaid": analysis.unsaid,
                "tables": tables(analysis),
                "certainty": certainty(analysis),
                "inside": within,
            }
            for number, (task, runs, analysis, within) in enumerate(parts, start=1)
        ],
        "metrics": sorted({analysis.metric.name for _, _, analysis in found if analysis.configurations}),
        "provenance": provenance(frame),
        "printed": PRINTED,
        "span": f"× {SPAN:.1f}",
    }


def split(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The runs of each task. A baseline among the families of other tasks is none of its own."""
    tasks = sorted({str(task) for task in frame["task"]})
    if len(tasks) < 2:
        return {tasks[0] if tasks else "": frame}
    found = {}
    for task in tasks:
        found[task] = frame[frame["task"] == task].copy()
        study = frame.attrs["study"]
        elsewhere = set(frame["model.family"]) - set(found[task]["model.family"])
        if study.get("baseline") in elsewhere:
            study = study | {"baseline": None}
        found[task].attrs = frame.attrs | {"study": study}
    return found
