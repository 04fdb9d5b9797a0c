"""What the driver knows of one run from its submission to its end: attempts, evaluations, answers, progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperbudget.study.workers.board import Mark

if TYPE_CHECKING:
    from hyperbudget.study.workers.job import Evaluation


@dataclass
class Account:
    """One run, over all its attempts. `name` is what the board calls it; `ended` says why the driver ended the present
    attempt, where it did."""

    name: str = ""
    faults: int = 0
    ended: str | None = None
    evaluated: int = -1
    """The step of its newest evaluation that was passed on."""
    asked: int | None = None
    """The step of a question that has no answer yet."""
    answered: tuple[int, bool] = (-1, True)
    """The step of the newest answer, and the answer."""
    waits: bool = False
    """Its worker waits for that answer now: not the case in a new attempt, until it gets there again."""
    mark: Mark | None = None
    since: float | None = None
    """When `mark` was new, on the monotonic clock; None while no worker has begun."""

    def begin(self, now: float | None) -> None:
        """A new attempt, on a worker that is there `now`; None: one that may have to wait for its resources."""
        self.ended, self.waits, self.mark, self.since = None, False, None, now

    def beat(self, mark: Mark, now: float) -> None:
        """A heartbeat."""
        if mark != self.mark or self.since is None:
            self.mark, self.since = mark, now

    def excuse(self, seconds: float) -> None:
        """Nothing could be heard of it for so long: that is not its standing still."""
        if self.since is not None:
            self.since += seconds

    def told(self, evaluation: Evaluation, asks: bool, now: float) -> tuple[bool, bool | None]:
        """Whether the evaluation is news, and the answer that is known already.

        An attempt repeats what an earlier one did since its checkpoint, and gets the answers that that one got.
        """
        self.since = now
        new, self.evaluated = evaluation.step > self.evaluated, max(evaluation.step, self.evaluated)
        if not asks:
            return new, None
        step, go_on = self.answered
        if evaluation.step <= step:
            return False, go_on if evaluation.step == step else True
        repeated, self.asked, self.waits = self.asked == evaluation.step, evaluation.step, True
        return not repeated, None

    def answer(self, *, go_on: bool, now: float) -> int | None:
        """Note the answer; the step that it answers, None where nobody asked."""
        step, self.asked, self.waits = self.asked, None, False
        if step is not None:
            self.answered, self.since = (step, go_on), now
        return step

    def still(self, now: float) -> float:
        """Seconds without progress; 0 for a run that waits for its worker or for an answer."""
        return 0.0 if self.since is None or self.waits else now - self.since
