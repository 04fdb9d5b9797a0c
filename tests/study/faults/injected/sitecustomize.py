"""Python imports this module at the start of a process that has its folder on the path: it breaks Ray's workers.

``FAULTS`` names a folder with one empty file a fault, ``RUN ACTION FILE``: the first ``os.fsync`` of that file of
that run takes the fault away and suffers it. A worker's clock runs so fast that each evaluation is followed by
a checkpoint.
"""

import os
import signal
import sys
import time
from pathlib import Path


def suffer(action):
    if action == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "hang":
        time.sleep(600)
    if action == "full":
        raise OSError(28, "No space left on device")


def fsync(file):
    name = os.readlink(f"/proc/self/fd/{file}")
    for fault in folder.iterdir():
        run, action, word = fault.name.split()
        if f"/{run}/{word}" in name:
            fault.unlink()
            suffer(action)
            break
    return sync(file)


if "FAULTS" in os.environ and any("default_worker" in word for word in sys.orig_argv):
    folder, sync, clock = Path(os.environ["FAULTS"]), os.fsync, time.perf_counter
    os.fsync = fsync
    time.perf_counter = lambda: 1e4 * clock()
