"""``hyperbudget plan``: what a study would do and cost, without training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperbudget.cli.common import StudyArgument, aligned, overrides, plural

if TYPE_CHECKING:
    from hyperbudget.config import Study
    from hyperbudget.study.search.candidates import Candidate
    from hyperbudget.study.search.plan import Plan

ROWS = 40
VALUES = 14
TIMED = 6


@click.command("plan")
@click.argument("study", type=StudyArgument())
@overrides
@click.option("--workers", type=click.IntRange(min=1), help="Trainings at once, for the estimate of time.")
@click.option("--no-timing", is_flag=True, help="Measure no steps, estimate no time.")
def command(study: Path, overrides: tuple[str, ...], workers: int | None, no_timing: bool) -> int:
    """Show STUDY's axes, runs and exact parameter counts; train nothing.

    Exit status: 0, or 2 for bad input, or 3 when the budget refuses every configuration.
    """
    from hyperbudget.config import load
    from hyperbudget.study.search.plan import plan

    loaded = load(study, overrides)
    planned = plan(loaded)
    click.echo(f"{loaded.name}: {loaded.question}\n")
    show_axes(loaded)
    if loaded.iso_budget:
        show_landings(loaded)
    show_counts(loaded, planned)
    show_models(planned)
    show_refused(planned)
    if not planned.models:
        click.echo(f"{loaded.path}: budget.params: refuses every configuration; raise it or widen the axes", err=True)
        return 3
    if not no_timing:
        show_time(loaded, planned, workers)
    return 0


def show_axes(study: Study) -> None:
    """One line an axis."""
    rows = [("axis", "values", "role", "when")]
    for axis in study.axes:
        if axis.values is not None:
            values = ", ".join(map(str, _some(axis.values)))
        else:
            values = f"{axis.low:g} to {axis.high:g}" + (", log" if axis.log else "")
        when = "; ".join(f"{name} is {' or '.join(map(str, wanted))}" for name, wanted in axis.when.items())
        rows.append((axis.name, values, axis.role, when))
    table(rows if study.axes else [("no axes: a single configuration",)])


def show_counts(study: Study, planned: Plan) -> None:
    """How many configurations and runs."""
    search = study.search
    first = len(search.at_first)
    most = "" if search.sampler == "grid" else "at most "
    configurations = f"{most}{plural(planned.configurations, 'configuration')} x {plural(first, 'seed')}"
    runs = f"{most}{plural(planned.runs, 'run')}"
    if search.promote is not None:
        configurations += f", the best {search.promote:.0%} x {len(search.seeds) - first} more"
        runs = f"about {plural(planned.runs, 'run')}"
    included = f"; first those of search.include ({len(search.include)})" if search.include else ""
    pruned = f"; of those that the pruner {search.pruner} ends early, fewer" if search.pruner != "none" else ""
    click.echo(f"{search.sampler} search: {configurations} = {runs}{included}{pruned}\n")


def show_landings(study: Study) -> None:
    """What each family has at each budget of an iso-budget study."""
    from hyperbudget.cli.describe import describe
    from hyperbudget.study.search.on_budget import landings

    assert study.budget.params is not None
    rows: list[tuple[str, ...]] = [("budget", "family", "models on it", "taken", "nearest")]
    for landing in landings(study):
        near = landing.nearest
        miss = f"none: {describe(near.model)} has {near.anatomy.learnable:,}" if near else ""
        rows.append((f"{landing.budget:,}", landing.family, f"{landing.found:,}", f"{len(landing.taken):,}", miss))
    click.echo(f"models within {100 * study.budget.params.share:g}% of each budget:")
    table(rows, right=(0, 2, 3))


def show_models(planned: Plan) -> None:
    """The exact counts of every model that the budget accepts."""
    if not planned.models:
        return
    representatives = [candidates[0] for candidates in planned.models.values()]
    counts = [candidate.anatomy.learnable for candidate in representatives]
    sample = "" if planned.exhaustive else f" (a sample of {len(planned.candidates)} configurations)"
    click.echo(f"learnable parameters: {min(counts):,} to {max(counts):,} in {len(counts)} models{sample}")
    rows: list[tuple[str, ...]] = [("model", "learnable", "of these for weights", "generated weights", "compression")]
    for candidate in _thin(representatives, ROWS):
        anatomy = candidate.anatomy
        rows.append(
            (model_label(candidate), f"{anatomy.learnable:,}", f"{anatomy.source:,}", f"{anatomy.generated:,}",
             f"{anatomy.compression:.2f} x")
        )  # fmt: skip
    table(rows, right=range(1, 5))
    if len(representatives) > ROWS:
        click.echo(f"... {ROWS} of {len(representatives)} models shown, evenly over their sizes\n")


def model_label(candidate: Candidate) -> str:
    """The family and the fields of the model that vary: what changes a count."""
    from hyperbudget.study.search.label import words

    point = candidate.configuration.point
    return words(candidate.configuration, [name for name in point if name.startswith(("task", "model."))])


def show_refused(planned: Plan) -> None:
    """What the budget refuses, and what cannot be built."""
    refused = [candidate for candidate in planned.candidates if candidate.refusal]
    if refused:
        models = {model_label(candidate): candidate for candidate in refused}
        click.echo(f"the budget refuses {plural(len(refused), 'configuration')} ({plural(len(models), 'model')}):")
        for label, candidate in list(models.items())[:ROWS]:
            click.echo(f"  {label}: {candidate.refusal}")
        _more(len(models))
    if planned.unbuildable:
        click.echo(f"{plural(len(planned.unbuildable), 'configuration')} cannot be built:")
        for reason in list(dict.fromkeys(str(refusal) for refusal in planned.unbuildable))[:ROWS]:
            click.echo(f"  {reason}")
        _more(len({str(refusal) for refusal in planned.unbuildable}))


def show_time(study: Study, planned: Plan, workers: int | None) -> None:
    """An estimate from a few measured steps of models spread over the sizes."""
    import torch

    from hyperbudget.cli.live import duration
    from hyperbudget.train import memory
    from hyperbudget.train.timing import estimate_seconds

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = max(1, int(study.resources.cpus))
    torch.set_num_threads(threads)
    memory.keep()
    groups = list(planned.models.values())
    seconds = []
    for candidates in _thin(groups, TIMED):
        seconds.append(estimate_seconds(candidates[0].configuration.run(study.search.seeds[0]), device))
    at_once = workers or max(1, int((os.cpu_count() or 1) / study.resources.cpus))
    gpus = study.resources.gpus_at_most
    if device.type == "cuda" and gpus and workers is None:
        at_once = min(at_once, max(1, int(torch.cuda.device_count() / gpus)))
    total = sum(seconds) / len(seconds) * planned.runs
    click.echo(
        f"time: a run takes {duration(min(seconds))} to {duration(max(seconds))} on {device.type} with "
        f"{plural(threads, 'thread')} (estimated from a few steps of {len(seconds)} models); "
        f"{planned.runs:,} runs, {at_once} at once: about {duration(total / at_once)}"
    )


def table(rows: Sequence[tuple[str, ...]], right: Any = ()) -> None:
    """Aligned columns, the first row as their heads."""
    click.echo(aligned(rows, right) + "\n")


def _some(values: Sequence[Any]) -> Sequence[Any]:
    """All of `values`, or the first and the last of very many."""
    return values if len(values) <= VALUES else [*values[: VALUES - 2], "...", f"{values[-1]} ({len(values)} values)"]


def _thin(items: list[Any], most: int) -> list[Any]:
    """At most `most` of `items`, evenly, both ends among them."""
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def _more(count: int) -> None:
    click.echo(f"  ... and {count - ROWS} more\n" if count > ROWS else "")
