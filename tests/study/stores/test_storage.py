"""Optuna's storages by URI, and their faults, for real: torn lines, locks of the dead, a database that is away."""

import multiprocessing
import os
import secrets
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from hyperbudget.errors import UserError
from hyperbudget.study.folder import Stores, StudyFolder, absolute
from hyperbudget.study.stores.database import make, missing_driver
from hyperbudget.study.stores.journal import JournalLock, cut_torn_line, journal_path
from hyperbudget.study.stores.storage import Patient, open_storage, transient


def study_in(storage, name="a"):
    return optuna.create_study(storage=storage, study_name=name, load_if_exists=True)


def run_trials(storage, count, name="a"):
    study = study_in(storage, name)
    for _ in range(count):
        trial = study.ask()
        study.tell(trial, trial.suggest_float("x", 0, 1))
    return study


POSTGRES = "HYPERBUDGET_TEST_POSTGRES"
"""The environment's name for the URI of a PostgreSQL database, where every test makes a schema and deletes it."""


@pytest.fixture
def postgres():
    given = os.environ.get(POSTGRES)
    if not given:
        pytest.skip(f"set {POSTGRES} to the URI of a PostgreSQL database to run this test there, too")
    name = f"test_{secrets.token_hex(4)}"
    uri = make_url(given).update_query_dict({"options": f"-csearch_path={name}", "application_name": name})
    uri = uri.render_as_string(hide_password=False)
    execute(uri, f"CREATE SCHEMA {name}")
    yield uri
    end_connections(uri)
    execute(uri, f"DROP SCHEMA {name} CASCADE")


