"""``hyperbudget report``: build a study's report, or that of a ``runs.parquet`` from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click


@click.command(name="report")
@click.argument("study")
@click.option("--only", type=click.Choice(["html", "pdf"]), help="Build one of the two.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write into.")
def command(study: str, only: Literal["html", "pdf"] | None, out: Path | None) -> None:
    """Build report.html and report.pdf.

    STUDY is a study file or the name of one that ships, a runs.parquet, or a folder that holds one. The report lies
    beside the runs unless --out is given; its files are printed.
    """
    from hyperbudget.cli.common import runs_of
    from hyperbudget.report.build import build
    from hyperbudget.study.results.frame import read

    runs = runs_of(study)
    for path in build(read(runs), out or runs.parent, only):
        click.echo(path)
