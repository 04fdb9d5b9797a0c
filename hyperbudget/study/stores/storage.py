"""Optuna's storage by its URI: a database, or a journal, that is waited for when it does not answer for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DBAPIError

from hyperbudget.errors import UserError
from hyperbudget.study.folder import masked
from hyperbudget.study.stores import sqlite
from hyperbudget.study.stores.database import missing_driver
from hyperbudget.study.stores.journal import JOURNAL, open_journal
from hyperbudget.study.stores.outage import passes

T = TypeVar("T")

PATIENCE = 300.0
"""For so many seconds a storage that answered before may fail to."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0  # seconds between two attempts


def open_storage(
    uri: str, tell: Callable[[str], None] = lambda text: None, *, patience: float = PATIENCE
) -> BaseStorage:
    """The storage at `uri`: ``sqlite:///FILE``, ``postgresql://...`` (or another database that SQLAlchemy knows), or
    ``journal:FILE``, a file that is only ever appended to.

    `tell` is told when it ceases to answer, and when it answers again. Raises UserError when it does not answer now, or
    when no driver for it is installed. Later it raises StorageInternalError, once `patience` (seconds) is over.
    """
    place = f"--storage {masked(uri)}"
    if missing := missing_driver(uri):
        raise UserError(f"{place}: {missing}")
    try:
        opened = open_journal(uri) if uri.startswith(JOURNAL) else _database(uri)
    except UserError:
        raise
    except Exception as error:  # SQLAlchemy and its drivers raise what they like
        raise UserError(f"{place}: Optuna cannot use it: {reason(error)}") from None
    return Patient(opened, f"Optuna's storage {masked(uri)}", tell, patience=patience)


def _database(uri: str) -> BaseStorage:
    if uri.startswith(sqlite.SQLITE):
        if (file := sqlite.file_of(uri)) and not file.exists():
            sqlite.write_ahead(file)
        return get_storage(RDBStorage(uri))
    # A connection that was idle through hours of training may be gone: asked before it is used.
    return get_storage(RDBStorage(uri, engine_kwargs={"pool_pre_ping": True}))


def transient(error: BaseException) -> bool:
    """Whether the storage may answer again by itself: it was not reached, or its disk refused."""
    return any(map(passes, _causes(error)))


def reason(error: BaseException) -> str:
    """What went wrong, in one line that is fit to be shown: of what Optuna wraps, the driver's own words."""
    causes = list(_causes(error))
    inner = next((cause.orig for cause in causes if isinstance(cause, DBAPIError) and cause.orig), causes[0])
    return masked(" ".join(str(inner).split()) or type(inner).__name__)[:300]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _repeated(name: str) -> Callable[..., Any]:
    """The method `name` of a storage, for `Patient`."""

    def method(self: Patient, *arguments: Any, **options: Any) -> Any:
        return self._ask(lambda: getattr(self.backend, name)(*arguments, **options))

    return method


class Patient(BaseStorage):  # type: ignore[misc]  # Optuna is not typed
    """A storage that is waited for, up to `patience` seconds, when it ceases to answer; the driver stands still then,
    its trainings go on.

    An operation whose answer was lost may have been done. Most can be repeated; for the others it is looked up first,
    which takes that nobody else writes to the study meanwhile.
    """

    def __init__(
        self,
        backend: BaseStorage,
        place: str,
        tell: Callable[[str], None] = lambda text: None,
        *,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.backend, self.place, self.tell, self.patience = backend, place, tell, patience
        self._sleep, self._clock = sleep, clock
        self._trials: dict[int, int] = {}  # study -> how many trials it has

    def _ask(self, operation: Callable[[], T], settled: Callable[[], T | None] = lambda: None) -> T:
        """What `operation` answers. `settled`: its answer where an attempt that failed did its work, else None."""
        try:
            return operation()
        except Exception as error:
            if not transient(error):
                raise
            failure = error
        began, pause = self._clock(), FIRST_PAUSE
        self.tell(f"{self.place} does not answer ({reason(failure)}); waiting up to {self.patience:.0f} s for it")
        while self._clock() - began < self.patience:
            self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                answer = settled()
                answer = operation() if answer is None else answer
            except Exception as error:
                if transient(error):
                    failure = error
                    continue
                self._answers_again(began)
                raise
            self._answers_again(began)
            return answer
        raise StorageInternalError(f"no answer for {self.patience:.0f} s: {reason(failure)}") from failure

    def _answers_again(self, began: float) -> None:
        self.tell(f"{self.place} answers again, after {self._clock() - began:.1f} s")

    # -- what must not be done twice ------------------------------------------------------------------------------

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """See `BaseStorage`."""
        if study_id not in self._trials:
            self._trials[study_id] = len(self.get_all_trials(study_id, deepcopy=False))
        number = self._trials[study_id]

        def made() -> int | None:
            trials = self.backend.get_all_trials(study_id, deepcopy=False)
            return int(trials[number]._trial_id) if len(trials) > number else None

        trial_id = self._ask(lambda: int(self.backend.create_new_trial(study_id, template_trial)), made)
        newest = number  # as almost always; Optuna knows that without asking the storage, but not the number of a trial
        if self.get_trial_id_from_study_id_trial_number(study_id, number) != trial_id:
            newest = self.get_trial_number_from_id(trial_id)
        for lost in range(number, newest):  # Optuna repeats this by itself, too, and does not look first
            self.set_trial_state_values(self.get_trial_id_from_study_id_trial_number(study_id, lost), TrialState.FAIL)
        self._trials[study_id] = newest + 1
        return trial_id

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """See `BaseStorage`."""

        def done() -> bool | None:
            return True if self.backend.get_trial(trial_id).state == state else None

        return self._ask(lambda: bool(self.backend.set_trial_state_values(trial_id, state, values)), done)

    # -- what can be repeated -------------------------------------------------------------------------------------

    create_new_study = _repeated("create_new_study")  # one that is there is DuplicatedStudyError, and then loaded
    delete_study = _repeated("delete_study")
    set_study_user_attr = _repeated("set_study_user_attr")
    set_study_system_attr = _repeated("set_study_system_attr")
    set_trial_param = _repeated("set_trial_param")
    set_trial_intermediate_value = _repeated("set_trial_intermediate_value")
    set_trial_user_attr = _repeated("set_trial_user_attr")
    set_trial_system_attr = _repeated("set_trial_system_attr")
    get_study_id_from_name = _repeated("get_study_id_from_name")
    get_study_name_from_id = _repeated("get_study_name_from_id")
    get_study_directions = _repeated("get_study_directions")
    get_study_user_attrs = _repeated("get_study_user_attrs")
    get_study_system_attrs = _repeated("get_study_system_attrs")
    get_all_studies = _repeated("get_all_studies")
    get_trial_id_from_study_id_trial_number = _repeated("get_trial_id_from_study_id_trial_number")
    get_trial = _repeated("get_trial")
    get_all_trials = _repeated("get_all_trials")
    get_best_trial = _repeated("get_best_trial")