def execute(uri, statement):
    engine = create_engine(uri, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        return connection.execute(text(statement)).rowcount


def end_connections(uri):
    """Those that others hold, as a server that is restarted does; how many there were."""
    others = "pid != pg_backend_pid() AND application_name = current_setting('application_name')"
    return execute(uri, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def uri(request, tmp_path):
    match request.param:
        case "sqlite":
            return f"sqlite:///{tmp_path}/optuna.db"
        case "journal":
            return f"journal:{tmp_path}/optuna.log"
        case _:
            return request.getfixturevalue("postgres")


def test_what_was_told_is_there_for_the_next_driver(uri):
    study = run_trials(open_storage(uri), 3)
    study.enqueue_trial({"x": 0.5})
    again = study_in(open_storage(uri))
    assert [trial.values for trial in again.trials[:3]] == [trial.values for trial in study.trials[:3]]
    assert again.ask().suggest_float("x", 0, 1) == 0.5
    assert [trial.state.name for trial in again.trials] == ["COMPLETE"] * 3 + ["RUNNING"]


def test_a_database_that_ends_idle_connections_is_asked_on_new_ones(postgres):
    said = []
    study = run_trials(open_storage(postgres, said.append), 1)
    assert end_connections(postgres) > 0
    study.tell(study.ask(), 1.0)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 2
    assert said == []


def test_a_driver_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = missing_driver("postgresql+psycopg://me:secret@host/x")
    assert said.startswith("no driver for postgresql is installed here (")
    assert said.endswith("pip install 'hyperbudget[postgres]'")
    for uri in ("sqlite:///a.db", "journal:a.log", "http://host:5000", "databricks", "postgres://host/x"):
        assert missing_driver(uri) is None


def test_a_database_that_mlflow_would_try_for_minutes_is_given_up_at_once(postgres):
    url = make_url(postgres).set(database="nowhere", query={})
    with pytest.raises(UserError, match='database "nowhere" does not exist') as caught:
        make(url.render_as_string(hide_password=False))
    assert "\n" not in str(caught.value)
    make(postgres)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("journal:///a/b.log", "/a/b.log"), ("journal:/a/b.log", "/a/b.log"), ("journal:b.log", f"{os.getcwd()}/b.log"),
        ("journal:~/b.log", os.path.expanduser("~/b.log")),
    ],
)  # fmt: skip
def test_the_file_of_a_journal(uri, path):
    assert str(journal_path(uri)) == path


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("journal:", "names no file"),
        ("journal://host/b.log", "journal:///host/b.log names the file from the root"),
        ("journal:/nowhere/b.log", "there is no folder /nowhere"),
        ("journal:/tmp", "is a folder"),
        ("sqlite:////nowhere/b.db", "unable to open database file"),
        ("nonsense", "Could not parse SQLAlchemy URL"),
        ("oracle://me:secret@host/x", "no driver for oracle is installed here"),
    ],
)
def test_a_storage_that_cannot_be_used_is_said_in_one_line(uri, said):
    with pytest.raises(UserError) as caught:
        open_storage(uri)
    assert said in str(caught.value)
    assert str(caught.value).startswith("--storage ")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("sqlite:///a/b.db", "sqlite:///{here}/a/b.db"), ("journal:b.log", "journal:{here}/b.log"),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"), ("journal:/b.log", "journal:/b.log"),
        ("journal:///b.log", "journal:///b.log"), ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite://"), ("postgresql://h/a", "postgresql://h/a"), (None, None),
    ],
)  # fmt: skip
def test_a_file_is_the_same_for_a_call_from_elsewhere(uri, kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute(uri) == (kept and kept.format(here=tmp_path))
    if kept:
        Stores.of(StudyFolder(tmp_path), uri).write(StudyFolder(tmp_path))
        assert Stores.of(StudyFolder(tmp_path)).storage == kept.format(here=tmp_path)


# -- journals ----------------------------------------------------------------------------------------------------------


def test_a_journal_torn_at_any_byte_of_its_last_line_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # hundreds of them, for nothing here
    whole = tmp_path / "whole.log"
    study = run_trials(open_storage(f"journal:{whole}"), 2)
    content = whole.read_bytes()
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    assert b'"values":[' in content[last:]  # the answer of the second trial
    for end in range(last, len(content)):
        torn = tmp_path / f"{end}.log"
        torn.write_bytes(content[:end])
        again = study_in(open_storage(f"journal:{torn}"))
        assert [trial.state.name for trial in again.trials] == ["COMPLETE", "RUNNING"]
        again.tell(1, study.trials[1].values)
        assert torn.read_bytes().startswith(content[:last])
        reread = study_in(JournalStorage(JournalFileBackend(str(torn))))  # as anybody else reads it
        assert [trial.values for trial in reread.trials] == [trial.values for trial in study.trials]


def test_without_the_cut_a_torn_line_ends_a_journal(tmp_path):
    """What `cut_torn_line` is for: Optuna alone appends to the torn line."""
    path = tmp_path / "optuna.log"
    run_trials(open_storage(f"journal:{path}"), 1)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError):
        study_in(JournalStorage(JournalFileBackend(str(path)))).set_user_attr("a", 1)
    with pytest.raises(UserError, match=f"--storage journal:{path}: Optuna cannot use it"):
        open_storage(f"journal:{path}")


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (b"a\n", b"a\n"), (b"a\nb", b"a\n"), (b"b", b""), (b"a\n" + b"b" * 10_000, b"a\n"),
     (b"a" * 5_000 + b"\n" + b"b" * 4_095, b"a" * 5_000 + b"\n")],
)  # fmt: skip
def test_the_cut(tmp_path, before, after):
    path = tmp_path / "file"
    path.write_bytes(before)
    cut_torn_line(path)
    assert path.read_bytes() == after


def hold(path, held):
    lock = JournalLock(path)
    lock.acquire()
    held.set()
    signal.pause()


def test_the_lock_of_a_killed_driver_is_free_at_once(tmp_path):
    path = tmp_path / "optuna.log"
    storage = open_storage(f"journal:{path}")
    run_trials(storage, 1)
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=hold, args=(path, held), daemon=True)
    process.start()
    assert held.wait(20)
    written = threading.Thread(target=run_trials, args=(storage, 1), daemon=True)
    written.start()
    written.join(0.3)
    assert written.is_alive()  # it waits for the lock
    process.kill()
    process.join()
    written.join(5)  # Optuna's own locks would block for 30 s
    assert not written.is_alive()
    assert len(study_in(storage).trials) == 2


def test_a_lock_that_optuna_left_is_no_matter(tmp_path):
    path = tmp_path / "optuna.log"
    run_trials(open_storage(f"journal:{path}"), 1)
    os.symlink(path, f"{path}.lock")
    run_trials(open_storage(f"journal:{path}"), 1)
    assert len(study_in(open_storage(f"journal:{path}")).trials) == 2


def write_many(path, name):
    run_trials(open_storage(f"journal:{path}"), 20, name)


def test_two_studies_write_one_journal_at_once(tmp_path):
    path = tmp_path / "optuna.log"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(path, name), daemon=True) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    for name in "ab":
        trials = study_in(open_storage(f"journal:{path}"), name).trials
        assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 20
        assert [trial.number for trial in trials] == list(range(20))


# -- storages that are away for a while --------------------------------------------------------------------------------


