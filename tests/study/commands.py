"""The command as a process, for what is killed for real; see `Command`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import optuna
import psutil

from hyperbudget.study.folder import StudyFolder
from hyperbudget.study.status import status
from tests.study.support import TINY, numbers, recorded, results, statuses

RUNS, CONFIGURATIONS = 8, 4


class Command:
    """``hyperbudget run tiny.yaml`` in a folder of its own."""

    def __init__(self, folder: Path, text: str = TINY) -> None:
        self.cwd = folder
        folder.mkdir(exist_ok=True)
        (folder / "tiny.yaml").write_text(text, encoding="utf-8")
        self.folder = StudyFolder(folder / "results" / "tiny")
        self.tracking = self.folder.default_tracking()

    def start(self, *arguments: str, log: IO[str] | None = None) -> subprocess.Popen[str]:
        """In a process group of its own, as a terminal would. `log`: where it writes; pipes unless given."""
        environment = {name: value for name, value in os.environ.items() if name != "HYPERBUDGET_RESULTS"}
        return subprocess.Popen(
            [sys.executable, "-m", "hyperbudget", "run", "tiny.yaml", *arguments],
            cwd=self.cwd, env=environment, stdout=log or subprocess.PIPE, stderr=log or subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process, began = self.start(*arguments), time.monotonic()
        try:
            out, err = process.communicate(timeout=280)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        self.seconds = time.monotonic() - began
        return process.returncode, out, err

    def wait_for_results(self, count: int, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 150
        while len(results(self.folder)) < count:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "no results"
            time.sleep(0.01)

    def assert_complete(self, deaths: int = 1) -> None:
        """Files, status, Optuna and MLflow agree: each run there once, nothing open, after so many driver's deaths."""
        assert len(results(self.folder)) == RUNS
        states = [trial.state.name for trial in self.trials()]
        assert sorted(set(states) - {"FAIL"}) == ["COMPLETE"]
        assert states.count("COMPLETE") == CONFIGURATIONS
        assert states.count("FAIL") <= deaths  # trials that Optuna was being asked for when the driver died
        parents, children = recorded(self.tracking, "tiny")
        assert statuses(parents) == {"FINISHED": CONFIGURATIONS}
        assert statuses(children) == {"FINISHED": RUNS}
        assert len({child.data.tags["hyperbudget.run"] for child in children}) == RUNS
        now = status(self.folder)
        assert (now.total, now.finished, now.beyond, now.driver) == (RUNS, RUNS, 0, False)
        assert (now.failed, now.pruned, now.open, now.failures) == (0, 0, 0, [])

    def trials(self) -> list[optuna.trial.FrozenTrial]:
        return optuna.load_study(study_name="tiny", storage=self.folder.default_storage()).trials


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Ray's worker processes under a driver."""
    return [
        child for child in psutil.Process(process.pid).children(recursive=True)
        if child.name().startswith("ray::Worker")
    ]  # fmt: skip


def assert_same_numbers(command: Command, undisturbed: Command) -> None:
    expected = {name: numbers(result) for name, result in results(undisturbed.folder).items()}
    assert {name: numbers(result) for name, result in results(command.folder).items()} == expected
