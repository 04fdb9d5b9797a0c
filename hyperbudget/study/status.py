"""How a study stands, read from its folder alone: no database, no server, also while a driver is at work."""

from __future__ import annotations

from dataclasses import dataclass

from hyperbudget.study.folder import Stores, StudyFolder, read_json
from hyperbudget.study.lock import driver_alive


@dataclass(frozen=True)
class Status:
    """Counts of runs. `open` ones were begun and have no result: under way while a driver runs, else interrupted.
    `failed` ones count those, too, that the machine gave no result, and that the next call tries again.

    `total`: how many the study has, as the last call counted them; None before it did. `beyond`: runs of configurations
    that the study had in an earlier state of its file; they are in no other count.
    """

    total: int | None
    beyond: int
    finished: int
    failed: int
    pruned: int
    open: int
    driver: bool
    """A 'hyperbudget run' is at work on the study."""
    failures: list[tuple[str, str]]
    """(run, reason)"""
    stores: Stores


def status(folder: StudyFolder) -> Status:
    """The status of the study in `folder`."""
    scope = read_json(folder.scope) or {"runs": None, "beyond": []}
    beyond = set(scope["beyond"])
    runs = [run for run in folder.all_runs() if run.path.name not in beyond]
    results = [(run, read_json(run.result) or read_json(run.fault)) for run in runs]
    done = [(run, result) for run, result in results if result is not None]
    failures = [
        (run.path.name, str(result["reason"]) + ("; the next call tries it again" if result.get("fault") else ""))
        for run, result in done
        if result["status"] == "failed"
    ]
    pruned = sum(result["status"] == "pruned" for _, result in done)
    return Status(
        total=scope["runs"],
        beyond=len(beyond),
        finished=len(done) - len(failures) - pruned,
        failed=len(failures),
        pruned=pruned,
        open=len(results) - len(done),
        driver=driver_alive(folder),
        failures=failures,
        stores=Stores.of(folder),
    )
