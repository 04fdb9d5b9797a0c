"""``hyperbudget solve``: the models that land on a budget of learnable parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hyperbudget.budget.solve import Solution, Solved


@click.command("solve")
@click.option("--params", required=True, metavar="COUNT", help="The budget: 97000, 100k, 1.5M.")
@click.option("--tolerance", default="2%", show_default=True, metavar="SHARE", help="How far off it may be.")
@click.option("--task", required=True, metavar="TASK", help="What the images are: digits, mnist, cifar10.")
@click.option(
    "--network", "networks", multiple=True, metavar="NAME",
    help="convnet, mlp, resnet, wrn, language_model; default: all that fit the task.",
)  # fmt: skip
@click.option("--family", "families", multiple=True, metavar="NAME", help="free, hyper, ...; default: all.")
@click.option("--range", "ranges", multiple=True, metavar="FIELD=VALUES",
              help="Values to try: depth=16,22,28 or embedding_size=1..64; may be repeated.")  # fmt: skip
@click.option("--limit", default=10, show_default=True, type=click.IntRange(min=1), help="Rows of each family.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(params: str, tolerance: str, task: str, networks: tuple[str, ...], families: tuple[str, ...],
            ranges: tuple[str, ...], limit: int, as_json: bool) -> None:  # fmt: skip
    """Find the models of every family that have a given number of learnable parameters.

    Shown are, of each family, the nearest of each main network, those that use the most kernel weights for each
    learnable parameter first. FLOPs are of one image's forward pass, without what generates the kernels, or of one
    character's.

    \b
    hyperbudget solve --params 100k --task cifar10 --network wrn
    hyperbudget solve --params 97k --tolerance 0.5% --task cifar10 --family hyper --range depth=40 --range width=1
    """
    import time

    from hyperbudget.budget.quantity import parse_count, parse_share
    from hyperbudget.budget.solve import solve
    from hyperbudget.data.load import shape
    from hyperbudget.data.tasks import TASK_NAMES, is_text
    from hyperbudget.errors import UserError
    from hyperbudget.nn.spec import FAMILIES, NETWORKS, SpecError

    budget, share = _parsed("--params", parse_count, params), _parsed("--tolerance", parse_share, tolerance)
    data = shape(task if is_text(task) else _one_of("--task", task, TASK_NAMES))
    chosen = [_one_of("--network", name, NETWORKS) for name in networks]
    wanted = [_one_of("--family", name, FAMILIES) for name in families]
    started = time.perf_counter()
    try:
        solved = solve(budget, share, networks=chosen or None, families=wanted or None,
                       ranges=dict(map(_range, ranges)), limit=limit, **data)  # fmt: skip
    except SpecError as error:
        raise UserError(f"--range: {error}") from None
    if not solved.solutions:
        raise UserError(f"--params: {_nothing(solved, budget, share)}")
    if as_json:
        show_json(solved, budget, share, task)
    else:
        show(solved, budget, share, time.perf_counter() - started)


def show(solved: Solved, budget: int, tolerance: float, seconds: float) -> None:
    """A table of the solutions, and what was searched."""
    from hyperbudget.cli.describe import settings
    from hyperbudget.cli.plan import table

    rows = [("family", "its fields", "network", "learnable", "off", "generated", "ratio", "MFLOPs")]
    for found in solved.solutions:
        network, family, counts = found.model.network, found.model.family, found.anatomy
        rows.append(
            (family.name, settings(family), f"{network.name} {settings(network)}", f"{counts.learnable:,}",
             f"{100 * (counts.learnable / budget - 1):+.2f}%", f"{counts.generated:,}", f"{found.ratio:.2f}",
             f"{found.flops / 1e6:,.1f}")
        )  # fmt: skip
    table(rows, right=range(3, 8))
    click.echo(
        f"{solved.searched:,} configurations searched in {seconds:.1f} s; within {100 * tolerance:g}% of {budget:,}: "
        + ", ".join(f"{name} {count:,}" for name, count in solved.found.items())
    )
    for name, count in solved.found.items():
        if not count and name in solved.nearest:
            click.echo(f"{name}: none; the nearest is {_words(solved.nearest[name])}")
        elif not count:
            click.echo(f"{name}: none of its configurations can be built")
    if solved.thinned:
        click.echo(f"only an even sample was counted of: {', '.join(solved.thinned)}; narrow it with --range")


def show_json(solved: Solved, budget: int, tolerance: float, task: str) -> None:
    """The same for programs; each ``model`` is one of a study file."""
    import json

    def entry(found: Solution) -> dict[str, Any]:
        return {
            "model": found.model.fields(),
            "learnable": found.anatomy.learnable,
            "off": found.anatomy.learnable / budget - 1,
            "generated": found.anatomy.generated,
            "generated_to_learnable": found.ratio,
            "forward_flops": found.flops,
        }

    click.echo(
        json.dumps(
            {"params": budget, "tolerance": tolerance, "task": task, "searched": solved.searched,
             "found": solved.found, "thinned": solved.thinned,
             "nearest": {family: entry(found) for family, found in solved.nearest.items()},
             "solutions": [entry(found) for found in solved.solutions]}, indent=2
        )
    )  # fmt: skip


def _words(found: Solution) -> str:
    from hyperbudget.cli.describe import describe

    return f"{describe(found.model)}: {found.anatomy.learnable:,}"


def _nothing(solved: Solved, budget: int, tolerance: float) -> str:
    what = f"no configuration has {budget:,} learnable parameters within {100 * tolerance:g}%"
    if not solved.nearest:
        return f"{what}; none of those searched can be built"
    nearest = min(solved.nearest.values(), key=lambda found: abs(found.anatomy.learnable - budget))
    return f"{what}; the nearest is {_words(nearest)}"


def _parsed(option: str, parse: Callable[[str], Any], text: str) -> Any:
    from hyperbudget.errors import UserError

    try:
        return parse(text)
    except ValueError as error:
        raise UserError(f"{option}: {error}") from None


def _one_of(option: str, name: str, options: Iterable[str]) -> str:
    from hyperbudget.config.words import not_one_of
    from hyperbudget.errors import UserError

    if name not in options:
        raise UserError(f"{option}: {not_one_of(name, list(options))}")
    return name


def _range(text: str) -> tuple[str, list[Any]]:
    """``depth=16,22`` or ``embedding_size=1..64`` as the field and its values; ``null`` leaves a field out."""
    from hyperbudget.errors import UserError

    name, equals, listed = (part.strip() for part in text.partition("="))
    values: list[Any] = []
    for item in listed.split(","):
        if ends := re.fullmatch(r"\s*([0-9]+)\s*\.\.\s*([0-9]+)\s*", item):
            if int(ends[2]) - int(ends[1]) >= 100_000:
                raise UserError(f"--range: {text!r} has more than 100,000 values")
            values += range(int(ends[1]), int(ends[2]) + 1)
        elif word := item.strip():
            values.append(_value(word))
    if not (name and equals and values):
        raise UserError(f"--range: {text!r} is not FIELD=VALUES, such as depth=16,22,28 or embedding_size=1..64")
    return name, values


def _value(word: str) -> Any:
    if word == "null":
        return None
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
