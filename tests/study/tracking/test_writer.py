"""The queue to MLflow, with a store that fails as it is told to."""

import threading
import time
from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import DataError, InterfaceError, OperationalError

from hyperbudget.errors import UserError
from hyperbudget.study.stores import outage
from hyperbudget.study.tracking.changes import Change, End, Number, Origin
from hyperbudget.study.tracking.writer import REST, Writer, patience_of

INVALID, INTERNAL, UNAVAILABLE = 1000, 1, 2  # of MLflow's error codes


class Store:
    """Keeps what is written; `errors` are raised first, one at each try."""

    def __init__(self, *errors):
        self.errors, self.written, self.tries = list(errors), [], 0
        self.open = threading.Event()
        self.open.set()

    def write(self, change):
        self.tries += 1
        assert self.open.wait(10)
        if self.errors:
            raise self.errors.pop(0)
        self.written.append(change)

    @property
    def keys(self):
        return [change.key for change in self.written]

    def eventually(self, count):
        """The keys, once there are so many."""
        deadline = time.monotonic() + 10
        while len(self.written) < count and time.monotonic() < deadline:
            time.sleep(0.001)
        return self.keys


DOWN = MlflowException("API request to http://me:s3cret@h/api failed", error_code=INTERNAL)


def begun(name):
    return Change(f"k={name}", Origin(f"k={name}", name, {}, 0))


def test_nobody_waits_and_the_order_stays():
    store = Store()
    store.open.clear()
    writer = Writer(store.write, "S", 10)
    for name in "abc":
        writer.put(begun(name))
    assert store.written == []
    store.open.set()
    writer.flush()
    assert store.keys == ["k=a", "k=b", "k=c"]
    writer.close()


def test_changes_to_a_run_are_merged_while_they_wait():
    store = Store()
    store.open.clear()
    writer = Writer(store.write, "S", 10)
    writer.put(begun("first"))
    writer.put(begun("configuration"))
    writer.put(begun("run"))
    for step in (1, 2):
        writer.put(Change("k=run", numbers=[Number("e", 0.5, step)], tags={"t": str(step)}))
    writer.put(Change("k=run", end=End("FINISHED", 7)))
    writer.put(Change("k=configuration", end=End("FINISHED", 8)), last=True)
    store.open.set()
    writer.close()
    assert store.keys == ["k=first", "k=run", "k=configuration"]
    run, configuration = store.written[1:]
    assert [number.step for number in run.numbers] == [1, 2]
    assert (run.tags, run.end, run.origin.label) == ({"t": "2"}, End("FINISHED", 7), "run")
    assert configuration.end == End("FINISHED", 8)


def ended(name):
    return Change(f"k={name}", end=End("FINISHED", 7))


def test_news_wait_for_more_of_their_run_until_it_ends():
    store = Store()
    writer = Writer(store.write, "S", hold=1000)
    writer.put(begun("long"))
    writer.put(begun("short"))
    writer.put(Change("k=short", numbers=[Number("e", 0.5, 1)]))
    writer.put(ended("short"))
    assert store.eventually(1) == ["k=short"]
    assert (store.written[0].origin.label, len(store.written[0].numbers)) == ("short", 1)
    writer.flush()
    assert store.keys == ["k=short", "k=long"]
    writer.put(begun("another"))
    writer.close()
    assert store.keys[2:] == ["k=another"]


def test_news_do_not_wait_for_ever():
    store = Store()
    writer = Writer(store.write, "S", hold=0.01)
    writer.put(begun("a"))
    assert store.eventually(1) == ["k=a"]
    writer.close()


