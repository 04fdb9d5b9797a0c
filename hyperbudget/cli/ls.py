"""``hyperbudget ls``."""

from __future__ import annotations

import click


@click.command(name="ls")
def command() -> None:
    """List the studies that ship with the package, each with its question.

    A name can be given wherever a command takes a study.
    """
    from hyperbudget.config.shipped import question, shipped

    studies = shipped()
    width = max(map(len, studies), default=0)
    for name, path in studies.items():
        click.echo(f"{name:{width}}  {question(path)}")
