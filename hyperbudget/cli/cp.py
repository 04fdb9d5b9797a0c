"""``hyperbudget cp``."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
from click.shell_completion import CompletionItem


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from hyperbudget.config.shipped import shipped

    return [CompletionItem(name) for name in shipped() if name.startswith(incomplete)]


@click.command(name="cp")
@click.argument("name", shell_complete=_complete)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
def command(name: str, file: Path | None, force: bool) -> None:
    """Copy the study NAME that ships with the package, to edit it.

    FILE is a file or a folder; NAME.yaml in the current folder unless given. Its path is printed.
    """
    from hyperbudget.config.problems import did_you_mean
    from hyperbudget.config.shipped import shipped
    from hyperbudget.errors import UserError

    studies = shipped()
    if name not in studies:
        raise UserError(f"{name}: no shipped study{did_you_mean(name, studies) or '; see: hyperbudget ls'}")
    target = file or Path(f"{name}.yaml")
    if target.is_dir():
        target = target / f"{name}.yaml"
    if target.exists() and not force:
        raise UserError(f"{target}: exists; give another file, or --force to overwrite it")
    try:
        shutil.copyfile(studies[name], target)
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror}") from None
    click.echo(target)
