"""Memory that stays with a process that trains."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from hyperbudget.train import memory

if sys.argv[1] == "keep":
    memory.keep()
for _ in range(3):  # what is over 32 MB is not kept
    pieces = [np.ones(1 << 20) for _ in range(12)]
    before, pieces = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, None
    pieces = [np.ones(1 << 20) for _ in range(12)]
    after, pieces = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, None
print(after - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc")
def test_it_does_not_come_anew_page_by_page():
    faults = {}
    for how in ("keep", "usual"):
        done = subprocess.run([sys.executable, "-c", CODE, how], check=True, capture_output=True, text=True)
        faults[how] = int(done.stdout)
    assert faults["keep"] < 100 < 1000 < faults["usual"]
