"""The study as its results were begun with, and what a changed study file makes of them.

Runs and configurations are named by hashes of what decides their results, so those of an earlier state of the file mean
what they meant. `hyperbudget.config.changes` says what may change; then

- configurations that are new are trained, those that stay are not trained again,
- those that the study no longer has stay as they are, in the folder, in MLflow, in Optuna's study and in the report,
  but are counted no longer; what is unfinished of them stays so. A file that wants them again finds them,
- budgets of runs and hours count everything that was spent in the folder.

Anything else would be another study under the same name, and is refused.
"""

from __future__ import annotations

from hyperbudget.config import Study, StudyFileError, load
from hyperbudget.config.changes import changes
from hyperbudget.errors import UserError
from hyperbudget.study.folder import StudyFolder

SHOWN = 3
"""So many differences are shown."""

WAY_OUT = (
    "Give the changed study another name (name: in the file, or --set name=NAME), or begin it anew with --fresh (the "
    "earlier results are kept aside)"
)


def former(folder: StudyFolder) -> Study | None:
    """The study as the last call ran it, overrides included; None where there is none that can be read."""
    try:
        return load(folder.study) if folder.study.exists() else None
    except StudyFileError:  # of another version; or a text is no longer where it was
        return None


def refuse_another_meaning(study: Study, before: Study | None) -> None:
    """Raise UserError, each difference with its place, when `study` cannot go on with the results of `before`."""
    found = changes(before, study) if before else []
    if not found:
        return
    lines = [f"{study.place(change.key)}: {change}" for change in found[:SHOWN]]
    more = f", and {len(found) - SHOWN} more differences" if len(found) > SHOWN else ""
    kept = "the results of" if study.search.sampler == "grid" else f"the {study.search.sampler} search of"
    raise UserError("\n".join(lines) + f"{more}: {kept} study '{study.name}' cannot go on with that. {WAY_OUT}")
