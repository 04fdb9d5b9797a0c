"""Between the workers and the driver while runs train: what workers say, and where they wait for an answer.

One actor holds it, so that a driver with a thousand workers waits for one reference, and gets what many of them said
at once. Ray starts the board again when it dies, and repeats the calls that were under way: a worker that waits asks
again, so everything may be said twice, and what was said but not yet taken may be lost. Results go another way.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hyperbudget.study.beat import repeating

if TYPE_CHECKING:
    from hyperbudget.study.workers.job import Evaluation

GATHER = 0.02
"""Seconds from the first news to their delivery: others come along."""
SILENCE = 1.0
"""Seconds after which the driver hears that there is nothing new but heartbeats."""

Mark = tuple[str, int]
"""How far a run is: the phase that it is in, and its step. A worker that makes progress changes it."""


@dataclass(frozen=True)
class Told:
    """Job `name` had an evaluation; `asks`: it waits there."""

    name: str
    evaluation: Evaluation
    asks: bool


@dataclass(frozen=True)
class Said:
    """Something that the user should know of job `name`."""

    name: str
    text: str


@dataclass(frozen=True)
class News:
    """What the driver is handed: everything told and said since it was last handed some, and each job's last mark."""

    items: list[Told | Said]
    marks: dict[str, Mark]


class Board:
    """The actor."""

    def __init__(self) -> None:
        self._items: list[Told | Said] = []
        self._marks: dict[str, Mark] = {}
        self._some = asyncio.Event()
        self._waiting: dict[tuple[str, int], asyncio.Future[bool]] = {}

    async def put(self, item: Told | Said) -> None:
        """Hand `item` to the driver."""
        self._items.append(item)
        self._some.set()

    async def beat(self, name: str, mark: Mark) -> None:
        """Job `name` is alive, at `mark`."""
        self._marks[name] = mark

    async def ask(self, told: Told) -> bool:
        """As `put`, and wait for the driver's `answer`."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[told.name, told.evaluation.step] = future
        await self.put(told)
        return await future

    async def answer(self, name: str, step: int, go_on: bool) -> None:
        """Answer what job `name` asked at `step`, if it still waits."""
        future = self._waiting.pop((name, step), None)
        if future is not None:
            future.set_result(go_on)

    async def hurry(self) -> None:
        """Let `take` return at once."""
        self._some.set()

    async def take(self) -> News:
        """What there is, as soon as something was told or said, and after `SILENCE` in any case."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._some.wait(), SILENCE)
            await asyncio.sleep(GATHER)
        self._some.clear()
        news = News(self._items, self._marks)
        self._items, self._marks = [], {}
        return news


@dataclass(frozen=True)
class Line:
    """A worker's line to the board, for one job; `beat`: the seconds between two heartbeats.

    `name` is what the board calls the job: that of its run would not do, as late news of a former job of the same run
    would be taken for its own.
    """

    board: Any
    name: str
    beat: float

    def report(self, evaluation: Evaluation, asks: bool) -> bool:
        """Tell of an evaluation; with `asks`, wait to hear whether to go on. Without, that is True at once."""
        told = Told(self.name, evaluation, asks)
        if asks:
            import ray

            return bool(ray.get(self.board.ask.remote(told)))
        self.board.put.remote(told)
        return True

    def say(self, text: str) -> None:
        """Let the user know `text`."""
        self.board.put.remote(Said(self.name, text))

    @contextlib.contextmanager
    def beating(self, mark: Callable[[], Mark]) -> Iterator[None]:
        """Send a heartbeat now and every few seconds, with what `mark` returns."""
        with repeating(lambda: self.board.beat.remote(self.name, mark()), self.beat, "heartbeat"):
            yield


def open_board() -> Any:
    """The handle of a new board, on the driver's machine where it can be: it occupies no CPU that a run could have."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "max_concurrency": 100_000}
    return ray.remote(Board).options(**options, scheduling_strategy=here).remote()
