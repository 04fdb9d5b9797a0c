"""The best model of each budget in MLflow's model registry, loadable without knowing anything of its network."""

from __future__ import annotations

import importlib.metadata
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

import hyperbudget
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.summary import Analysis
from hyperbudget.errors import UserError
from hyperbudget.study.folder import StudyFolder
from hyperbudget.study.results.finished import FinishedRun, find_run
from hyperbudget.study.tracking.tracker import RUN_TAG

PREFIX = "upto-"
FOLDER = "model"


def register(
    client: MlflowClient, uri: str, name: str, folder: StudyFolder, runs: pd.DataFrame, analysis: Analysis,
    there: Sequence[Run], say: Callable[[str], None],
) -> None:  # fmt: skip
    """Register the best model of each budget that the report compares at, as versions of the model `name`.

    A version is found by the alias ``upto-N``, N the budget in learnable parameters: the best configuration within it
    by validation, the best seed of that. ``mlflow.pytorch.load_model("models:/NAME@upto-N")`` gives a module that does
    what `hyperbudget.nn.export.served.Served` says: of images as a graph, which is read without hyperbudget or pickle,
    of texts as that class. A run that is registered already is not registered again.
    """
    chosen = {f"{PREFIX}{budget}": run for budget, run in best(runs, analysis).items()}
    if not chosen:
        return
    try:
        registered = client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        registered = client.create_registered_model(name, description=f"The best model of each budget of study {name}.")
    versions = {
        version.tags.get(RUN_TAG): str(version.version) for version in client.search_model_versions(f"name='{name}'")
    }
    of_run = {run.data.tags.get(RUN_TAG): run for run in there}
    for run_name in dict.fromkeys(chosen.values()):
        if run_name not in versions:
            try:
                versions[run_name] = _version(client, name, find_run(str(folder.run(run_name).path)), of_run[run_name])
            except UserError:
                say(
                    f"run {run_name} is not in MLflow's model registry: its {folder.run(run_name).model} cannot be read"
                )
    for alias, run_name in chosen.items():
        if run_name in versions and registered.aliases.get(alias) != versions[run_name]:
            client.set_registered_model_alias(name, alias, versions[run_name])
    for alias in registered.aliases:
        if alias.startswith(PREFIX) and alias not in chosen:
            client.delete_registered_model_alias(name, alias)


def best(runs: pd.DataFrame, analysis: Analysis) -> dict[int, str]:
    """Budget -> name of the run of the best seed of the best configuration within it, all by validation."""
    finished = runs[runs["status"] == "finished"]
    found = {}
    for budget in sorted({entry.budget for entry in analysis.entries}):
        within = [entry.configuration for entry in analysis.entries if entry.budget == budget]
        chosen: Configuration = min(within, key=lambda c: c.selection_key)
        own = finished[finished["configuration"] == chosen.name]
        found[budget] = str(own.sort_values(["validation_error", "seed"])["run"].iloc[0])
    return found


def _version(client: MlflowClient, name: str, run: FinishedRun, logged: Run) -> str:
    """Make the version of `run`: its model with a signature, as artifacts of its MLflow run."""
    import mlflow.pytorch

    from hyperbudget.nn.export.served import Served
    from hyperbudget.summary.signature import example_of, signature

    model, metadata = run.load()
    example = example_of(metadata)
    packages = [f"torch=={importlib.metadata.version('torch')}"]
    if example is None:
        packages.append(f"hyperbudget=={hyperbudget.__version__}")
    with tempfile.TemporaryDirectory(prefix="hyperbudget-model-") as path:
        target = Path(path) / FOLDER
        mlflow.pytorch.save_model(
            Served(model, metadata), target, signature=signature(metadata), pip_requirements=packages,
            input_example=example, serialization_format="pickle" if example is None else "pt2",
        )  # fmt: skip
        client.log_artifacts(logged.info.run_id, str(target), FOLDER)
    tags = {RUN_TAG: run.name} | {tag: logged.data.tags[tag] for tag in ("family", "task") if tag in logged.data.tags}
    numbers = ("params.learnable", "validation_error", "test_error")
    tags |= {key: f"{logged.data.metrics[key]:g}" for key in numbers if key in logged.data.metrics}
    source = f"{logged.info.artifact_uri}/{FOLDER}"
    made = client.create_model_version(
        name, source, run_id=logged.info.run_id, tags=tags, description=logged.info.run_name
    )
    return str(made.version)
