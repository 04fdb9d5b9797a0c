"""Ray, started here or joined, and what is asked of every node of it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hyperbudget
from hyperbudget.errors import UserError
from hyperbudget.study.folder import masked
from hyperbudget.study.listens import silent

OWN = "HYPERBUDGET_RESULTS"
"""The one of our environment variables that workers are not given: a job says where its run lies."""
ADDRESS = re.compile(r"(?:ray://)?(?:[^@/\s]*@)?(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?")
DEFAULTS = "HYPERBUDGET_OF_DRIVER"
"""Carries the driver's other ones to the workers, as JSON."""


def connect(address: str, cpus: float, gpus: float, workers: int | None) -> None:
    """Start Ray here (`local`) or join the cluster at `address`. Raises UserError when none answers.

    Workers get this process's ``HYPERBUDGET_...`` settings, except what is set on their node itself.
    """
    meant = noted() if address == "auto" else address
    if meant != "local":
        reach(meant)
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # In a submitted job: what is set here goes before the job's own runtime environment, which else must not set it.
    os.environ.setdefault("RAY_OVERRIDE_JOB_RUNTIME_ENV", "1")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "runtime_env": _environment()}
    try:
        if meant == "local":
            # More workers than cores is the user's choice: then Ray is told of as many cores as they need.
            cores = max(os.cpu_count() or 1, math.ceil(cpus * (workers or 1)))
            with _on_loopback():
                ray.init(address="local", num_cpus=cores, include_dashboard=False, **quiet)
        else:
            ray.init(address=meant, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        said = str(error).strip()
        said = said.splitlines()[-1] if "Traceback" in said else said  # of Ray's own server
        message = masked(" ".join(said.split()))
        raise UserError(
            f"--address {masked(address)}: no Ray cluster answers there: {message}; is it up, reachable from here, and "
            "is RAY_AUTH_MODE the same there and here?"
        ) from None


def noted() -> str:
    """The cluster that this machine is part of: ``RAY_ADDRESS``, else where ``ray start`` was last called here.

    Ray's own ``auto`` also takes any Ray that it finds running, such as one that another study has started for itself.
    Raises UserError where there is none.
    """
    from ray._private.utils import read_ray_address

    found = os.environ.get("RAY_ADDRESS") or read_ray_address()
    if not found or found == "auto":
        raise UserError(
            "--address auto: no Ray cluster answers there: 'ray start' was not called on this machine, and RAY_ADDRESS "
            "names none; start one, or give its --address"
        )
    return found


@contextlib.contextmanager
def _on_loopback() -> Iterator[None]:
    """Let a Ray that is started here listen on 127.0.0.1 alone, as it does on macOS and Windows; else it listens on all
    of the machine's addresses.
    """
    from ray._private import ray_constants

    name = "ENABLE_RAY_CLUSTER"
    before = getattr(ray_constants, name, True)
    setattr(ray_constants, name, False)
    try:
        yield
    finally:
        setattr(ray_constants, name, before)


def reach(address: str, *, timeout: float = 5.0) -> None:
    """Raise UserError unless something listens at `address`: Ray itself would try for minutes."""
    match = ADDRESS.fullmatch(address)
    if not match or not (match["port"] or address.startswith("ray://")):
        raise UserError(
            f"--address {masked(address)}: is none of local, auto, HOST:PORT (a head's, 6379 unless it was told "
            "another one) and ray://HOST:PORT (its Ray Client's, 10001)"
        )
    host, port = match["host"].strip("[]"), int(match["port"] or 10001)
    if nothing := silent(host, port, timeout):
        raise UserError(
            f"--address {masked(address)}: {nothing}; is a Ray head up there (ray start --head), and reachable from "
            "here?"
        )


def _environment() -> dict[str, Any]:
    settings = {name: value for name, value in os.environ.items() if name.startswith("HYPERBUDGET_") and name != OWN}
    variables = {DEFAULTS: json.dumps(settings)}
    package_root = Path(hyperbudget.__file__).resolve().parents[1]
    if package_root.name not in ("site-packages", "dist-packages"):
        # Workers find this package where the driver found it, also when the project was never installed.
        variables["PYTHONPATH"] = os.pathsep.join([str(package_root), os.environ.get("PYTHONPATH", "")])
    return {"env_vars": variables, "worker_process_setup_hook": "hyperbudget.study.workers.cluster.settle"}


def settle() -> None:
    """Called in every worker process as it starts: the driver's settings, where the node has none of its own."""
    for name, value in json.loads(os.environ.get(DEFAULTS, "{}")).items():
        os.environ.setdefault(name, value)


@dataclass(frozen=True)
class Node:
    """A machine of the cluster, or one of several raylets on a machine. `here`: the driver's own machine."""

    id: str
    name: str
    here: bool
    resources: dict[str, float]

    def __hash__(self) -> int:
        return hash(self.id)


def nodes() -> list[Node]:
    """Those that are alive, the driver's machine first."""
    import ray

    alive = [node for node in ray.nodes() if node["Alive"]]
    hosts = [node["NodeManagerHostname"] for node in alive]
    found = [
        Node(
            id=node["NodeID"],
            name=host if hosts.count(host) == 1 else f"{host} {node['NodeID'][:6]}",
            here=host == socket.gethostname(),
            resources=node["Resources"],
        )
        for node, host in zip(alive, hosts, strict=True)
    ]
    return sorted(found, key=lambda node: (not node.here, node.name))


def on_every_node(function: Callable[..., Any], *arguments: Any, timeout: float = 60.0) -> dict[Node, Any]:
    """What `function` returns in a worker process of each node, or the exception that kept it from doing so.

    It occupies none of the resources that runs ask for. A node without an answer in `timeout` seconds: TimeoutError.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = {}
    for node in nodes():
        there = NodeAffinitySchedulingStrategy(node.id, soft=False)
        task = ray.remote(function).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
        asked[node] = task.remote(*arguments)
    ray.wait(list(asked.values()), num_returns=len(asked), timeout=timeout)
    answers: dict[Node, Any] = {}
    for node, reference in asked.items():
        try:
            answers[node] = ray.get(reference, timeout=0)
        except ray.exceptions.GetTimeoutError:
            ray.cancel(reference, force=True)
            answers[node] = TimeoutError(f"no answer for {timeout:.0f} s")
        except ray.exceptions.RayTaskError as error:
            answers[node] = error.cause
        except ray.exceptions.RayError as error:
            answers[node] = error
    return answers


def without(folder: Path, *, timeout: float = 60.0) -> list[Node]:
    """The nodes that do not see what this process writes to `folder`."""
    token = folder / f".seen-from-here-{secrets.token_hex(4)}"
    token.write_text(token.name, encoding="utf-8")
    try:
        answers = on_every_node(_reads, token, timeout=timeout)
    finally:
        token.unlink(missing_ok=True)
    return [node for node, seen in answers.items() if seen is False]


def _reads(path: Path) -> bool:
    try:
        return path.read_text(encoding="utf-8") == path.name
    except OSError:
        return False
