"""``hyperbudget count``: learnable parameters by group, in closed form; no network is built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperbudget.cli.common import StudyArgument, overrides

if TYPE_CHECKING:
    from hyperbudget.budget.closed_form import Anatomy
    from hyperbudget.budget.paper import PaperRow
    from hyperbudget.nn.spec import ModelSpec

    Model = tuple[str, ModelSpec]  # the task, and the model


@click.command("count")
@click.argument("model", type=StudyArgument(), required=False)
@overrides
@click.option("--against", metavar="TABLE", help="Compare with the paper's printed counts, such as paper/table-2.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: Path | None, overrides: tuple[str, ...], against: str | None, as_json: bool) -> int:
    """Count the parameters of MODEL by group, in closed form: a study, or a file with a task and a model.

    \b
    task: cifar10
    model: {network: wrn, depth: 40, width: 1, family: hyper, embedding_size: 64}

    With --against, MODEL may be left out: the models of the table's own rows are counted.

    Exit status: 0, or 2 for bad input, or 1 when a count differs from the printed one or no printed row is of MODEL.
    """
    from hyperbudget.errors import UserError

    rows = paper_rows(against) if against else []
    if model is not None:
        models = read(model, overrides)
    elif not rows:
        raise UserError("count: give a study or a model file, or a table of the paper with --against")
    elif overrides:
        raise UserError("--set: there is no file to put a value into; give a study or a model file")
    else:
        models = list(dict.fromkeys(row_model(row) for row in rows))
    if rows:
        return compare(models, rows, as_json)
    show(models, as_json)
    return 0


def read(path: Path, overrides: Sequence[str]) -> list[Model]:
    """The distinct models of the file, by their learnable parameters."""
    from hyperbudget.config.model_file import load_models
    from hyperbudget.study.search.plan import plan

    configurations = [candidate.configuration for candidate in plan(load_models(path, overrides)).candidates]
    return sorted(
        dict.fromkeys((c.task, c.model) for c in configurations), key=lambda model: anatomy_of(model).learnable
    )


def paper_rows(name: str) -> list[PaperRow]:
    """The rows of the table ``paper/table-N``. Raises UserError if there is none."""
    from hyperbudget.budget.paper import ROWS
    from hyperbudget.errors import UserError

    if found := [row for row in ROWS if row.slug == name]:
        return found
    raise UserError(f"--against: {name!r} is not one of {', '.join(sorted({row.slug for row in ROWS}))}")


def row_model(row: PaperRow) -> Model:
    """The model of a printed row."""
    from hyperbudget.nn.spec import ModelSpec

    fields = {name.removeprefix("model."): value for name, value in row.fields.items() if name.startswith("model.")}
    return str(row.fields["task"]), ModelSpec.from_fields(fields)


def anatomy_of(model: Model) -> Anatomy:
    """The exact counts of a model on its task."""
    from hyperbudget.budget.closed_form import anatomy
    from hyperbudget.data.load import shape

    return anatomy(model[1], **shape(model[0]))


def compare(models: list[Model], rows: list[PaperRow], as_json: bool) -> int:
    """The printed counts beside ours; 0 if all of them agree, else 1."""
    import json

    from hyperbudget.cli.describe import describe
    from hyperbudget.cli.plan import table

    found: list[dict[str, Any]] = []
    lines: list[tuple[str, ...]] = [("printed row", "printed", "ours", "rounded", "", "model")]
    for row in rows:
        matching = [model for model in models if _has(model, row)]
        for model in matching:
            ours = int(anatomy_of(model).metrics()[row.counts])
            equal = row.agrees(ours)
            verdict = "DIFFERS" if not equal else "equal" if row.exact is None else "equal to what the sizes give"
            lines.append((row.row, row.printed, f"{ours:,}", row.show(ours), verdict, describe(model[1])))
            found.append({"table": row.table, "row": row.row, "printed": row.count, "ours": ours,
                          "rounded": row.rounded(ours), "equal": equal, "model": model[1].fields()})  # fmt: skip
        if not matching:
            lines.append((row.row, row.printed, "-", "-", "", "none of these models"))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(f"{rows[0].table}, {'kernel parameters' if rows[0].counts == 'params.source' else 'parameters'}:")
        table(lines, right=range(1, 4))
    return 0 if found and all(entry["equal"] for entry in found) else 1


def _has(model: Model, row: PaperRow) -> bool:
    fields = {"task": model[0], **{f"model.{name}": value for name, value in model[1].fields().items()}}
    return all(name in fields and fields[name] == value for name, value in row.fields.items())


def show(models: list[Model], as_json: bool) -> None:
    """The anatomy of one model as a list, or of several as a table with a line each."""
    import json

    from hyperbudget.cli.describe import describe
    from hyperbudget.cli.plan import table
    from hyperbudget.nn.spec import LanguageModel

    counts = [anatomy_of(model) for model in models]
    if as_json:
        click.echo(
            json.dumps(
                [{"task": task, "model": spec.fields(), **count.metrics()}
                 for (task, spec), count in zip(models, counts, strict=True)], indent=2
            )
        )  # fmt: skip
        return
    tasks = list(dict.fromkeys(task for task, _ in models))
    if len(models) == 1:
        only = counts[0]
        click.echo(f"{describe(models[0][1])}, on {tasks[0]}:")
        lines = [("group", "learnable", "share")]
        lines += [(group, f"{n:,}", f"{100 * n / only.learnable:.1f}%") for group, n in only.groups.items() if n]
        table([*lines, ("learnable", f"{only.learnable:,}", "")], right=(1, 2))
        recurrent = isinstance(models[0][1].network, LanguageModel)
        weights, plain = ("recurrent", "unchanging ones") if recurrent else ("kernel", "free kernels")
        click.echo(
            f"{only.generated:,} {weights} weights in use from {only.source:,} parameters; with {plain} "
            f"{only.free:,} parameters, {only.compression:.2f} x as many"
        )
        return
    groups = [group for group in counts[0].groups if any(count.groups[group] for count in counts)]
    many = [("model", "learnable", *groups, "generated weights", "compression")]
    for (task, spec), count in zip(models, counts, strict=True):
        words = describe(spec) + (f", {task}" if len(tasks) > 1 else "")
        numbers = [count.learnable, *(count.groups[group] for group in groups), count.generated]
        many.append((words, *(f"{number:,}" for number in numbers), f"{count.compression:.2f} x"))
    click.echo(f"{len(models)} models on {' and '.join(tasks)}, learnable parameters by group:")
    table(many, right=range(1, len(groups) + 4))
