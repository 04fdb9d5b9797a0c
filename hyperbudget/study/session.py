"""One call of ``run``: opens everything a study needs, drives it, and leaves it so that the next call goes on."""

from __future__ import annotations

import contextlib
import datetime
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from hyperbudget.config import Study
from hyperbudget.data.load import prepare
from hyperbudget.errors import UserError
from hyperbudget.study.folder import Stores, StudyFolder, masked, relative, write_json, write_text
from hyperbudget.study.former import former, refuse_another_meaning
from hyperbudget.study.lock import locked
from hyperbudget.study.owner import claim
from hyperbudget.study.progress import Listener, Outcome
from hyperbudget.study.stores import outage


class EveryConfigurationRefused(UserError):
    """The budget leaves nothing to train."""

    exit_code = 3


@dataclass(frozen=True)
class Options:
    """How to run a study; none of it changes a result."""

    workers: int | None = None
    tracking_uri: str | None = field(default=None, repr=False)
    storage: str | None = field(default=None, repr=False)
    address: str = field(default="local", repr=False)
    fresh: bool = False


def run_study(study: Study, options: Options, listener: Listener) -> Outcome:
    """Run or resume `study`.

    Raises UserError for what the user can mend, EveryConfigurationRefused when there is nothing to train, and
    KeyboardInterrupt at the second Ctrl-C (the first one lets the running trainings finish).
    """
    folder = StudyFolder.of(study.name)
    with locked(folder, listener.message):
        if options.fresh:
            set_aside(folder)
        before = former(folder)
        refuse_another_meaning(study, before)
        refuse_nothing_to_train(study)
        for task in study.tasks():
            prepare(task)  # downloaded once, here, before any worker needs them
        stores = Stores.of(folder, options.storage, options.tracking_uri)
        folder.runs.mkdir(parents=True, exist_ok=True)
        return drive(study, folder, stores, options, listener, compared=before is not None)


def drive(
    study: Study, folder: StudyFolder, stores: Stores, options: Options, listener: Listener, *, compared: bool
) -> Outcome:
    """The part of `run_study` between the lock and the frame. `compared`: `study` may go on from its former state."""
    listener.message(f"results: {folder.path}")
    # Imported here: together they take seconds, and whatever is wrong above should be said at once.
    from hyperbudget.study.engine import Engine
    from hyperbudget.study.results.collect import collect
    from hyperbudget.study.search.space import open_study
    from hyperbudget.study.stores.storage import open_storage
    from hyperbudget.study.tracking.record import Record
    from hyperbudget.study.tracking.tracker import Tracker
    from hyperbudget.study.workers import packs, probe
    from hyperbudget.study.workers.pool import Pool

    resources = study.resources
    pool: Pool | None = None
    record: Record | None = None
    try:
        # The stores first: a word about them needs no Ray, which takes seconds to start.
        own = partial(claim, folder=folder, place=f"--storage {masked(stores.storage)}")
        trials = open_study(study, open_storage(stores.storage, listener.message), compared=compared, own=own)
        tracker = Tracker(stores.tracking, study, folder)
        own(trials)
        measured = partial(probe.share, study, folder.path / "gpu.json", listener.message)
        pool = Pool(
            cpus=resources.cpus, gpus=measured if resources.gpus == "auto" else resources.gpus,
            workers=options.workers, address=options.address, stall=resources.stall, pack=partial(packs.size, study),
            say=listener.message,
        )  # fmt: skip
        if options.address != "local":
            say_what_is_not_shared(folder, listener)
        record = Record(tracker, folder)
        stores.write(folder)  # now that both have answered: the next call goes on there
        write_text(folder.study, study.resolved_yaml())
        engine = Engine(study, folder, trials, record, pool, listener)
        with interruptible(engine.stop, listener):
            outcome = engine.run()
    except BaseException as error:
        if pool:
            pool.close()
        if record:
            with contextlib.suppress(Exception):  # what went wrong is told already
                record.interrupt(limit=10)
        if lost := lost_store(error, stores):
            raise lost from error
        raise
    pool.close()
    record.close()
    call = {"command": command(study), "file": study.path.name, "refused": outcome.refused}
    write_json(folder.call, call)
    if outcome.finished or outcome.failures:
        collect(folder.study)
    return outcome


def say_what_is_not_shared(folder: StudyFolder, listener: Listener) -> None:
    """Tell of the cluster's nodes that do not see the results, and what that means for the runs there."""
    from hyperbudget.study.workers.cluster import without

    if blind := without(folder.path):
        names = ", ".join(node.name for node in blind[:4]) + (f" and {len(blind) - 4} more" if len(blind) > 4 else "")
        listener.message(
            f"not shared: {names} cannot see {folder.path}; runs there send their results here, but their checkpoints "
            "stay on the node. Set HYPERBUDGET_RESULTS to a folder that all nodes share to keep those, too"
        )


def lost_store(error: BaseException, stores: Stores) -> UserError | None:
    """What to tell the user when a database, a server or the disk gave up in the middle; None for anything else."""
    from mlflow.exceptions import MlflowException
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(error, MlflowException):
        place = f"MLflow's store {masked(stores.tracking)}"
    elif isinstance(error, StorageInternalError | SQLAlchemyError):
        place = f"Optuna's storage {masked(stores.storage)}"
    elif isinstance(error, OSError):
        place = str(error.filename or "the disk")
    else:
        return None
    return outage.failed(place, error)


def refuse_nothing_to_train(study: Study) -> None:
    """Raise EveryConfigurationRefused when the budget refuses every point of a grid."""
    from hyperbudget.study.search.plan import grid_candidates

    if study.search.sampler == "grid":
        candidates, refused = grid_candidates(study)
        if study.iso_budget and not candidates:
            raise EveryConfigurationRefused(
                f"{study.path}: budget.params.at: no configuration of the study lands on a budget; see the nearest "
                "with: hyperbudget plan, raise budget.params.tolerance or widen the axes"
            )
        if not any(candidate.refusal is None for candidate in candidates):
            smallest = min((c.anatomy.learnable for c in candidates), default=None)
            has = f"the smallest has {smallest:,} learnable parameters" if smallest else "none can be built"
            raise EveryConfigurationRefused(
                f"{study.path}: budget.params: refuses all {len(candidates) + len(refused)} configurations ({has}); "
                "raise budget.params.max or widen the axes"
            )


def command(study: Study) -> str:
    """The command line that this process was called with, where it was the command; without passwords."""
    called = Path(sys.argv[0]).name
    if called in ("hyperbudget", "__main__.py"):
        return shlex.join(["hyperbudget", *map(masked, sys.argv[1:])])
    return shlex.join(["hyperbudget", "run", study.path.name])


def set_aside(folder: StudyFolder) -> None:
    """Rename the study's folder: --fresh starts anew and throws nothing away.

    Raises UserError for a study that is recorded in stores outside its folder: those are not ours to empty.
    """
    if not folder.stores.exists():
        return
    outside = [uri for uri in vars(Stores.of(folder)).values() if relative(uri, folder.path) == uri]
    if outside:
        raise UserError(
            "--fresh: this study is recorded in stores outside its folder; give the study another name instead "
            "(--set name=NAME)"
        )
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
    folder.path.rename(folder.path.with_name(f"{folder.path.name}.{stamp}"))


@contextlib.contextmanager
def interruptible(stop: Callable[[], None], listener: Listener) -> Iterator[None]:
    """First SIGINT or SIGTERM: call `stop`. Second: KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        listener.message("stopping: the running trainings go on to their end; once more to abort at once")
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
