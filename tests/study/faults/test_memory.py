"""Ray's memory monitor, for real: a worker takes 4 GB where 1 is left until the monitor's threshold."""

import psutil
import pytest
import ray

from hyperbudget.study.workers.cluster import connect
from hyperbudget.study.workers.pool import Pool
from tests.study.faults.actors import Player, job
from tests.study.faults.test_pool import faults, play, results


@pytest.mark.slow
def test_a_run_that_takes_too_much_is_ended_and_tried_again(tmp_path, monkeypatch):
    memory = psutil.virtual_memory()
    if memory.available < 8e9:
        pytest.skip("needs 8 GB of free memory")
    monkeypatch.setenv("RAY_memory_usage_threshold", f"{1 - (memory.available - 1e9) / memory.total:.3f}")
    connect("local", 1.0, 0.0, 1)
    try:
        pool = Pool(cpus=1, gpus=0, workers=1, address="local", worker=Player)
        events = play(pool, job(tmp_path, "a", "1", "eat", "again", "2"))
    finally:
        ray.shutdown()
    assert faults(events) == ["out of memory on the CPU (Ray ended the worker before the machine had none left)"]
    assert results(events)["a"]["stopped"] is None
