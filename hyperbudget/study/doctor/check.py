"""Whether a study would run: here, on every node of its cluster, and with its stores."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from hyperbudget.errors import UserError
from hyperbudget.study.doctor.examine import Facts, examine, existing, seconds
from hyperbudget.study.doctor.verdicts import (
    Check,
    Place,
    Wanted,
    clock,
    machine,
    pdf,
    places,
    runs,
    same_data,
    versions,
)
from hyperbudget.study.folder import masked
from hyperbudget.study.stores import database, outage
from hyperbudget.study.workers import cluster
from hyperbudget.study.workers.cluster import Node


def examined(wanted: Wanted) -> Iterator[Place]:
    """Every place, as soon as it is examined: this machine, the stores, Ray and its nodes."""
    here = examine(wanted.folder, wanted.tasks, wanted.read)
    yield Place("here", [*machine(here, wanted), pdf()])
    stores = [check(uri) for check, uri in ((_trials, wanted.storage), (_tracking, wanted.tracking)) if uri]
    if stores:
        yield Place("stores", stores)
    try:
        cluster.connect(wanted.address, wanted.cpus, wanted.gpus, None)
    except UserError as error:
        yield Place("Ray", [Check("address", "FAIL", str(error))])
        return
    import ray

    try:
        yield from _nodes(wanted, here)
    finally:
        ray.shutdown()


def _nodes(wanted: Wanted, here: Facts) -> Iterator[Place]:
    answers = cluster.on_every_node(examine, wanted.folder, wanted.tasks, wanted.read, timeout=120.0)
    began = time.time()
    clocks = cluster.on_every_node(seconds, timeout=20.0)
    ended = time.time()
    blind = cluster.without(existing(wanted.folder)) if wanted.address != "local" else []
    yield Place("Ray", [_capacity(wanted, list(answers))])
    for node, facts in answers.items():
        if isinstance(facts, Exception):
            what = " ".join(f"{type(facts).__name__}: {facts}".split())
            what = what if len(what) <= 300 else f"{what[:100]} ... {what[-200:]}"
            way_out = "is the same hyperbudget installed there, and are torch and ray?"
            yield Place(node.name, [Check("worker", "FAIL", what, way_out)])
            continue
        checks = [versions(facts, here), *machine(facts, wanted, node), *same_data(facts, here)]
        if node in blind:
            checks = [check for check in checks if check.name != "results" or check.verdict != "ok"]
            way_out = "checkpoints stay on the node; set HYPERBUDGET_RESULTS to a folder that all nodes share"
            checks.append(Check("shared", "warn", f"cannot see {wanted.folder}", way_out))
        if isinstance(clocks.get(node), float):
            checks.append(clock(clocks[node], began, ended))
        yield Place(node.name, checks)


def _capacity(wanted: Wanted, nodes: Sequence[Node]) -> Check:
    fits = sum(places(node, wanted) for node in nodes)
    found = f"{len(nodes)} node{'s' * (len(nodes) != 1)}, room for {runs(fits)} at once, with {wanted.cpus:g} CPU"
    found += "s" * (wanted.cpus != 1) + (f" and {wanted.gpus:g} GPU" + "s" * (wanted.gpus != 1) if wanted.gpus else "")
    found += " each"
    if fits:
        return Check("capacity", "ok", found)
    return Check("capacity", "FAIL", found, "set resources.cpus and resources.gpus to what one node has")


def _trials(uri: str) -> Check:
    """Whether Optuna's storage answers, and can be written."""
    import optuna

    from hyperbudget.study.stores.storage import open_storage, reason

    if found := _file_to_be_made(uri):
        return Check("trials", "ok", found)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    began = time.perf_counter()
    try:
        database.reach(uri)
    except UserError as error:
        return Check("trials", "FAIL", f"{masked(uri)}: {error}")
    try:
        storage = open_storage(uri, patience=0.0)
        storage.delete_study(
            storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], f"doctor-{secrets.token_hex(8)}")
        )
    except UserError as error:
        return Check("trials", "FAIL", str(error))
    except Exception as error:  # SQLAlchemy and its drivers raise what they like
        way_out = "is it up, and may this user make and write tables?"
        return Check("trials", "FAIL", f"{masked(uri)}: {reason(error)}", way_out)
    took = time.perf_counter() - began
    return Check("trials", "ok", f"{masked(uri)} answers and can be written ({took:.1f} s)")


def _tracking(uri: str) -> Check:
    """Whether MLflow's store answers, and where the files of runs go."""
    if found := _file_to_be_made(uri):
        return Check("tracking", "ok", found)
    os.environ |= {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
    from mlflow import MlflowClient

    from hyperbudget.study.tracking.tracker import quiet

    quiet()
    try:
        database.make(uri)
        experiments = MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
    except UserError as error:
        return Check("tracking", "FAIL", f"{masked(uri)}: {error}")
    except Exception as error:  # MLflow lets the exceptions of its stores and of HTTP through
        what = outage.words(error)
        way_out = "is it up, and has MLflow a database of its own there, that this user may make tables in?"
        way_out = "" if outage.ALLOWED_HOSTS in what else way_out
        return Check("tracking", "FAIL", f"{masked(uri)}: {what}", way_out)
    files = experiments[0].artifact_location if experiments else ""
    if uri.startswith("http") and files.startswith(("/", "file:", ".")):
        way_out = "start it with: mlflow server --artifacts-destination, or let this machine share that folder"
        return Check("tracking", "warn", f"{masked(uri)} answers; files would go to its own {files}", way_out)
    for scheme, module in (("s3:", "boto3"), ("gs:", "google.cloud"), ("abfs", "azure"), ("wasb", "azure")):
        if files.startswith(scheme) and not find_spec(module.partition(".")[0]):
            return Check("tracking", "FAIL", f"files go to {files}, and {module} is not installed", f"install {module}")
    return Check("tracking", "ok", f"{masked(uri)} answers")


def _file_to_be_made(uri: str) -> str | None:
    path = Path(uri.removeprefix("sqlite:///").partition("?")[0]) if uri.startswith("sqlite:///") else None
    return f"{path} is made by the first run" if path and not path.exists() else None


def installed(tasks: Sequence[str]) -> tuple[str, ...]:
    """Those of `tasks` whose data are here."""
    from hyperbudget.data.load import missing

    return tuple(task for task in tasks if not missing(task))
