"""``hyperbudget compare``: several studies in one report."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click


@click.command(name="compare")
@click.argument("studies", metavar="STUDY STUDY ...", nargs=-1, required=True)
@click.option("--only", type=click.Choice(["html", "pdf"]), help="Build one of the two.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("comparison"), show_default=True,
    help="Folder to write into.",
)  # fmt: skip
def command(studies: tuple[str, ...], only: Literal["html", "pdf"] | None, out: Path) -> None:
    """Build comparison.html and comparison.pdf of several studies.

    Each STUDY is a study file, the name of one, a folder that holds a runs.parquet, or such a file. The others are
    held against the first: the configurations that both have, the trade-offs, the times. The files are printed.

    Exit status: 0, or 2 for studies that cannot be compared.
    """
    from hyperbudget.cli.common import runs_of
    from hyperbudget.errors import UserError
    from hyperbudget.report.compare import build_comparison
    from hyperbudget.study.results.frame import read

    paths = {given: runs_of(given) for given in studies}
    if len({path.resolve() for path in paths.values()}) < len(studies):
        raise UserError(f"compare {' '.join(studies)}: names the same runs twice; give different studies")
    frames = {given: read(path) for given, path in paths.items()}
    names = [str(frame.attrs["study"].get("name") or given) for given, frame in frames.items()]
    if len(set(names)) < len(names):
        names = short_names(list(frames))
    for path in build_comparison(dict(zip(names, frames.values(), strict=True)), out, only):
        click.echo(path)


def short_names(given: list[str]) -> list[str]:
    """What was given, for studies of the same name, without the ends that say nothing: ``old/x/runs.parquet`` beside
    ``new/x/runs.parquet`` is ``old``."""
    paths = [Path(each) for each in given]
    parts = [(path.parent if path.name == "runs.parquet" else path).parts for path in paths]
    while all(len(each) > 1 for each in parts) and len({each[-1] for each in parts}) == 1:
        parts = [each[:-1] for each in parts]
    while all(len(each) > 1 for each in parts) and len({each[0] for each in parts}) == 1:
        parts = [each[1:] for each in parts]
    return [str(Path(*each)) for each in parts]
