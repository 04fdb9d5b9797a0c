"""Which code and which libraries gave a result."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

import hyperbudget

PACKAGES = ("torch", "ray", "optuna", "mlflow", "numpy", "pandas")


def versions() -> dict[str, str]:
    """Package name -> version; ``git`` -> commit of hyperbudget's source where it is a git checkout."""
    found = {"hyperbudget": hyperbudget.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        found[package] = metadata.version(package)
    commit = git_commit(Path(hyperbudget.__file__).parent)
    return {**found, "git": commit} if commit else found


def git_commit(folder: Path) -> str | None:
    """The commit that `folder` is at, with ``+changes`` when its files differ from it."""
    try:
        tracked = ["git", "-C", str(folder), "ls-files", "--error-unmatch", "__init__.py"]
        subprocess.run(tracked, capture_output=True, check=True, timeout=10)  # else: some other project's checkout
        describe = ["git", "-C", str(folder), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+changes"]
        return subprocess.run(describe, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
