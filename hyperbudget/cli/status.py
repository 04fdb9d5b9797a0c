"""``hyperbudget status``: how a study stands."""

from __future__ import annotations

from pathlib import Path

import click

from hyperbudget.cli.common import StudyArgument, begun, overrides, spelt


@click.command("status")
@click.argument("study", type=StudyArgument())
@overrides
def command(study: Path, overrides: tuple[str, ...]) -> int:
    """Show how far STUDY is, what failed and where its results lie.

    Exit status: 0, or 2 for bad input.
    """
    from hyperbudget.study.folder import masked
    from hyperbudget.study.status import status

    folder = begun(study, overrides)
    now = status(folder)
    state = "running" if now.driver else "not running"
    click.echo(f"{folder.path.name}: {state}")
    click.echo(f"  finished     {now.finished}" + (f" of {now.total}" if now.total is not None else ""))
    click.echo(f"  {'under way' if now.driver else 'interrupted'}".ljust(15) + str(now.open))
    if now.pruned:
        click.echo(f"  pruned       {now.pruned}")
    click.echo(f"  failed       {now.failed}")
    for run, reason in now.failures:
        click.echo(f"    {run}: {reason}")
    if now.beyond:
        click.echo(f"  besides      {now.beyond} of configurations that the file no longer has")
    click.echo(f"  results      {folder.path}")
    click.echo(f"  trials       {masked(now.stores.storage)}")
    click.echo(f"  tracking     {masked(now.stores.tracking)}")
    if now.open and not now.driver:
        click.echo(f"go on with: hyperbudget run {spelt(study)}", err=True)
    return 0
