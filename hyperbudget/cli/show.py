"""``hyperbudget show``: pictures of a finished run's kernels and of what they share."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hyperbudget.cli.pictures import Format, check_folder, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hyperbudget.study.results.finished import FinishedRun
    from hyperbudget.study.results.kernels import Kernels

    Runs = dict[str, Kernels]


@click.command("show")
@click.argument("run")
@click.option("--beside", metavar="RUN2", help="Another finished run, whose kernels have the same shapes.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the pictures; by default RUN-pictures here.")
@click.option("--format", "ending", type=click.Choice(["png", "svg", "pdf"]), default="png", show_default=True)
@click.option("--study", help="Look for the runs in this study's results only.")
def command(run: str, beside: str | None, out: Path | None, ending: Format, study: str | None) -> None:
    """Draw the kernels of a finished RUN, and what they share.

    RUN is a run's name (the hash that its folder in results/STUDY/runs is called), the beginning of it, or the path
    of that folder. The pictures show the kernels, the cosines between them, their singular values, and a
    hypernetwork's embeddings. A table of the kernels and the paths of the pictures are printed.

    Exit status: 0, or 2 for bad input.
    """
    from hyperbudget.cli.common import results_of
    from hyperbudget.errors import UserError
    from hyperbudget.study.results.finished import find_run

    where = results_of(study) if study else None
    found = [find_run(name, where) for name in (run, beside) if name is not None]
    folder = out or Path(f"{found[0].name}-pictures")
    check_folder(folder)
    if len({each.name for each in found}) < len(found):
        raise UserError(f"--beside {beside}: is the run itself; give another one")
    runs = dict(zip(short_names(found), map(kernels, found), strict=True))
    if beside is not None:
        check_alike(*runs.values())
    for name, shown in runs.items():
        describe_kernels(shown, runs, f"{name}: {shown.words}" if len(runs) > 1 else shown.words)
    for said in written(draw(runs), folder, ending):
        click.echo(said)


def kernels(run: FinishedRun) -> Kernels:
    """The kernels of `run`, with a line that says what it is."""
    from hyperbudget.cli.describe import describe_run
    from hyperbudget.study.results.kernels import kernels_of

    return kernels_of(run, describe_run(run))


def short_names(runs: list[FinishedRun]) -> list[str]:
    """Their families where these differ, else the settings in which the families do, else the runs' own names."""
    from hyperbudget.study.search.label import SHORT

    families = [run.spec.model.family for run in runs]
    if len({family.name for family in families}) == len(runs):
        return [family.name for family in families]
    settings = [dataclasses.asdict(family) for family in families]
    differing = [name for name in settings[0] if any(values[name] != settings[0][name] for values in settings)]
    if not differing:
        return [f"run {run.name[:8]}" for run in runs]
    words = {name: SHORT.get(name, name.replace("_", " ")) for name in differing}
    return [
        " ".join([family.name, *(f"{words[name]} {values[name]}" for name in differing)])
        for family, values in zip(families, settings, strict=True)
    ]


def check_alike(one: Kernels, other: Kernels) -> None:
    """Raise UserError unless the kernels of both runs have the same shapes."""
    from hyperbudget.errors import UserError

    if len(one.shapes) != len(other.shapes):
        raise UserError(f"--beside {other.run}: has {len(other.shapes)} kernels, and {one.run} has {len(one.shapes)}")
    for number, (mine, theirs) in enumerate(zip(one.shapes, other.shapes, strict=True), start=1):
        if mine != theirs:
            raise UserError(f"--beside {other.run}: its kernel {number} is {theirs}, and that of {one.run} is {mine}")


def describe_kernels(shown: Kernels, runs: Runs, title: str) -> None:
    """A line a kernel, and how similar they are."""
    from hyperbudget.cli.common import aligned
    from hyperbudget.figures.heading import shared_basic
    from hyperbudget.figures.similarity import levels
    from hyperbudget.nn.sharing.matrices import deviation_over_he
    from hyperbudget.nn.sharing.similarity import compare
    from hyperbudget.nn.sharing.spectra import spectra

    rows = [("kernel", "shape", "deviation", "over He", "effective rank", "of at most")]
    for number, (shape, array, spectrum) in enumerate(
        zip(shown.shapes, shown.arrays, spectra(shown.arrays, shown.family, 0), strict=True), start=1
    ):
        size = f"{shape.height} x {shape.width} x {shape.in_channels} x {shape.out_channels}"
        numbers = f"{array.std():.4f}", f"{deviation_over_he(array):.2f}", f"{spectrum.rank:.1f}", f"{spectrum.most}"
        rows.append((str(number), size, *numbers))
    compared = compare(shown.arrays, shown.family, shown.basic or shared_basic(runs))
    overall, chance = levels(compared)
    click.echo(f"{title}\n{aligned(rows, right=(0, 2, 3, 4, 5))}")
    click.echo(f"|cosine| between {compared.of}, root mean square: {overall}{chance and f' ({chance})'}\n")


def draw(runs: Runs) -> dict[str, Figure | str]:
    """The pictures by name, or why there is none."""
    from hyperbudget.figures.embeddings import embedding_map
    from hyperbudget.figures.kernels import kernel_pictures
    from hyperbudget.figures.similarity import similarity_matrices
    from hyperbudget.figures.spectra import singular_value_spectra

    families = " and ".join(dict.fromkeys(shown.family.name for shown in runs.values()))
    generated = any(shown.embeddings is not None for shown in runs.values())
    none = "the hypernetwork has a single one" if generated else f"kernels of family {families} have none"
    return {
        "kernels": kernel_pictures(runs),
        "similarity": similarity_matrices(runs) or "there are no two parts to compare",
        "spectrum": singular_value_spectra(runs),
        "embeddings": embedding_map(runs) or none,
    }
