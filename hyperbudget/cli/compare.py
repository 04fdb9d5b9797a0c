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
    held against the first: what their configurations differ in, whether runs have the same numbers, how they ended,
    how long they took. The files are printed; what could not be compared is said on the standard error.

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
    built = build_comparison(dict(zip(names, frames.values(), strict=True)), out, only)
    for sentence in built.left_out:
        click.echo(sentence, err=True)
    for path in built.files:
        click.echo(path)


def short_names(given: list[str]) -> list[str]:
    """What was given, for studies of the same name, without what says nothing: ``old/x/runs.parquet`` beside
    ``new/x/runs.parquet`` is ``old``, ``a/x`` beside ``b/y`` is ``x``."""
    parts = [_folder(each).parts for each in given]
    while all(len(each) > 1 for each in parts) and len({each[-1] for each in parts}) == 1:
        parts = [each[:-1] for each in parts]
    while all(len(each) > 1 for each in parts) and len({each[0] for each in parts}) == 1:
        parts = [each[1:] for each in parts]
    lasts = [each[-1] for each in parts]
    return lasts if len(set(lasts)) == len(parts) else [str(Path(*each)) for each in parts]


def _folder(given: str) -> Path:
    """What a file of runs is called by: its folder, or its own name."""
    path = Path(given)
    path = path.parent if path.name == "runs.parquet" else Path(given.removesuffix(".parquet"))
    return path if path.name not in ("", "..") else path.resolve()
