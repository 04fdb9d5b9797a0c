"""``hyperbudget doctor``: whether a study would run here, and on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hyperbudget.cli.common import StudyArgument, overrides, plural

if TYPE_CHECKING:
    from hyperbudget.study.doctor.verdicts import Place, Wanted

COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red"}
NODES = 4


@click.command("doctor")
@click.argument("study", type=StudyArgument(), required=False)
@overrides
@click.option("--address", default="local", show_default=True, help="Ray: 'local', 'auto', HOST:PORT, ray://HOST:PORT.")
@click.option("--tracking-uri", metavar="URI", help="MLflow's store.")
@click.option("--storage", metavar="URL", help="Optuna's storage.")
@click.option("--all", "all_nodes", is_flag=True, help="Show every check of every node, those that are well, too.")
def command(
    study: Path | None,
    overrides: tuple[str, ...],
    address: str,
    tracking_uri: str | None,
    storage: str | None,
    all_nodes: bool,
) -> int:
    """Check this machine, every node of the cluster and the stores, for STUDY or for any, and say what to set.

    With STUDY its data are read and compared, too; give the options that `run` will get.

    Exit status: 0 all is well (there may be warnings), 1 something will fail, 2 for bad input.
    """
    from hyperbudget.study.doctor.check import examined

    wanted = _for_study(study, overrides, address, tracking_uri, storage) if study else None
    wanted = wanted or _for_any(address, tracking_uri, storage)
    failed = warned = 0
    for shown, place in enumerate(examined(wanted), 1):
        _show(place, brief=shown > 3 + NODES and place.well and not all_nodes)
        failed += sum(check.verdict == "FAIL" for check in place.checks)
        warned += sum(check.verdict == "warn" for check in place.checks)
    said = [plural(failed, "thing") + " will fail"] if failed else []
    said += [plural(warned, "warning")] if warned else []
    click.echo(", ".join(said) or "all is well")
    return 1 if failed else 0


def _for_study(
    file: Path, overrides: tuple[str, ...], address: str, tracking_uri: str | None, storage: str | None
) -> Wanted:
    from hyperbudget.config import load
    from hyperbudget.study.doctor.verdicts import Wanted
    from hyperbudget.study.folder import Stores, StudyFolder

    study = load(file, overrides)
    folder = StudyFolder.of(study.name)
    stores = Stores.of(folder, storage, tracking_uri)
    gpus = 1.0 if study.resources.gpus == "auto" else study.resources.gpus
    return Wanted(
        folder.path, tuple(study.tasks()), stores.storage, stores.tracking, address, study.resources.cpus, gpus, True
    )


def _for_any(address: str, tracking_uri: str | None, storage: str | None) -> Wanted:
    from hyperbudget.data.tasks import TASK_NAMES
    from hyperbudget.study.doctor.check import installed
    from hyperbudget.study.doctor.verdicts import Wanted
    from hyperbudget.study.folder import StudyFolder

    return Wanted(StudyFolder.of("any").path.parent, installed(TASK_NAMES), storage, tracking_uri, address, read=False)


def _show(place: Place, *, brief: bool) -> None:
    if brief:
        click.echo(f"{place.name}  " + click.style("ok", fg=COLOURS["ok"]) + f"  {len(place.checks)} checks")
        return
    click.echo(click.style(place.name, bold=True))
    width = max(len(check.name) for check in place.checks)
    for check in place.checks:
        verdict = click.style(check.verdict.ljust(4), fg=COLOURS[check.verdict])
        way_out = f"; {check.way_out}" if check.way_out else ""
        click.echo(f"  {verdict}  {check.name.ljust(width)}  {check.found}{way_out}")
    click.echo()
