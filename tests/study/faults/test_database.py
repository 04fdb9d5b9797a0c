"""A process that dies while MLflow's database is made leaves nothing that MLflow would refuse for ever."""

import multiprocessing
import sqlite3
import time

import pytest
from mlflow import MlflowClient

from hyperbudget.errors import UserError
from hyperbudget.study.stores import database


def test_killed_in_the_middle_of_the_migrations(tmp_path):
    path = tmp_path / "results" / "mlflow.db"
    uri = f"sqlite:///{path}"
    process = multiprocessing.get_context("spawn").Process(target=database.make, args=(uri,))
    process.start()
    deadline = time.monotonic() + 120
    while not any(tables(file) > 3 for file in path.parent.glob("*.part")):
        assert time.monotonic() < deadline
        assert process.is_alive()
        time.sleep(0.001)
    process.kill()
    process.join()
    assert not path.exists()
    database.make(uri)
    assert [found.name for found in MlflowClient(tracking_uri=uri).search_experiments()] == ["Default"]


def tables(file):
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0) as connection:
            return connection.execute("select count(*) from sqlite_master").fetchone()[0]
    except sqlite3.Error:
        return 0


def test_what_is_there_is_left_alone(tmp_path):
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"mine")
    database.make(f"sqlite:///{path}")
    assert path.read_bytes() == b"mine"
    assert [file.name for file in tmp_path.iterdir()] == ["mlflow.db"]


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://127.0.0.1:9", r"^nothing answers at 127\.0\.0\.1, port 9 \(Connection refused\); is it up\?$"),
        ("sqlite:////proc/nowhere/mlflow.db", r"^/proc/nowhere/mlflow.db cannot be made \(No such file or dir"),
        ("mlruns", r"^it is none of sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DB and http://HOST:PORT$"),
    ],
)
def test_what_mlflow_would_try_for_minutes_is_said_at_once(uri, said):
    with pytest.raises(UserError, match=said):
        database.make(uri)


def test_a_server_behind_a_proxy_is_left_to_mlflow(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    database.make("http://nowhere.invalid:5000")
    monkeypatch.setenv("no_proxy", "nowhere.invalid")
    with pytest.raises(UserError, match="nothing answers at nowhere"):
        database.make("http://nowhere.invalid:5000")
