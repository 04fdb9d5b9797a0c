"""Ray, started here or joined."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from hyperbudget.errors import UserError
from hyperbudget.study.folder import masked


def connect(address: str, cpus: float, gpus: float, workers: int | None) -> None:
    """Start Ray here (`local`) or join the cluster at `address`. Raises UserError when none answers."""
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Workers find this package where the driver found it, also when the project was never installed.
    package_root = str(Path(__file__).resolve().parents[2])
    environment = {"env_vars": {"PYTHONPATH": os.pathsep.join([package_root, os.environ.get("PYTHONPATH", "")])}}
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "runtime_env": environment}
    try:
        if address == "local":
            # More workers than cores is the user's choice: then Ray is told of as many cores as they need.
            cores = max(os.cpu_count() or 1, math.ceil(cpus * (workers or 1)))
            ray.init(address="local", num_cpus=cores, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        message = masked(" ".join(str(error).split()))
        raise UserError(
            f"--address {masked(address)}: no Ray cluster answers there: {message}; is it up, reachable from here, and "
            "is RAY_AUTH_MODE the same there and here?"
        ) from None
