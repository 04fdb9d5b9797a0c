"""``hyperbudget run``: run a study, or go on with it."""

from __future__ import annotations

from pathlib import Path

import click

from hyperbudget.cli.common import StudyArgument, overrides, plural, spelt


@click.command("run")
@click.argument("study", type=StudyArgument())
@overrides
@click.option("--workers", type=click.IntRange(min=1), help="Trainings at once; by default as many as fit.")
@click.option("--tracking-uri", metavar="URI", help="MLflow's store; by default a database with the results.")
@click.option("--storage", metavar="URL", help="Optuna's storage; by default a database with the results.")
@click.option(
    "--address", default="local", show_default=True, help="Ray: 'local', 'auto', HOST:PORT or ray://HOST:PORT."
)
@click.option("--fresh", is_flag=True, help="Begin anew; earlier results are kept aside.")
def command(
    study: Path,
    overrides: tuple[str, ...],
    workers: int | None,
    tracking_uri: str | None,
    storage: str | None,
    address: str,
    fresh: bool,
) -> int:
    """Run STUDY, or go on where an earlier call ended.

    The first Ctrl-C lets the running trainings finish, the second aborts; the same command goes on in either case.

    Exit status: 0 all runs done, 1 some failed, 2 bad input, 3 the budget refuses every configuration, 130 interrupted.
    """
    from hyperbudget.cli.live import listener
    from hyperbudget.config import load
    from hyperbudget.study.session import Options, run_study

    loaded = load(study, overrides)
    options = Options(workers, tracking_uri, storage, address, fresh)
    with listener(loaded) as shown:
        outcome = run_study(loaded, options, shown)
    for what, reason in outcome.failures:
        click.echo(f"failed: {what}: {reason}", err=True)
    if outcome.stopped_by:
        click.echo(f"stopped by {outcome.stopped_by}", err=True)
    refused = f", {plural(outcome.refused, 'configuration')} refused" if outcome.refused else ""
    pruned = f", {outcome.pruned} pruned" if outcome.pruned else ""
    finished = f"{plural(outcome.finished, 'run')} finished{pruned}, {len(outcome.failures)} failed{refused}"
    click.echo(f"{loaded.name}: {finished}")
    if outcome.beyond:
        beyond = plural(outcome.beyond, "run")
        click.echo(f"kept and reported besides, of configurations that the file no longer has: {beyond}", err=True)
    if outcome.stopped:
        click.echo(f"interrupted; go on with: hyperbudget run {spelt(study)}", err=True)
        return 130
    if outcome.finished:
        _summarise(loaded.name)
        click.echo(f"next: hyperbudget report {spelt(study)}", err=True)
    return 1 if outcome.failures else 0


def _summarise(name: str) -> None:
    """Sum the study up in MLflow; its results do not depend on it."""
    from hyperbudget.errors import UserError
    from hyperbudget.study.folder import StudyFolder
    from hyperbudget.summary import summarise

    try:
        summarise(StudyFolder.of(name), lambda said: click.echo(said, err=True))
    except UserError as error:
        click.echo(f"{error}; the same command writes it", err=True)
