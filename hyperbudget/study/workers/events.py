"""What becomes of the jobs that a pool was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hyperbudget.study.workers.job import Evaluation, Job


@dataclass(frozen=True)
class Done:
    """A job that came to an end: its result, or why the machine could not give one in `ATTEMPTS` tries."""

    job: Job
    result: dict[str, Any] | None
    fault: str | None = None


@dataclass(frozen=True)
class Retried:
    """A job whose worker died, and which is tried again."""

    job: Job
    fault: str


@dataclass(frozen=True)
class Evaluated:
    """A job whose training had an evaluation. `asks`: its worker waits there for `Pool.answer`.

    Each evaluation comes once, in the order of steps, whatever happens to workers in between. One may be missing where
    a machine died, and none comes after `Done`.
    """

    job: Job
    evaluation: Evaluation
    asks: bool


Event = Done | Retried | Evaluated
