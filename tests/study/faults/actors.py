"""Workers for the tests of the pool: they do what a job's script says, in real processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from hyperbudget.study.workers.board import Line
from hyperbudget.study.workers.job import Crowded, Evaluation, Job


def job(folder: Path, run: str, *script: str, asks: bool = False) -> Job:
    """`script`: words of `Player`, each done in its turn; a second attempt begins at the word after ``again``."""
    return Job(run, {"script": list(script)}, "", folder, "", 1, asks=asks)


class Player:
    """A number: an evaluation at that step. ``die``, ``freeze``, ``hang``, ``eat``, ``full``, ``crowded``: that."""

    def execute(self, job: Job, line: Line) -> dict[str, Any]:
        """What was left of the script in this attempt, and whose process it was."""
        script = job.fields["script"]
        begun = job.folder / f"{job.run}.begun"
        if begun.exists() and "again" in script:
            script = script[script.index("again") + 1 :]
        begun.touch()
        mark = ["begun", 0]
        with line.beating(lambda: (mark[0], mark[1])):
            for word in script:
                if word.isdigit():
                    mark[1] = int(word)
                    evaluation = Evaluation(int(word), 1.0, 0.5, 0.1)
                    if not line.report(evaluation, job.asks):
                        return {"stopped": int(word), "pid": os.getpid()}
                self.do(word, job, line)
        return {"stopped": None, "pid": os.getpid()}

    def do(self, word: str, job: Job, line: Line) -> None:
        """All that is not an evaluation."""
        match word:
            case "die":
                time.sleep(1.2)  # its news are with the driver
                os.kill(os.getpid(), signal.SIGKILL)
            case "freeze":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "hang":
                time.sleep(600)
            case "pause":
                time.sleep(1.5)
            case "eat":
                self.eaten = [b"x" * 10**8 for _ in range(40) if not time.sleep(0.05)]
            case "full":
                raise OSError(28, "No space left on device")
            case "crowded" if job.shares_gpu:
                raise Crowded("out of memory on the GPU: 3 GiB wanted")
            case "say":
                line.say("so and so")


class Stillborn:
    """Cannot be made."""

    def __init__(self) -> None:
        raise ImportError("no module named hyperbudget")

    def execute(self, job: Job, line: Line) -> dict[str, Any]:
        """Never comes to this."""
        raise AssertionError
