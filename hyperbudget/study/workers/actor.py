"""A worker's process, as Ray holds it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from hyperbudget.study.folder import RunFolder
from hyperbudget.study.workers.away import Executor
from hyperbudget.study.workers.board import Line
from hyperbudget.study.workers.job import Contact, Job


class Worker:
    """The actor: a process that executes one job after the other."""

    def __init__(self) -> None:
        import hyperbudget.train.loop  # noqa: F401  # torch, before the first job comes

        self._execute = Executor()

    def execute(self, job: Job, line: Line) -> dict[str, Any]:
        """See `hyperbudget.study.workers.execute.execute`."""
        contact = Contact(line.report, line.say)
        with line.beating(contact.mark):
            return self._execute(job, contact)

    def execute_pack(self, jobs: Sequence[Job], lines: Sequence[Line]) -> list[dict[str, Any]]:
        """See `hyperbudget.study.workers.packs`; where this node does not see the results, one after the other."""
        from hyperbudget.study.workers import packs

        if not all(RunFolder(job.folder).attempt.exists() for job in jobs):
            return [self.execute(job, line) for job, line in zip(jobs, lines, strict=True)]
        contacts = [Contact(line.report, line.say) for line in lines]
        with contextlib.ExitStack() as beating:
            for line, contact in zip(lines, contacts, strict=True):
                beating.enter_context(line.beating(contact.mark))
            return packs.execute(jobs, contacts)
