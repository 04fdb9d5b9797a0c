"""A whole study whose stores fail for a while, or for good, or were torn: it ends as if nothing had been."""

import time
from collections import Counter

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from optuna.exceptions import StorageInternalError
from optuna.storages import InMemoryStorage
from sqlalchemy.exc import OperationalError

from hyperbudget.errors import UserError
from hyperbudget.study.session import lost_store
from hyperbudget.study.stores.storage import Patient, open_storage
from hyperbudget.study.tracking.writer import PATIENCE
from tests.study.support import Death, assert_status, die_at, recorded, results, statuses

RUNS, CONFIGURATIONS = 8, 4
CALLS = ("create_new_trial", "set_trial_state_values", "set_trial_user_attr", "get_all_trials", "set_study_user_attr")


def assert_complete(bench):
    """Each run trained once and there once, nothing open."""
    assert bench.states() == {"COMPLETE": CONFIGURATIONS}
    assert len(results(bench.folder)) == RUNS
    assert set(bench.pool.trained.values()) == {1}
    assert_status(bench.folder, finished=RUNS, total=RUNS)
    if bench.tracking:
        parents, children = recorded(bench.tracking, bench.study.name)
        assert (statuses(parents), statuses(children)) == ({"FINISHED": CONFIGURATIONS}, {"FINISHED": RUNS})


class Flaky(InMemoryStorage):
    """Answers none of the calls for which `down` says so; they are numbered. Every second one does its work first."""

    def __init__(self, down):
        super().__init__()
        self.calls = 0
        for name in CALLS:
            setattr(self, name, self.failing(getattr(self, name), down))

    def failing(self, method, down):
        def call(*arguments, **options):
            self.calls += 1
            if not down(self.calls):
                return method(*arguments, **options)
            if self.calls % 2:
                method(*arguments, **options)
            error = StorageInternalError("commit")
            error.__cause__ = OperationalError("INSERT", {}, Exception("server closed the connection"))
            raise error

        return call


def patient(backend, now):
    """Waits on a clock that only sleeping moves."""

    def sleep(seconds):
        now[0] += seconds

    return Patient(backend, "Optuna's storage x", patience=60, sleep=sleep, clock=lambda: now[0])


@pytest.mark.parametrize("every", [3, 5, 7])
def test_optunas_storage_is_away_again_and_again(bench, every):
    bench = bench(tracked=False)
    bench.storage = patient(Flaky(lambda call: call % every == 0), [0.0])
    assert bench.run().finished == RUNS
    assert_complete(bench)


@pytest.mark.parametrize("last", [2, 4, 5, 7, 9])
def test_optunas_storage_is_gone_for_good(bench, last):
    bench = bench(tracked=False)
    backend = Flaky(lambda call: call > last)
    bench.storage = patient(backend, [0.0])
    with pytest.raises(StorageInternalError) as caught:
        bench.run()
    said = str(lost_store(caught.value, type("Stores", (), {"storage": "postgresql://a:s3cret@h/x", "tracking": ""})()))
    assert said.startswith("Optuna's storage postgresql://a:***@h/x failed: no answer for 60 s: server closed")
    backend.calls = -(10**9)  # it is there again
    bench.storage = patient(backend, [0.0])
    assert bench.run().finished == RUNS
    assert_complete(bench)


@pytest.mark.parametrize("moment", [4, 11, 17])
def test_a_driver_dies_and_leaves_a_journal_with_a_torn_last_line(bench, monkeypatch, tmp_path, moment):
    bench, journal = bench(tracked=False), tmp_path / "optuna.log"
    bench.storage = open_storage(f"journal:{journal}")
    with monkeypatch.context() as patch:
        die_at(patch, moment)
        with pytest.raises(Death):
            bench.run()
    journal.write_bytes(journal.read_bytes() + b'{"op_code": 6, "worker_id": "x", "trial_id": 0, "state"')
    bench.storage = open_storage(f"journal:{journal}")
    assert bench.run().finished == RUNS
    assert_complete(bench)
    assert journal.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("last", [2, 7, 20])
def test_mlflow_is_gone_for_good_and_back_for_the_next_call(bench, monkeypatch, last):
    bench, count = bench(), Counter()
    monkeypatch.setenv(PATIENCE, "0.1")
    wait = bench.pool.wait

    def slowly(timeout):
        yield from wait(timeout)
        if count["calls"] > last:
            time.sleep(0.3)  # the writer gives up meanwhile

    with monkeypatch.context() as down:
        for name in ("create_run", "log_batch", "set_terminated"):
            real = getattr(MlflowClient, name)

            def refusing(*arguments, real=real, **options):
                count["calls"] += 1
                if count["calls"] > last:
                    raise MlflowException("API request to http://h failed with exception: refused")
                return real(*arguments, **options)

            down.setattr(MlflowClient, name, refusing)
        down.setattr(bench.pool, "wait", slowly)
        with pytest.raises(UserError, match="nothing is lost: mend it and give the same command again"):
            bench.run()
    begun = len(list(bench.folder.all_runs()))
    done = len(results(bench.folder))
    assert_status(bench.folder, finished=done, open=begun - done, total=RUNS)
    assert bench.run().finished == RUNS
    assert_complete(bench)


@pytest.mark.parametrize("moment", [9, 35])
def test_the_drivers_clock_is_set_back_between_two_lives_and_within_them(bench, monkeypatch, moment):
    bench, real, back = bench(), time.time, Counter()

    def falling():
        back["hours"] += 1
        return real() - 3600 * back["hours"]

    with monkeypatch.context() as patch:
        patch.setattr("hyperbudget.study.tracking.record.time.time", falling)
        die_at(patch, moment)
        with pytest.raises(Death):
            bench.run()
    with monkeypatch.context() as patch:
        patch.setattr("hyperbudget.study.tracking.record.time.time", falling)
        assert bench.run().finished == RUNS
    assert_complete(bench)
    _, children = recorded(bench.tracking, bench.study.name)
    assert all(run.info.start_time <= run.info.end_time for run in children)
