"""The driver killed -9 at random moments, with all its processes, and the command given again each time."""

import os
import random
import signal
import subprocess

import pytest

from hyperbudget.study.status import status
from tests.study.commands import CONFIGURATIONS, RUNS, Command, assert_same_numbers
from tests.study.support import results


def killed_after(command: Command, seconds: float) -> bool:
    """Whether the command had to be killed, or was done before."""
    process = command.start()
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0, err
    return False


def assert_nothing_lost(command: Command, undisturbed: Command, kills: int) -> None:
    """Each run there once, in files, in Optuna and in MLflow; a trial of Optuna's may have died while it was made."""
    code, out, err = command.run()
    assert (code, out) == (0, f"tiny: {RUNS} runs finished, 0 failed\n"), err
    command.assert_complete(deaths=kills)
    assert_same_numbers(command, undisturbed)
    now = status(command.folder)
    assert (now.total, now.finished, now.failed, now.open, now.driver) == (RUNS, RUNS, 0, 0, False)
    complete = [trial for trial in command.trials() if trial.state.name == "COMPLETE"]
    assert len({tuple(sorted(trial.params.items())) for trial in complete}) == CONFIGURATIONS


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_at_twenty_random_moments(undisturbed, tmp_path):
    generator = random.Random(20)
    latest = 1.1 * undisturbed.seconds  # whatever the machine is busy with
    kills = studies = 0
    while kills < 20:
        command = Command(folder := tmp_path / str(studies))
        died, before, studies = 0, {}, studies + 1
        while kills < 20 and killed_after(command, generator.uniform(0.5, latest)):
            kills, died = kills + 1, died + 1
            before = results(command.folder)
        assert_nothing_lost(command, undisturbed, died)
        after = results(command.folder)
        assert {name: after[name] for name in before} == before, folder  # never trained again
    print(f"{kills} kills over {studies} studies")
