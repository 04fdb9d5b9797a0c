"""A finished call of ``run``, summed up in MLflow: one function, which may be called again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from mlflow import MlflowClient

from hyperbudget.analyze.summary import Analysis, analyze
from hyperbudget.errors import UserError
from hyperbudget.report.build import split
from hyperbudget.study.folder import Stores, StudyFolder, masked
from hyperbudget.study.results import frame
from hyperbudget.study.stores import outage
from hyperbudget.study.tracking.tracker import quiet, runs_of
from hyperbudget.summary.front import mark
from hyperbudget.summary.models import register
from hyperbudget.summary.page import Page

DIGEST_TAG = "hyperbudget.frame"


def summarise(folder: StudyFolder, say: Callable[[str], None]) -> None:
    """Write into MLflow what the frame of the study in `folder` says: the tag ``front`` on the configurations of the
    front and their runs, means and intervals over seeds on configurations, a run ``summary`` with the report, figures
    and tables, the experiment's note, and the best model of each budget in the model registry.

    A frame that is summed up already is left alone. `say` is told what could not be written for lack of a model's file.
    Raises UserError when MLflow's store does not answer; the study's results are complete without all this.
    """
    quiet()
    runs = frame.read(folder.frame)
    uri = Stores.of(folder).tracking
    found = {task: analyze(part) for task, part in split(runs).items()}
    digest = hashlib.sha256(folder.frame.read_bytes()).hexdigest()
    page = Page(folder, runs, found)
    try:
        client = MlflowClient(tracking_uri=uri)
        experiment = client.get_experiment_by_name(page.name)
        if experiment is None:
            return
        page.open(client, experiment.experiment_id)
        if page.said(DIGEST_TAG) == digest:
            return
        everything = list(runs_of(client, experiment.experiment_id))
        mark(client, everything, list(found.values()), page.study)
        page.write()
        for task, analysis in found.items():
            register(client, uri, registered_name(page.name, task, found), folder, runs, analysis, everything, say)
        page.close({DIGEST_TAG: digest})
    except UserError:
        raise
    except Exception as error:  # MLflow lets the exceptions of its stores and of HTTP through
        if not outage.from_store(error):
            raise
        raise UserError(f"the summary in MLflow ({masked(uri)}) could not be written: {outage.words(error)}") from None


def registered_name(study: str, task: str, found: dict[str, Analysis]) -> str:
    """A study of several tasks has a registered model for each; MLflow allows neither ``/`` nor ``:`` in its name."""
    return study if len(found) == 1 else f"{study}.{task}".replace("/", "_").replace(":", "_")
