"""A pool of Ray actors: hands out jobs, hears how they get on, ends those that hang, and replaces workers that die.

It tells the machine's faults from the training's. Actors are kept between jobs: a Ray task with a GPU would start a new
process, and import torch again, every time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hyperbudget.budget.quantity import show_duration
from hyperbudget.errors import UserError
from hyperbudget.study.workers.account import Account
from hyperbudget.study.workers.actor import Worker
from hyperbudget.study.workers.away import receive
from hyperbudget.study.workers.board import Line, News, Said, open_board
from hyperbudget.study.workers.cluster import connect
from hyperbudget.study.workers.events import Done, Evaluated, Event, Retried
from hyperbudget.study.workers.job import Crowded, Job

ATTEMPTS = 3
"""How often a run is tried when its worker dies."""
STALL = 1800.0
BEAT = 5.0
"""Seconds between two heartbeats of a worker, unless a run may stand still for a few times that only."""
ABSENCE = 10.0
"""Seconds without any word from the board that do not count as a run's own: the board, or this driver, was away."""


@dataclass
class Actor:
    """A worker process. `there`: it has worked already, so it waits for no resources any more."""

    handle: Any
    whole_gpu: bool = False
    there: bool = False


class Pool:
    """At most `workers` jobs at once (default: as many as the resources allow), each on an actor of its own.

    `cpus` and `gpus` are what each needs; the latter may be a function that finds it once Ray is there. `pack` says for
    the GPUs of a worker how many jobs that wait with the same `Job.pack` go to one actor together. `worker` is the
    actors' class: without arguments, with methods `execute`, from a job and a `Line` to its result, and `execute_pack`,
    from several of them. A run that makes no progress for `stall` seconds is ended and tried again. A run that needs
    more memory than its part of a GPU is tried again with a whole one, when no others run; one whose pack cannot be
    trained, alone. `say` is given what the user should know.
    Raises UserError when no cluster answers at `address`, or when it does not have the resources of one worker.
    """

    def __init__(
        self,
        *,
        cpus: float,
        gpus: float | Callable[[], float],
        workers: int | None,
        address: str,
        worker: type | None = None,
        stall: float = STALL,
        pack: Callable[[float], int] = lambda gpus: 1,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        import ray

        self._ray = ray
        self._worker = worker or Worker
        self._stall, self._say = stall, say
        self._idle: list[Actor] = []
        self._running: dict[Any, tuple[Actor, Job]] = {}
        self._waiting: deque[Job] = deque()
        self._crowded: deque[Job] = deque()
        self._accounts: dict[str, Account] = {}
        self._board: Any = None
        self._stillborn = self._submitted = 0
        self._owns_ray = not ray.is_initialized()
        if self._owns_ray:
            connect(address, cpus, 0.0 if callable(gpus) else gpus, workers)
        try:
            self._cpus, self._gpus = cpus, gpus() if callable(gpus) else gpus
            self._pack = pack(self._gpus)
            self._asked_for = workers
            self.workers = self._fitting()
            if not self.workers:
                raise self._too_little()
        except BaseException:
            self.close()
            raise
        self._board = open_board()
        self._beat = min(BEAT, stall / 4)
        self._news = self._board.take.remote()
        self._heard = self._looked = time.monotonic()
        # All of them at once, and now: importing torch takes seconds, in which the driver opens its databases.
        self._idle = [self._new_actor() for _ in range(self.workers)]

    def _fitting(self) -> int:
        """Workers that fit, node by node: one cannot be spread over two. A cluster's nodes come and go."""
        total = 0
        for node in self._ray.nodes():
            if node["Alive"]:
                have = node["Resources"]
                needs = (("CPU", self._cpus), ("GPU", self._gpus))
                total += int(min(have.get(kind, 0) / need for kind, need in needs if need) + 1e-9)
        return min(total, self._asked_for or total)

    def _too_little(self) -> UserError:
        have = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        nodes = "; ".join(dict.fromkeys(f"{h.get('CPU', 0):g} CPUs and {h.get('GPU', 0):g} GPUs" for h in have))
        where = "the machine has" if len(have) == 1 else "none of the cluster's nodes has: they have"
        return UserError(
            f"resources: a worker asks for {self._cpus:g} CPUs and {self._gpus:g} GPUs, and {where} {nodes}; set "
            "resources.cpus and resources.gpus"
        )

    @property
    def places(self) -> int:
        """So many jobs keep all workers busy."""
        return self.workers * self._pack

    @property
    def pending(self) -> int:
        """Jobs that were submitted and are not done."""
        return len(self._running) + len(self._waiting) + len(self._crowded)

    def submit(self, job: Job) -> None:
        """Start `job` when a worker is free."""
        self._submitted += 1
        self._accounts[job.run] = Account(f"{job.run} {self._submitted}")
        self._waiting.append(dataclasses.replace(job, shares_gpu=0 < self._gpus < 1))
        if self._pack == 1:  # else others of its pack may come yet
            self._dispatch()

    def drop_waiting(self) -> None:
        """Forget the jobs that no worker has begun."""
        self._waiting.clear()
        self._crowded.clear()

    def answer(self, run: str, *, go_on: bool) -> None:
        """Answer the last `Evaluated` of `run` that asked. Nothing happens if it has no question open."""
        account = self._accounts.get(run)
        if account is None:
            return
        step = account.answer(go_on=go_on, now=time.monotonic())
        if step is not None:
            self._board.answer.remote(account.name, step, go_on)

    def wait(self, timeout: float) -> Iterator[Event]:
        """What happened within `timeout` seconds: returns at once when something has."""
        self._dispatch()
        if not self._running:
            return
        ready, _ = self._ray.wait([*self._running, self._news], num_returns=1, timeout=timeout)
        ready, _ = self._ray.wait([*self._running, self._news], num_returns=len(self._running) + 1, timeout=0)
        if self._news in ready:
            yield from self._hear()
        for reference in ready:
            if reference in self._running:
                yield self._collect(reference, *self._running.pop(reference))
        if self._heard - self._looked >= self._beat:
            self._looked = self._heard
            self._end_stalled()
            self.workers = self._fitting() or 1
            self._make_room()

    # -- starting and ending --------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        busy = len({id(actor) for actor, _ in self._running.values()})
        for _ in range(self.workers - busy):
            if self._waiting:
                self._start(self._idle.pop() if self._idle else self._new_actor(), *self._next())
        if self._crowded and not self._running:
            # Last, as all the others must make room: which of them is on which GPU only Ray knows.
            for actor in self._idle:
                self._ray.kill(actor.handle)
            self._idle = []
            while self._crowded:
                self._start(self._new_actor(whole_gpu=True), self._crowded.popleft())

    def _next(self) -> list[Job]:
        """Take what waits longest, and what may share a pack with it."""
        first = self._waiting.popleft()
        others = [job for job in self._waiting if job.pack == first.pack] if first.pack is not None else []
        jobs = [first, *others[: self._pack - 1]]
        for job in jobs[1:]:
            self._waiting.remove(job)
        return jobs

    def _make_room(self) -> None:
        """Give up workers that wait for a place that a lost node had, or the runs on them would wait for ever."""
        busy = {id(actor): actor for actor, _ in self._running.values()}
        surplus = len(self._idle) + len(busy) - self.workers
        begun = {id(actor) for actor, job in self._running.values() if self._accounts[job.run].mark is not None}
        placeless = [actor for actor in self._idle if not actor.there]
        placeless += [a for key, a in busy.items() if not (a.there or a.whole_gpu or key in begun)]
        for actor in placeless[: max(surplus, 0)]:
            for reference, (other, job) in list(self._running.items()):
                if other is actor:
                    del self._running[reference]
                    self._waiting.appendleft(job)
            if actor in self._idle:
                self._idle.remove(actor)
            self._ray.kill(actor.handle)

    def _start(self, actor: Actor, *jobs: Job) -> None:
        lines = []
        for job in jobs:
            account = self._accounts[job.run]
            account.begin(time.monotonic() if actor.there else None)
            lines.append(Line(self._board, account.name, self._beat))
        if len(jobs) == 1:
            references = [actor.handle.execute.remote(jobs[0], lines[0])]
        else:  # a reference for each job: together they succeed or fail, one by one they are collected
            references = actor.handle.execute_pack.options(num_returns=len(jobs)).remote(jobs, lines)
        self._running.update((reference, (actor, job)) for reference, job in zip(references, jobs, strict=True))

    def _collect(self, reference: Any, actor: Actor, job: Job) -> Done | Retried:
        from ray.exceptions import ActorDiedError, OutOfMemoryError, RayError, RayTaskError

        account = self._accounts[job.run]
        try:
            result = self._ray.get(reference)
        except RayTaskError as error:  # the worker lives, but what it did around the training failed (a full disk)
            self._release(actor)
            self._idle.reverse()  # so that the run gets another one where there is one, which may be on another machine
            fault = f"{type(error.cause).__name__}: {error.cause}"
            if isinstance(error.cause, Crowded) and job.pack is not None:
                self._waiting.appendleft(dataclasses.replace(job, pack=None))
                return Retried(job, f"its pack could not be trained, so it is trained alone: {error.cause}")
            if isinstance(error.cause, Crowded):
                self._crowded.append(dataclasses.replace(job, shares_gpu=False))
                return Retried(
                    job, f"too little memory on a shared GPU, so it gets a whole one at the end: {error.cause}"
                )
        except RayError as error:
            self._ray.kill(actor.handle)
            fault = account.ended or f"the worker died ({type(error).__name__})"
            if isinstance(error, OutOfMemoryError):
                fault = "out of memory on the CPU (Ray ended the worker before the machine had none left)"
            if isinstance(error, ActorDiedError) and error.actor_init_failed:
                self._never_began(error)
                return self._again(job, actor, fault)
            if actor.there and account.mark is None:  # it died before it could take the job, and so did its neighbours
                return self._again(job, actor, fault)
        else:
            self._release(actor)
            del self._accounts[job.run]
            return Done(job, receive(job, result))
        account.faults += 1
        if account.faults == ATTEMPTS - 1:  # whatever it is, no neighbour may be to blame
            job = dataclasses.replace(job, pack=None)
        if account.faults < ATTEMPTS:
            return self._again(job, actor, fault)
        del self._accounts[job.run]
        return Done(job, None, f"{fault}, {ATTEMPTS} times")

    def _again(self, job: Job, actor: Actor, fault: str) -> Retried:
        (self._crowded if actor.whole_gpu else self._waiting).appendleft(job)
        return Retried(job, fault)

    def _never_began(self, error: Exception) -> None:
        """Raises UserError when no worker begins any more."""
        self._stillborn += 1
        if self._stillborn > self.workers + ATTEMPTS:
            what = str(error).strip().splitlines()[-1]
            raise UserError(f"workers die before they begin: {what}; is the same hyperbudget installed on every node?")

    def _release(self, actor: Actor) -> None:
        actor.there, self._stillborn = True, 0
        if any(other is actor for other, _ in self._running.values()):
            return  # the others of the pack are still to be collected
        if actor.whole_gpu:
            self._ray.kill(actor.handle)
        else:
            self._idle.append(actor)

    def _new_actor(self, *, whole_gpu: bool = False) -> Actor:
        options = {"num_cpus": self._cpus, "num_gpus": 1 if whole_gpu else self._gpus}
        return Actor(self._ray.remote(self._worker).options(**options).remote(), whole_gpu)

    def close(self) -> None:
        """End all workers at once, whatever they do."""
        if self._board:  # a call that is under way would be tried again, and Ray would complain that it cannot be
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._board.hurry.remote()
                self._ray.wait([self._news], timeout=1.0)
        if self._owns_ray:
            self._ray.shutdown()
            return
        actors = [*self._idle, *(actor for actor, _ in self._running.values())]
        for handle in [*(actor.handle for actor in actors), *([self._board] if self._board else [])]:
            self._ray.kill(handle)

    # -- while they train -----------------------------------------------------------------------------------------

    def _hear(self) -> Iterator[Evaluated]:
        news: News = self._ray.get(self._news)
        self._news = self._board.take.remote()
        now = time.monotonic()
        away = now - self._heard
        self._heard = now
        if away > ABSENCE:
            for account in self._accounts.values():
                account.excuse(away)
        jobs = {self._accounts[job.run].name: job for _, job in self._running.values()}
        for name in news.marks.keys() & jobs.keys():
            self._accounts[jobs[name].run].beat(news.marks[name], now)
        for item in news.items:
            job = jobs.get(item.name)
            if job is None or job.run not in self._accounts:
                continue  # the end of its run came first
            account = self._accounts[job.run]
            if isinstance(item, Said):
                self._say(f"run {job.run}: {item.text}")
                continue
            new, answer = account.told(item.evaluation, item.asks, now)
            if answer is not None:
                self._board.answer.remote(item.name, item.evaluation.step, answer)
            if new:
                yield Evaluated(job, item.evaluation, item.asks)

    def _end_stalled(self) -> None:
        """Kill the workers of runs without progress; their references are ready then, with an error."""
        for actor, job in self._running.values():
            account = self._accounts[job.run]
            if account.still(self._heard) > self._stall:
                account.ended = f"no progress for {show_duration(self._stall)}"
                self._ray.kill(actor.handle)
