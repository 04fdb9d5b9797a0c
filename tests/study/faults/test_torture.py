"""Two hundred short runs while every few seconds a random process of theirs is killed -9.

To see its numbers: ``pytest -m slow -s tests/study/faults/test_torture.py``.
"""

import collections
import random
import time

import psutil
import pytest

from hyperbudget.study.status import status
from tests.study.commands import Command
from tests.study.support import recorded, results, statuses

RATES, SEEDS = 50, 4
RUNS = RATES * SEEDS
GRID = [n / 1000 for n in range(1, RATES + 1)]
TEXT = f"""
question: Does it survive all that?
task: digits
model: {{network: mlp, image_size: 8, family: free, hidden: 16}}
training: {{steps: 2000, batch_size: 64, evaluate_every: 500, learning_rate: {{grid: {GRID}}}}}
search: {{seeds: {SEEDS}}}
"""
EVERY = (2.0, 6.0)
"""Seconds between two kills. A driver is spared until it has a new result, or nothing would ever end; that it can be
killed while it starts is shown elsewhere."""
OURS = ("ray::Worker", "ray::Board")
SHARES = {"worker": 0.6, "board": 0.2, "driver": 0.2}


def victims(process) -> dict[str, list[psutil.Process]]:
    """The processes of a driver by what they are; workers that are still starting have no name yet."""
    found = collections.defaultdict(list, driver=[psutil.Process(process.pid)])
    for child in psutil.Process(process.pid).children(recursive=True):
        name = child.name()
        if name.startswith("ray::Worker"):
            found["worker"].append(child)
        elif name.startswith("ray::Board"):
            found["board"].append(child)
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_runs_and_a_kill_every_few_seconds(tmp_path):
    generator = random.Random(200)
    command = Command(tmp_path, TEXT)
    kills, lives, before, began = collections.Counter(), 1, 0, time.monotonic()
    log = (tmp_path / "log").open("w+")
    process = command.start(log=log)
    while True:
        deadline = time.monotonic() + generator.uniform(*EVERY)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if process.poll() == 1:  # runs whose workers died too often are tried again by the next call
            lives, before = lives + 1, len(results(command.folder))
            process = command.start(log=log)
        if process.poll() is not None:
            assert process.returncode == 0, (tmp_path / "log").read_text()[-3000:]
            break
        try:
            there = victims(process)
            (kind,) = generator.choices(list(SHARES), list(SHARES.values()))
            if not there[kind] or (kind == "driver" and len(results(command.folder)) == before):
                continue
            generator.choice(there[kind]).kill()
        except psutil.NoSuchProcess:
            continue
        kills[kind] += 1
        if kind == "driver":
            process.wait()
            lives, before = lives + 1, len(results(command.folder))
            process = command.start(log=log)
    seconds = time.monotonic() - began
    log.seek(0)
    retries = log.read().count("it is tried again")
    print(f"\n{RUNS} runs, {seconds:.0f} s, killed: {dict(kills)}; {lives} lives of the driver, {retries} retries")
    assert sum(kills.values()) > 5
    assert command.run()[:2] == (0, f"tiny: {RUNS} runs finished, 0 failed\n")  # nothing is left to do

    found = results(command.folder)
    assert len(found) == RUNS
    assert {result["status"] for result in found.values()} == {"finished"}
    states = collections.Counter(trial.state.name for trial in command.trials())
    assert states["COMPLETE"] == RATES
    assert states.keys() <= {"COMPLETE", "FAIL"}
    assert states["FAIL"] < lives
    parents, children = recorded(command.tracking, "tiny")
    assert statuses(parents) == {"FINISHED": RATES}
    assert statuses(children) == {"FINISHED": RUNS}
    assert {child.data.tags["hyperbudget.run"] for child in children} == found.keys()
    now = status(command.folder)
    assert (now.total, now.finished, now.failed, now.open, now.driver) == (RUNS, RUNS, 0, 0, False)
    left = {file.name for run in command.folder.all_runs() for file in run.path.iterdir()}
    assert left == {"spec.json", "attempt", "model.safetensors", "result.json"}
    time.sleep(6)  # what a killed driver leaves ends by itself; Ray's own agents take a little longer
    orphans = [p for p in psutil.process_iter() if p.name().startswith(OURS) and _cwd(p) == str(command.cwd)]
    assert not orphans


def _cwd(process: psutil.Process) -> str | None:
    try:
        return process.cwd()
    except psutil.Error:
        return None