class Away(InMemoryStorage):
    """A storage that fails `times` times at the calls of `method`: before it did what it was asked, or `after`."""

    def __init__(self, method, times, *, after, error=None):
        super().__init__()
        self.calls = Counter()
        self.error = error or StorageInternalError("commit")
        if error is None:
            self.error.__cause__ = OperationalError("INSERT", {}, Exception("server closed the connection"))
        real = getattr(self, method)

        def failing(*arguments, **options):
            self.calls[method] += 1
            lost = self.calls[method] <= times
            if lost and not after:
                raise self.error
            answer = real(*arguments, **options)
            if lost:
                raise self.error
            return answer

        setattr(self, method, failing)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 0.0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def patient(backend, said, patience=60.0):
    time = Time()
    return Patient(backend, "Optuna's storage x", said.append, patience=patience, sleep=time.sleep, clock=time.clock)


METHODS = [
    "create_new_study", "create_new_trial", "set_trial_param", "set_trial_state_values", "set_trial_user_attr",
    "get_trial", "get_all_trials", "set_study_user_attr",
]  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_lost_or_done_twice(method, after):
    said = []
    backend = Away(method, 1 if after else 3, after=after)
    study = study_in(patient(backend, said))
    study.set_user_attr("a", 1)
    study.enqueue_trial({"x": 0.25})
    for expected in (0.25, None):
        trial = study.ask()
        trial.set_user_attr("b", 2)
        x = trial.suggest_float("x", 0, 1)
        assert expected in (None, x)
        study.tell(trial.number, x)
    trials = optuna.load_study(study_name="a", storage=backend).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 2
    assert all(trial.values == [trial.params["x"]] and trial.user_attrs == {"b": 2} for trial in trials)
    assert study.user_attrs == {"a": 1}
    assert said == [
        "Optuna's storage x does not answer (server closed the connection); waiting up to 60 s for it",
        f"Optuna's storage x answers again, after {0.2 if after else 1.8:.1f} s",
    ]


def test_a_trial_that_optuna_itself_made_twice_is_failed():
    """Its databases repeat the making of a trial inside, without looking whether the first attempt did it."""
    backend = InMemoryStorage()
    study = study_in(patient(backend, []))
    study.ask()
    real = backend.create_new_trial

    def twice(study_id, template=None):
        real(study_id, template)
        return real(study_id, template)

    backend.create_new_trial = twice
    assert study.ask().number == 2
    backend.create_new_trial = real
    assert study.ask().number == 3
    assert [trial.state.name for trial in study.trials] == ["RUNNING", "FAIL", "RUNNING", "RUNNING"]


def test_a_storage_that_stays_away_is_given_up():
    said = []
    study = study_in(patient(Away("set_study_user_attr", 10**9, after=False), said, patience=30))
    with pytest.raises(StorageInternalError, match="no answer for 30 s: server closed the connection"):
        study.set_user_attr("a", 1)
    assert len(said) == 1


def test_what_waiting_does_not_mend_is_not_waited_for():
    said = []
    study = study_in(patient(Away("set_study_user_attr", 1, after=False, error=ValueError("no")), said))
    with pytest.raises(ValueError, match="no"):
        study.set_user_attr("a", 1)
    assert said == []
    assert not transient(StorageInternalError("a value that is too long"))


def test_a_database_that_another_process_has_locked_is_waited_for(tmp_path, monkeypatch):
    uri = f"sqlite:///{tmp_path}/optuna.db?timeout=0.1"
    said = []
    study = run_trials(open_storage(uri, said.append), 1)
    connection = sqlite3.connect(tmp_path / "optuna.db", isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    threading.Timer(1.5, connection.close).start()
    began = time.monotonic()
    study.set_user_attr("a", 1)
    assert time.monotonic() - began > 1
    assert study.user_attrs == {"a": 1}
    assert "does not answer (database is locked); waiting up to 300 s" in said[0]
    assert "answers again" in said[1]


def test_a_journal_on_a_full_disk_is_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "optuna.log"
    said = []
    study = run_trials(open_storage(f"journal:{path}", said.append), 1)
    failures = iter([28, 28])
    real = os.fsync

    def full(descriptor):
        if number := next(failures, None):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - 7)  # the line came to disk in part
            raise OSError(number, os.strerror(number), str(path))
        return real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    study.ask()
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "RUNNING"]
    assert "No space left on device" in said[0]
    assert len(study_in(open_storage(f"journal:{path}")).trials) == 2
