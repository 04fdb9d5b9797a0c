"""The run ``summary`` of a study and the note of its experiment."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import RunTag

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.summary import Analysis
from hyperbudget.analyze.words import family_name
from hyperbudget.config import load
from hyperbudget.figures.picture import save
from hyperbudget.figures.trade_off import trade_off
from hyperbudget.report.build import build, split
from hyperbudget.report.tables import interval_text
from hyperbudget.study.folder import StudyFolder
from hyperbudget.study.tracking.tracker import KIND
from hyperbudget.summary.front import numbers

SUMMARY_TAG = "hyperbudget.summary"
NOTE_TAG = "mlflow.note.content"


class Page:
    """The summary of the study in `folder`, whose frame is `runs`, with one analysis in `found` for each task."""

    def __init__(self, folder: StudyFolder, runs: pd.DataFrame, found: Mapping[str, Analysis]) -> None:
        self.folder, self.runs, self.found = folder, runs, found
        self.study = load(folder.study)
        self.name = self.study.name
        self.pictures: dict[str, str] = {}
        """Task -> the file of its trade-off, of those that have one."""

    def open(self, client: MlflowClient, experiment: str) -> None:
        """Find the run, or make it."""
        self.client, self.experiment = client, experiment
        there = client.search_runs([experiment], f"tags.`{SUMMARY_TAG}` = '{self.name}'", max_results=1)
        tags = {SUMMARY_TAG: self.name}
        self.run = there[0] if there else client.create_run(experiment, tags=tags, run_name=f"summary of {self.name}")

    def said(self, tag: str) -> str | None:
        """What the run says under `tag`."""
        return None if self.run.info.status != "FINISHED" else self.run.data.tags.get(tag)

    def write(self) -> None:
        """As artifacts the report, the trade-off as PNG and SVG, and a table of all configurations; and the note."""
        with tempfile.TemporaryDirectory(prefix="hyperbudget-summary-") as path:
            build(self.runs, Path(path), only="html")
            for task, part in split(self.runs).items():
                suffix = f"-{_word(task)}" if len(self.found) > 1 else ""
                if figure := trade_off(part):
                    for ending in ("png", "svg"):
                        save(figure, Path(path) / f"trade-off{suffix}.{ending}")
                    self.pictures[task] = f"trade-off{suffix}.png"
                self.table(self.found[task]).to_csv(Path(path) / f"configurations{suffix}.csv", index=False)
            self.client.log_artifacts(self.run.info.run_id, path)
        note = self.note()
        for name, text in {NOTE_TAG: note, **KIND}.items():
            self.client.set_experiment_tag(self.experiment, name, text)
        self.client.set_tag(self.run.info.run_id, NOTE_TAG, note)

    def close(self, tags: Mapping[str, str]) -> None:
        """It is complete."""
        self.client.log_batch(self.run.info.run_id, tags=[RunTag(name, text) for name, text in tags.items()])
        self.client.set_terminated(self.run.info.run_id, "FINISHED", end_time=int(1000 * time.time()))

    def table(self, analysis: Analysis) -> pd.DataFrame:
        """One row a configuration, from few parameters to many."""
        front = {c.name for c in analysis.front}
        rows = [
            {
                "configuration": c.name, "label": c.label, "family": c.family, "parameters": c.parameters,
                "front": c.name in front, **numbers(c),
            }
            for c in analysis.configurations
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def note(self) -> str:
        """The question, the answer with its evidence, the trade-off as a picture, and the front, in Markdown."""
        parts = [f"**{self.study.question}**"]
        for task, analysis in self.found.items():
            if len(self.found) > 1:
                parts.append(f"## {task}")
            parts += [" ".join(analysis.verdict.answer), *(f"- {said}" for said in analysis.verdict.evidence)]
            if analysis.verdict.weak:
                parts += ["What makes this weaker than its intervals say:", *(f"- {w}" for w in analysis.verdict.weak)]
            if picture := self.pictures.get(task):  # by the path that MLflow's own pages get artifacts from
                parts.append(f"![trade-off](get-artifact?path={picture}&run_uuid={self.run.info.run_id})")
            if analysis.front:
                parts.append(_front(analysis))
        counts = self.runs["status"].value_counts().to_dict()
        parts.append(f"{', '.join(f'{count:,} runs {status}' for status, count in counts.items())}. {SELECTED}")
        return "\n\n".join(parts).replace("\n\n- ", "\n- ")


SELECTED = (
    "Configurations are selected on validation; nothing is ever selected on the test. The run `summary` of this "
    "experiment holds the report. Find the front with `tags.front = 'true'`, a budget with `tags.budget_band`."
)


def _front(analysis: Analysis) -> str:
    """The front as a table."""
    metric = analysis.metric
    head = ["family", "configuration", "parameters", "seeds", f"validation {metric.head}", f"test {metric.head}", "95%"]
    lines = [head, ["---", "---", *["---:"] * 4, "---"], *(_cells(c, analysis) for c in analysis.front)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(c: Configuration, analysis: Analysis) -> list[str]:
    metric = analysis.metric
    measured = [metric.number(c.validation.mean), metric.number(c.test.mean), interval_text(c.test, metric)]
    return [family_name(c.family), c.short_label, f"{c.parameters:,}", str(c.n), *measured]


def _word(task: Any) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in str(task))
