"""For all tests: how they run side by side."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported: each process has a core, not all of them
    os.environ.setdefault("OMP_NUM_THREADS", "1")
