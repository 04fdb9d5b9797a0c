"""What a process says of itself."""

import mmap
import time

import pytest

from hyperbudget.study.workers.usage import Usage, resident_bytes


def test_a_busy_process_and_its_memory():
    usage = Usage()
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    busy = usage()
    time.sleep(0.1)
    assert usage()["system/process_cpu_percentage"] < busy["system/process_cpu_percentage"]
    before = resident_bytes()
    if before is None:
        pytest.skip("no /proc")
    with mmap.mmap(-1, 64_000_000) as kept:  # from the system: the process may hold memory that arrays would be given
        for page in range(0, len(kept), mmap.PAGESIZE):
            kept[page] = 1
        assert usage()["system/process_memory_megabytes"] > before / 1e6 + 50
