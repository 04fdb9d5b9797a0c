"""Real processes, really killed: the command with Ray, SQLite and MLflow, on digits."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.study.commands import RUNS, Command, assert_same_numbers, workers_of
from tests.study.support import TINY, recorded, results, statuses


def test_driver_killed(undisturbed, tmp_path):
    command = Command(tmp_path)
    process = command.start()
    command.wait_for_results(3, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = results(command.folder)
    assert 3 <= len(before) < RUNS
    code, out, _ = command.run("--workers", "1")  # and the number of workers changes no number
    assert (code, out) == (0, "tiny: 8 runs finished, 0 failed\n")
    command.assert_complete()
    assert_same_numbers(command, undisturbed)
    after = results(command.folder)
    assert {name: after[name] for name in before} == before  # not trained again: their time stamps stayed


def test_worker_killed_and_a_second_driver_refused(undisturbed, tmp_path):
    command = Command(tmp_path)
    process = command.start()
    command.wait_for_results(2, process)
    busy = workers_of(process)
    assert busy
    for worker in busy:
        worker.kill()
    code, _, said = command.run()
    assert code == 2
    assert "another 'hyperbudget run' is at work on this study" in said
    _, err = process.communicate(timeout=200)
    assert process.returncode == 0
    assert err.count("it is tried again") == len(busy)
    command.assert_complete()
    assert_same_numbers(command, undisturbed)


@pytest.mark.slow
def test_interrupted_once_finishes_what_runs_and_resumes(undisturbed, tmp_path):
    command = Command(tmp_path)
    process = command.start()
    command.wait_for_results(2, process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "go on with: hyperbudget run tiny.yaml" in err
    before = results(command.folder)
    assert 2 <= len(before) < RUNS
    assert out == f"tiny: {len(before)} runs finished, 0 failed\n"
    parents, children = recorded(command.tracking, "tiny")
    assert "RUNNING" not in statuses(parents) + statuses(children)
    assert command.run()[0] == 0
    command.assert_complete()
    assert_same_numbers(command, undisturbed)


@pytest.mark.slow
def test_interrupted_twice_aborts_and_resumes(undisturbed, tmp_path):
    command = Command(tmp_path, TINY.replace("steps: 120", "steps: 20000"))
    process = command.start()
    deadline = time.monotonic() + 150
    while not any(command.folder.runs.glob("*/checkpoint.pt")):  # written after 10 seconds of training
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not results(command.folder)
    parents, children = recorded(command.tracking, "tiny")
    assert set(statuses(parents) + statuses(children)) == {"KILLED"}


@pytest.mark.slow
def test_divergence_is_a_failed_run_with_its_reason(tmp_path):
    text = TINY.replace("learning_rate: 1e-2", "optimizer: sgd, learning_rate: {grid: [1e-2, 1e30]}")
    text = text.replace("grid: [4, 8]", "grid: [4]").replace("seeds: [0, 1]", "seeds: [0]")
    command = Command(tmp_path, text)
    code, out, err = command.run()
    assert code == 1
    assert out == "tiny: 2 runs finished, 2 failed\n"
    assert err.count("diverged: training loss is") == 4  # as they happen, and at the end
    assert "failed: free width 4 lr 1e+30 seed 0: diverged: training loss is" in err
    _, children = recorded(command.tracking, "tiny")
    assert statuses(children) == {"FINISHED": 2, "FAILED": 2}
    assert all("diverged" in run.data.tags["reason"] for run in children if run.info.status == "FAILED")
