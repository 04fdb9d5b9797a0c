"""For all tests: how they run side by side, and which ones a machine with torch alone has."""

import importlib.util
import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported: each process has a core, not all of them
    os.environ.setdefault("OMP_NUM_THREADS", "1")

MISSING = [name for name in ("ray", "optuna", "mlflow") if importlib.util.find_spec(name) is None]
collect_ignore = ["bench/test_engine_cost.py", "cli", "study", "summary"] if MISSING else []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what is left out, as with ``pytest -m gpu`` on a machine that has a GPU but not all packages."""
    if MISSING:
        left_out = ", ".join(f"tests/{name}" for name in collect_ignore)
        terminalreporter.write_line(f"left out, as {' and '.join(MISSING)} cannot be imported: {left_out}")
