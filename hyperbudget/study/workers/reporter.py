"""A training's evaluations, told as they come, and the training's end by what is answered or by its time limit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hyperbudget.budget.quantity import show_duration
from hyperbudget.study.workers.job import Contact, Evaluation, Job
from hyperbudget.study.workers.usage import Usage

if TYPE_CHECKING:
    from hyperbudget.train.loop import Curve


class Reporter:
    """Tells of each evaluation once, those before a checkpoint included, and says whether the training goes on.

    It does after the last one, where there is nothing left to stop; else while it may, by `job`'s time limit and by the
    answer to what it asks.
    """

    def __init__(self, job: Job, contact: Contact) -> None:
        self.job, self.contact = job, contact
        self.told = 0
        self.late = False
        self.usage = Usage()

    def __call__(self, curve: Curve) -> bool:
        columns = (curve.step, curve.train_loss, curve.validation_error, curve.seconds)
        *earlier, newest = (Evaluation(*row) for row in list(zip(*columns, strict=True))[self.told :])
        self.told = len(curve.step)
        if self.job.system_metrics:
            newest = dataclasses.replace(newest, usage=self.usage())
        last = newest.step == self.job.fields["training"]["steps"]
        limit = self.job.time_limit
        self.late = not last and limit is not None and newest.seconds >= limit
        for evaluation in earlier:
            self.contact.report(evaluation, False)
        go_on = self.contact.report(newest, self.job.asks and not last and not self.late)
        return last or (go_on and not self.late)

    def stopped(self, curve: Curve, metric: str) -> dict[str, Any]:
        """The result of a training that does not go on: failed at its time limit, or pruned."""
        step, seconds = curve.step[-1], curve.seconds[-1]
        why: dict[str, Any] = {"status": "pruned", "reason": f"pruned at step {step}"}
        if self.late:
            assert self.job.time_limit is not None
            limit = show_duration(self.job.time_limit)
            steps = self.job.fields["training"]["steps"]
            text = f"time limit: {limit} are over at step {step} of {steps}; raise resources.time_limit to go on"
            why = {"status": "failed", "reason": text, "time_limit": self.job.time_limit}
        best = min(curve.validation_error)
        return {
            **why, "stopped_at": step, "metric": metric, "seconds": seconds,
            "curve": dataclasses.asdict(curve), "validation_error_so_far": best,
        }  # fmt: skip


def goes_on(result: Mapping[str, Any], time_limit: float | None) -> bool:
    """Whether a run that was stopped at its time limit, with `result`, may train on under this one."""
    return bool(result.get("time_limit")) and (time_limit is None or time_limit > result["seconds"])
