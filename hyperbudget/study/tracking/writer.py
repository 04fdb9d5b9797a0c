"""The queue between the driver and a store: the driver never waits for it, and an outage of the store loses nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from hyperbudget.errors import UserError
from hyperbudget.study.stores import outage
from hyperbudget.study.tracking.changes import Change

PATIENCE = "HYPERBUDGET_TRACKING_PATIENCE"
"""The environment's name for how many seconds MLflow may be down before a study stops."""
LONGEST_PAUSE = 10.0
HOLD = 5.0
"""Seconds that news of a run waits for more of it: a store takes as long for one number as for a hundred."""
REST = 3.0
"""So many times as long as it took to write news of running trainings, no more of it is written: at most a quarter of
the driver's time goes there, whatever number of runs there is. Their ends are written at once."""


class Writer:
    """Gives changes to `write` on a thread of its own, one after the other, in the order of the queue.

    A change to a run that has one waiting is merged into it, so that the queue is never longer than there are runs. It
    takes the place of the earlier one, or `last`, the place at the end. What ends no run waits `hold` seconds for more
    of the same run, so that a short one is written in one piece. While the store at `place` is down the change
    is tried again and again; after `patience` seconds (default: ``HYPERBUDGET_TRACKING_PATIENCE``, else 600) of that,
    and for an error that comes back at every try, the thread gives up and `lost` says so. What is put in later is
    dropped: the study's files have all of it.
    """

    def __init__(
        self, write: Callable[[Change], None], place: str, patience: float | None = None, hold: float = HOLD
    ) -> None:
        self._write, self._place, self._hold = write, place, hold
        self._patience = patience_of(os.environ.get(PATIENCE)) if patience is None else patience
        self._waiting: dict[str, tuple[float, Change]] = {}  # with when it is to be written, whatever else comes
        self._rested = 0.0  # when news may be written again
        self._changed = threading.Condition()
        self._writing = self._closed = self._hurried = False
        self._down_since: float | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
        self._thread.start()

    def put(self, change: Change, *, last: bool = False) -> None:
        """Have `change` written when its turn comes. Raises what has ended the thread, unless `lost` tells it."""
        with self._changed:
            self._raise_unexpected()
            if self._error or self._closed:
                return
            due, earlier = self._waiting.get(change.key, (time.monotonic() + self._hold, None))
            if earlier:
                earlier.merge(change)
                if last:
                    del self._waiting[change.key]
            self._waiting[change.key] = due, earlier or change
            self._changed.notify_all()

    def behind(self) -> float:
        """Seconds since the store first failed to answer; 0 while it answers."""
        since = self._down_since
        return 0.0 if since is None else time.monotonic() - since

    def lost(self) -> UserError | None:
        """Why the thread has given up, if it has."""
        return self._error if isinstance(self._error, UserError) else None

    def flush(self, limit: float | None = None) -> None:
        """Wait until all is written, `limit` seconds at most. Raises UserError when the thread has given up."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._error or not (self._waiting or self._writing), limit)
            self._hurried = False
            self._raise_unexpected()
            if self._error:
                raise self._error

    def close(self, limit: float | None = None) -> None:
        """As `flush`, and end the thread; what is not written by then is dropped."""
        try:
            self.flush(limit)
        finally:
            with self._changed:
                self._closed = True
                self._waiting.clear()
                self._changed.notify_all()
            self._thread.join(limit)

    def _raise_unexpected(self) -> None:
        if self._error and not isinstance(self._error, UserError):
            raise self._error

    def _work(self) -> None:
        while change := self._next():
            began = time.monotonic()
            try:
                self._insist(change)
            except BaseException as error:
                with self._changed:
                    self._error = error
                    self._waiting.clear()
                    self._changed.notify_all()
                return
            if not change.end:
                now = time.monotonic()
                self._rested = now + REST * (now - began)

    def _next(self) -> Change | None:
        """Wait for the change that is to be written now; None: there will be no more."""
        with self._changed:
            self._writing = False
            self._changed.notify_all()
            while not self._closed:
                key, wait = self._first()
                if key is not None:
                    self._writing = True
                    return self._waiting.pop(key)[1]
                self._changed.wait(wait)
            return None

    def _first(self) -> tuple[str | None, float | None]:
        """The change that is to be written now; else None, and for how many seconds there is none to be expected."""
        for key, (_, change) in self._waiting.items():
            if change.end or self._hurried:
                return key, None
        if not self._waiting:
            return None, None
        due, key = min((due, key) for key, (due, _) in self._waiting.items())
        wait = max(due, self._rested) - time.monotonic()
        return (key, None) if wait <= 0 else (None, wait)

    def _insist(self, change: Change) -> None:
        """Write `change`, however often it takes. Raises UserError when it is in vain."""
        pause = 0.1
        while not self._closed:
            try:
                self._write(change)
            except Exception as error:
                what = f"run {change.label}"
                if not outage.passes(error):
                    raise outage.failed(f"{what}: {self._place} does not take it and", error) from error
                if self._down_since is None:
                    self._down_since = time.monotonic()
                if self.behind() >= self._patience:
                    raise outage.failed(self._place, error) from error
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, min(pause, self._patience))
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._down_since = None
                return


def patience_of(text: str | None) -> float:
    """The seconds that the environment asks for. Raises UserError for anything but a number of them."""
    try:
        seconds = 600.0 if text is None else float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise UserError(f"{PATIENCE}={text}: is not a number of seconds, such as 600")
    return seconds