def test_news_take_a_part_of_the_time_only_and_ends_go_first(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("hyperbudget.study.tracking.writer.time", SimpleNamespace(monotonic=lambda: clock.now))
    store = Store()

    def write(change):
        clock.now += 10
        store.write(change)

    writer = Writer(write, "S", 10, hold=0)
    writer.put(begun("a"))
    assert store.eventually(1) == ["k=a"]
    writer.put(begun("b"))  # not for another 30 seconds
    writer.put(ended("c"))
    assert store.eventually(2) == ["k=a", "k=c"]
    clock.now += REST * 10
    writer.put(ended("d"))  # so that it looks at the clock
    assert store.eventually(4) == ["k=a", "k=c", "k=d", "k=b"]
    writer.close()


def test_a_run_that_goes_on_before_its_end_is_written_has_not_ended():
    change = Change("k=run", end=End("FAILED", 7), rest=(lambda: Change("k=run", tags={"status": "failed"}),))
    change.merge(begun("run"))
    assert change.end is None
    assert change.whole().tags == {}


def test_the_rest_is_said_at_each_try_and_kept_at_none():
    change = begun("run")
    change.merge(Change("k=run", tags={"a": "1"}, numbers=[Number("e", 0.5, 1)]))
    rest = Change("k=run", tags={"a": "2"}, numbers=[Number("e", 0.5, 2)])
    change.merge(Change("k=run", end=End("FINISHED", 7), rest=(lambda: rest,)))
    for _ in range(2):
        whole = change.whole()
        assert (whole.tags, [number.step for number in whole.numbers]) == ({"a": "2"}, [1, 2])
        assert (whole.origin, whole.end, whole.rest) == (change.origin, End("FINISHED", 7), ())
    assert (change.tags, len(change.numbers), rest.tags) == ({"a": "1"}, 1, {"a": "2"})
    assert change.origin


def test_an_outage_loses_nothing_and_repeats_nothing():
    store = Store(DOWN, ConnectionError("refused"), MlflowException("locked", error_code=UNAVAILABLE))
    writer = Writer(store.write, "S", 10)
    store.open.clear()
    writer.put(begun("a"))
    writer.put(begun("b"))
    store.open.set()
    writer.flush()
    assert store.keys == ["k=a", "k=b"]
    assert store.tries == 5
    assert writer.behind() == 0
    assert writer.lost() is None
    writer.close()


def test_behind_says_since_when_and_lost_that_it_is_too_long():
    store = Store(*[DOWN] * 1000)
    writer = Writer(store.write, "MLflow's store S", 0.3)
    writer.put(begun("a"))
    with pytest.raises(UserError) as caught:
        writer.flush()
    assert str(caught.value) == (
        "MLflow's store S failed: API request to http://me:***@h/api failed\n"
        "nothing is lost: mend it and give the same command again"
    )
    assert writer.lost() is caught.value
    assert writer.behind() >= 0.3
    tries = store.tries
    assert tries > 2
    writer.put(begun("b"))  # dropped: the files have it
    with pytest.raises(UserError):
        writer.close()
    assert (store.tries, store.written) == (tries, [])


def test_what_the_store_refuses_is_not_tried_again_and_names_its_run():
    store = Store(MlflowException("Changing param values is not allowed", error_code=INVALID))
    writer = Writer(store.write, "MLflow's store S", 60)
    writer.put(begun("hyper N_z 4 seed 1"))
    with pytest.raises(UserError, match=r"run hyper N_z 4 seed 1: MLflow's store S .*Changing param values"):
        writer.flush()
    assert store.tries == 1


def test_flushing_has_a_limit():
    writer = Writer(Store(*[DOWN] * 1000).write, "S", 60)
    writer.put(begun("a"))
    writer.flush(limit=0.05)
    assert writer.behind() > 0
    writer.close(limit=0.05)


def test_what_ends_the_thread_otherwise_is_raised_where_it_is_noticed():
    writer = Writer(Store(ZeroDivisionError("ours")).write, "S", 60)
    writer.put(begun("a"))
    with pytest.raises(UserError, match="ours"):  # a mistake in a change, which would come back for ever
        writer.flush()

    class Death(BaseException): ...

    writer = Writer(Store(Death()).write, "S", 60)
    writer.put(begun("a"))
    with pytest.raises(Death):
        writer.flush()
    with pytest.raises(Death):
        writer.put(begun("b"))


def wrapped(error):
    """As MLflow's SQL stores raise it."""
    outer = MlflowException(str(error), error_code=4)  # a bad request
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (DOWN, True),
        (ConnectionRefusedError(), True),
        (OSError(28, "No space left on device"), True),
        (wrapped(OperationalError("x", None, Exception("database is locked"))), True),
        (wrapped(InterfaceError("x", None, Exception("connection already closed"))), True),
        (wrapped(DataError("x", None, Exception("too long"))), False),
        (MlflowException("no such run", error_code=3002), False),
        (MlflowException("bad", error_code=INVALID), False),
        (TypeError("x"), False),
    ],
)
def test_what_passes_by_itself(error, passes):
    assert outage.passes(error) == passes


def test_patience_is_a_number_of_seconds():
    assert patience_of(None) == 600
    assert patience_of("2.5") == 2.5
    for text in ("soon", "-1", "nan"):
        with pytest.raises(UserError, match="HYPERBUDGET_TRACKING_PATIENCE="):
            patience_of(text)
