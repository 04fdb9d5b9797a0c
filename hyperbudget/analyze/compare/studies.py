"""Several studies beside each other: which tasks of theirs can be compared, and which are left out and why."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from hyperbudget.analyze.compare.pairs import compare_sides
from hyperbudget.analyze.compare.records import LeftOut, Side, Studies, TaskComparison
from hyperbudget.analyze.configurations import configurations, finished_runs
from hyperbudget.analyze.fronts import front
from hyperbudget.errors import UserError
from hyperbudget.study.results.frame import metric_of


def compare(frames: Mapping[str, pd.DataFrame]) -> Studies:
    """The studies, by name, on every task that the first and another one have. Raises UserError where nothing can be
    compared."""
    first = next(iter(frames))
    parts: list[TaskComparison] = []
    left_out: list[LeftOut] = []
    for task in sorted({str(task) for frame in frames.values() for task in frame["task"].dropna()}):
        runs = {name: _runs_of(frame, task) for name, frame in frames.items()}
        runs = {name: frame for name, frame in runs.items() if len(frame)}
        refused = _refused(first, runs)
        left_out += [
            LeftOut(name, task, int(runs[name]["configuration"].nunique()), len(runs[name]), why)
            for name, why in refused.items()
        ]
        if len(refused) < len(runs):
            parts.append(_on_task({name: frame for name, frame in runs.items() if name not in refused}, task))
    if not parts:
        raise UserError(_nothing(frames, left_out))
    return Studies(parts, left_out)


def _runs_of(frame: pd.DataFrame, task: str) -> pd.DataFrame:
    runs = frame[frame["task"] == task].reset_index(drop=True)
    runs.attrs = frame.attrs
    return runs


def _refused(first: str, runs: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """The studies that are not compared on a task that all of `runs` have, and why."""
    if first not in runs:
        return dict.fromkeys(runs, f"{first}, which the others are held against, has no run of it")
    if len(runs) == 1:
        return {first: "no other study has a run of it"}
    metrics = {name: metric_of(frame) for name, frame in runs.items() if len(finished_runs(frame))}
    mine = metrics.get(first) or next(iter(metrics.values()), None)
    refused = {
        name: f"it is measured in {metric.title}, and that of {first} in {mine.title}"
        for name, metric in metrics.items()
        if mine is not None and metric != mine
    }
    if len(refused) == len(runs) - 1:
        refused[first] = f"no other study measures it in {mine.title}" if mine else ""
    return refused


def _nothing(frames: Mapping[str, pd.DataFrame], left_out: list[LeftOut]) -> str:
    """Why there is nothing to compare, in one line."""
    first, *others = frames
    for name, frame in frames.items():
        if not len(frame):
            return f"{name}: has no runs, so there is nothing to compare"
    for name in others:
        for each in left_out:
            if each.study == name and "measured" in each.why:
                return f"{name}: {each.task} cannot be compared: {each.why}"
    tasks = {name: " and ".join(sorted({str(task) for task in frame["task"]})) for name, frame in frames.items()}
    return (
        f"{others[0]}: its task is {tasks[others[0]]}, and that of {first} is {tasks[first]}; only studies of the same "
        "task can be compared"
    )


def _on_task(frames: Mapping[str, pd.DataFrame], task: str) -> TaskComparison:
    sides = []
    for name, frame in frames.items():
        found = configurations(frame)
        sides.append(Side(name, frame, found, front(found)))
    metric = next((metric_of(side.frame) for side in sides if side.configurations), metric_of(sides[0].frame))
    return TaskComparison(task, metric, sides, [compare_sides(sides[0], side) for side in sides[1:]])
