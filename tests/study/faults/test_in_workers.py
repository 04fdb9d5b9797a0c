"""A study whose workers suffer one fault after the other, in the middle of writing: it ends as if nothing had been."""

import os
from pathlib import Path

import pytest

from hyperbudget.study.status import status
from tests.study.commands import RUNS, Command, assert_same_numbers
from tests.study.support import TINY, results

STALLING = TINY + "resources: {stall: 25s}\n"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_hung_and_out_of_room(undisturbed, tmp_path, monkeypatch):
    faults = tmp_path / "faults"
    faults.mkdir()
    runs = sorted(results(undisturbed.folder))
    suffered = [
        (0, "die checkpoint.pt"), (1, "full checkpoint.pt"), (2, "hang checkpoint.pt"), (3, "die result.json"),
        (4, "full result.json"), (5, "die checkpoint.pt"), (5, "die result.json"),
    ]  # fmt: skip
    for run, fault in suffered:
        (faults / f"{runs[run]} {fault}").touch()
    monkeypatch.setenv("FAULTS", str(faults))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).with_name("injected")), prepend=os.pathsep)
    command = Command(tmp_path, STALLING)
    code, out, err = command.run()
    assert (code, out.splitlines()[-1]) == (0, "tiny: 8 runs finished, 0 failed"), err  # Ray says something, too
    assert not list(faults.iterdir())
    assert err.count("the worker died (ActorDiedError); it is tried again") == 4
    assert err.count("no progress for 25 s; it is tried again") == 1
    assert err.count("No space left on device; it is tried again") == 1
    assert err.count("No space left on device; it trains on without") == 1
    command.assert_complete()
    assert_same_numbers(command, undisturbed)
    now = status(command.folder)
    assert (now.finished, now.failed, now.open, now.driver) == (RUNS, 0, 0, False)
    left = {file.name for run in command.folder.all_runs() for file in run.path.iterdir()}
    assert left == {"spec.json", "attempt", "model.safetensors", "result.json"}
