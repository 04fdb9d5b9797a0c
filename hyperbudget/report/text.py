"""The head of the report in words: the question, the verdict, the facts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from hyperbudget.analyze.configurations import finished_runs
from hyperbudget.analyze.summary import Analysis
from hyperbudget.analyze.words import duration


def header(frame: pd.DataFrame, analyses: list[Analysis]) -> dict[str, Any]:
    """Title, running title and the line of facts."""
    study = frame.attrs["study"]
    question = str(study.get("question") or study.get("name") or "A study").strip()
    running = question if len(question) <= 80 else f"{question[:78].rsplit(' ', 1)[0]} …"
    return {
        "question": question,
        "running": running,
        "study": str(study.get("name") or ""),
        "task": ", ".join(sorted({str(task) for task in frame["task"].dropna()})) or str(study.get("task") or ""),
        "facts": facts(frame, analyses),
    }


def facts(frame: pd.DataFrame, analyses: list[Analysis]) -> list[tuple[str, str]]:
    """(what, how many), in the order of reading."""
    done = finished_runs(frame)
    configurations = [c for analysis in analyses for c in analysis.configurations]
    found = [
        ("finished runs", f"{len(done):,}"),
        ("configurations", f"{len(configurations):,}"),
        ("seeds", _span([c.n for c in configurations])),
        ("failed runs", f"{int((frame['status'] == 'failed').sum()):,}"),
    ]
    if pruned := int((frame["status"] == "pruned").sum()):
        found.append(("stopped early", f"{pruned:,}"))
    if "seconds" in frame.columns and frame["seconds"].notna().any():
        devices = {str(device).partition(":")[0] for device in done.get("device", pd.Series(dtype=str)).dropna()}
        what = "CPU time" if devices == {"cpu"} else "training time"
        found.append((what, duration(float(frame["seconds"].sum()))))
    return found


def _span(sizes: list[int]) -> str:
    if not sizes:
        return "0"
    return str(sizes[0]) if min(sizes) == max(sizes) else f"{min(sizes)}–{max(sizes)}"
