"""What the study engine costs a run: a whole study of runs that train nothing, and the same jobs without the engine.

The engine's part is Optuna's record, MLflow's record, and the driver's own accounts; Ray hands out the jobs in both.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hyperbudget.config import Study, load
from hyperbudget.study.folder import RunFolder, Stores, StudyFolder, write_json, write_text
from hyperbudget.study.workers.board import Line
from hyperbudget.study.workers.job import Job
from hyperbudget.study.workers.machine import now
from hyperbudget.study.workers.pool import Pool
from hyperbudget.study.workers.usage import resident_bytes

TASK = "digits"
STUDY = """\
question: What does a run cost that trains nothing?
name: engine
task: {task}
model: {{network: mlp, image_size: 8, family: free, hidden: {{grid: {hidden}}}}}
training: {{learning_rate: {{grid: {rates}}}}}
search: {{seeds: {seeds}}}
budget: {{runs: {runs}}}
"""


@dataclass(frozen=True)
class Cost:
    """What `runs` runs cost. Seconds are the driver's, a run; memory is the driver's resident set, in bytes."""

    runs: int
    seeds: int
    """Runs of each configuration; what MLflow has of a configuration is shared by them."""
    workers: int
    engine_seconds: float
    engine_cpu_seconds: float
    loop_cpu_seconds: float
    """Of these, outside the thread that writes to MLflow."""
    bare_seconds: float
    """Of the same jobs on the same workers, with nothing recorded but their result files."""
    early_memory: int
    """After a tenth of the runs."""
    late_memory: int
    """After all."""

    @property
    def ratio(self) -> float:
        """Time with the engine / time without."""
        return self.engine_seconds / self.bare_seconds

    @property
    def growth(self) -> float:
        """Bytes a run that the driver grew by after its first tenth."""
        return (self.late_memory - self.early_memory) / max(1, self.runs - tenth(self.runs))

    def fields(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {**asdict(self), "ratio": self.ratio, "memory_growth_per_run": self.growth}


class Nothing:
    """A worker whose trainings take no time; their results are committed as those of real ones are."""

    def execute(self, job: Job, line: Line) -> dict[str, Any]:
        """A result with a curve of ten evaluations."""
        steps = list(range(100, 1100, 100))
        result: dict[str, Any] = {
            "run": job.run, "seed": job.fields["seed"], "status": "finished", "reason": None, "metric": "error",
            "validation_error": 0.5, "test_error": 0.5, "best_step": 100, "seconds": 0.0, "compact_bytes": 0,
            "curve": {"step": steps, "train_loss": [1.0] * 10, "validation_error": [0.5] * 10, "seconds": [0.0] * 10},
            "host": "", "device": "", "hardware": {}, "finished": now(),
        }  # fmt: skip
        write_json(RunFolder(job.folder).result, result)
        return result


class Watch:
    """A listener that looks at the driver's memory after a tenth of the runs, and shows nothing."""

    def __init__(self, early: int) -> None:
        self.early, self.ended, self.memory = early, 0, 0

    def update(self, snapshot: Any) -> None:
        """See `Listener`."""

    def run_ended(self, what: str, result: dict[str, Any], snapshot: Any) -> None:
        """See `Listener`."""
        self.ended += 1
        if self.ended == self.early:
            self.memory = resident()

    def message(self, text: str) -> None:
        """See `Listener`."""


def measure(runs: int, workers: int, seeds: int = 1) -> Cost:
    """Run a grid of `runs` runs or a few more, each configuration with `seeds` seeds, with real Ray, Optuna and MLflow
    in a temporary folder.

    Raises UserError where Ray cannot be started.
    """
    from hyperbudget.data.load import digest, prepare
    from hyperbudget.study.engine import Engine
    from hyperbudget.study.search.plan import grid_candidates
    from hyperbudget.study.search.space import open_study
    from hyperbudget.study.tracking.record import Record
    from hyperbudget.study.tracking.tracker import Tracker

    with tempfile.TemporaryDirectory(prefix="hyperbudget-bench-") as path, pool_of(workers) as pool:
        folder = StudyFolder(Path(path) / "engine")
        folder.runs.mkdir(parents=True)
        study = study_of(runs, Path(path), seeds)
        runs = study.budget.runs or runs
        prepare(TASK)
        jobs = []
        for chosen in grid_candidates(study)[0][: runs // seeds]:
            for spec in chosen.runs(range(seeds)):
                run = RunFolder(Path(path) / "bare" / f"{chosen.name}-{spec.seed}")
                run.path.mkdir(parents=True)
                jobs.append(Job(run.path.name, spec.fields(), digest(TASK), run.path, "", 1))
        first = [replace(jobs[0], run=f"first-{index}") for index in range(2 * pool.workers)]
        train(pool, first)  # they wait for Ray's processes
        began = time.perf_counter()
        train(pool, jobs)
        bare = time.perf_counter() - began

        stores = Stores.of(folder)
        trials = open_study(study, stores.storage)
        write_text(folder.study, study.resolved_yaml())
        watch = Watch(tenth(runs))
        record = Record(Tracker(stores.tracking, study, folder), folder)
        engine = Engine(study, folder, trials, record, pool, watch)
        began, began_cpu, began_loop = time.perf_counter(), time.process_time(), time.thread_time()
        outcome = engine.run()
        record.close()
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
        loop_seconds = time.thread_time() - began_loop
        assert outcome.finished == runs, outcome
        return Cost(
            runs, seeds, pool.workers, seconds / runs, cpu_seconds / runs, loop_seconds / runs, bare / runs,
            watch.memory, resident(),
        )  # fmt: skip


def train(pool: Pool, jobs: list[Job]) -> None:
    """Let `pool` do `jobs`, and wait for them."""
    for job in jobs:
        pool.submit(job)
    while pool.pending:
        for _ in pool.wait(timeout=1.0):
            pass


def study_of(runs: int, folder: Path, seeds: int = 1) -> Study:
    """A study whose grid has configurations for `runs` runs over two axes, and whose budget is so many or a few more:
    what `seeds` divides.
    """
    configurations = math.ceil(runs / seeds)
    side = math.ceil(math.sqrt(configurations))
    rates = [round(1e-4 * 1.001**index, 9) for index in range(math.ceil(configurations / side))]
    text = STUDY.format(
        task=TASK, hidden=list(range(8, 8 + side)), rates=rates, seeds=list(range(seeds)), runs=configurations * seeds
    )
    write_text(folder / "engine.yaml", text)
    return load(folder / "engine.yaml")


@contextmanager
def pool_of(workers: int) -> Iterator[Pool]:
    """A pool of workers that train nothing, on a Ray of its own."""
    pool = Pool(cpus=1, gpus=0, workers=workers, address="local", worker=Nothing)
    try:
        yield pool
    finally:
        pool.close()


def tenth(runs: int) -> int:
    """A tenth of the runs, at least one."""
    return max(1, runs // 10)


def resident() -> int:
    """This process's resident set in bytes; where Linux does not say it, its largest one so far."""
    if (now := resident_bytes()) is not None:
        return now
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
