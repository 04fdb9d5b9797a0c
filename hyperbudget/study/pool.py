"""A pool of Ray actors: hands out jobs, replaces workers that die, and tells the machine's faults from the training's.

Actors are kept between jobs: a Ray task with a GPU would start a new process, and import torch again, every time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hyperbudget.errors import UserError
from hyperbudget.study.cluster import connect
from hyperbudget.study.worker import Job

ATTEMPTS = 3
"""How often a run is tried when its worker dies."""


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


class Pool:
    """At most `workers` jobs at once (default: as many as the resources allow), each on an actor of its own.

    `worker` is the actors' class: without arguments, with a method `execute` from a job to its result.
    Raises UserError when no cluster answers at `address`, or when it does not have the resources of one worker.
    """

    def __init__(
        self, *, cpus: float, gpus: float, workers: int | None, address: str, worker: type | None = None
    ) -> None:
        import ray

        self._ray = ray
        self._worker = worker or Worker
        self._options = {"num_cpus": cpus, "num_gpus": gpus}
        self._owns_ray = not ray.is_initialized()
        if self._owns_ray:
            connect(address, cpus, gpus, workers)
        capacity = self._capacity(cpus, gpus)
        self.workers = min(capacity, workers or capacity)
        if self.workers < 1:
            have = ray.cluster_resources()
            self.close()
            raise UserError(
                f"resources: a worker asks for {cpus:g} CPUs and {gpus:g} GPUs, and the machine has "
                f"{have.get('CPU', 0):g} CPUs and {have.get('GPU', 0):g} GPUs; set resources.cpus and resources.gpus"
            )
        # All of them at once, and now: importing torch takes seconds, in which the driver opens its databases.
        self._idle: list[Any] = [self._new_worker() for _ in range(self.workers)]
        self._running: dict[Any, tuple[Any, Job]] = {}
        self._waiting: deque[Job] = deque()
        self._faults: dict[str, int] = {}

    def _capacity(self, cpus: float, gpus: float) -> int:
        """Workers that fit, node by node: a worker cannot be spread over two."""
        total = 0
        for node in self._ray.nodes():
            if node["Alive"]:
                have = node["Resources"]
                fits = [have.get(kind, 0) / need for kind, need in (("CPU", cpus), ("GPU", gpus)) if need]
                total += int(min(fits) + 1e-9)
        return total

    @property
    def pending(self) -> int:
        """Jobs that were submitted and are not done."""
        return len(self._running) + len(self._waiting)

    def submit(self, job: Job) -> None:
        """Start `job` when a worker is free."""
        self._waiting.append(job)
        self._dispatch()

    def drop_waiting(self) -> None:
        """Forget the jobs that no worker has begun."""
        self._waiting.clear()

    def wait(self, timeout: float) -> Iterator[Done | Retried]:
        """What came to an end within `timeout` seconds."""
        if not self._running:
            return
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout)
        for reference in ready:
            actor, job = self._running.pop(reference)
            yield self._collect(reference, actor, job)
        self._dispatch()

    def _dispatch(self) -> None:
        while self._waiting and len(self._running) < self.workers:
            actor = self._idle.pop() if self._idle else self._new_worker()
            job = self._waiting.popleft()
            self._running[actor.execute.remote(job)] = (actor, job)

    def _collect(self, reference: Any, actor: Any, job: Job) -> Done | Retried:
        from ray.exceptions import RayError, RayTaskError

        try:
            result = self._ray.get(reference)
        except RayTaskError as error:  # the worker lives, but what it did around the training failed (a full disk)
            self._idle.append(actor)
            fault = f"{type(error.cause).__name__}: {error.cause}"
        except RayError as error:
            self._ray.kill(actor)
            fault = f"the worker died ({type(error).__name__})"
        else:
            self._idle.append(actor)
            return Done(job, result)
        self._faults[job.run] = self._faults.get(job.run, 0) + 1
        if self._faults[job.run] < ATTEMPTS:
            self._waiting.appendleft(job)
            return Retried(job, fault)
        return Done(job, None, f"{fault}, {ATTEMPTS} times")

    def _new_worker(self) -> Any:
        return self._ray.remote(self._worker).options(**self._options).remote()

    def close(self) -> None:
        """End all workers at once, whatever they do."""
        if self._owns_ray:
            self._ray.shutdown()


class Worker:
    """The actor: a process that executes one job after the other."""

    def __init__(self) -> None:
        import hyperbudget.train.loop  # noqa: F401  # torch, before the first job comes

    def execute(self, job: Job) -> dict[str, Any]:
        """See `hyperbudget.study.worker.execute`."""
        from hyperbudget.study.worker import execute

        return execute(job)
