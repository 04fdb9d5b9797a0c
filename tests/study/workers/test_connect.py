"""Which Ray a study joins; joining one for real is in tests/study/cluster."""

import socket

import pytest

from hyperbudget.errors import UserError
from hyperbudget.study.workers.cluster import _environment, connect, noted
from hyperbudget.study.workers.execute import execute


@pytest.fixture
def note(tmp_path, monkeypatch):
    """The file in which ``ray start`` notes its cluster."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    return tmp_path / "ray" / "ray_current_cluster"


def test_auto_is_where_ray_start_was_called(note):
    note.write_text("10.0.0.7:6379")
    assert noted() == "10.0.0.7:6379"


def test_auto_is_first_what_the_environment_says(note, monkeypatch):
    note.write_text("10.0.0.7:6379")
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.8:6379")
    assert noted() == "10.0.0.8:6379"


@pytest.mark.parametrize("said", ["", "auto"])
def test_auto_takes_no_ray_that_nobody_named(note, monkeypatch, said):
    monkeypatch.setenv("RAY_ADDRESS", said)
    with pytest.raises(UserError, match="--address auto: no Ray cluster answers there"):
        connect("auto", 1, 0, None)


def test_a_cluster_that_is_gone(note):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    note.write_text(address)
    with pytest.raises(UserError, match=f"--address {address}: nothing answers"):
        connect("auto", 1, 0, None)


def test_workers_find_the_package_that_the_driver_has():
    (root, *_) = _environment()["env_vars"]["PYTHONPATH"].split(":")
    assert execute.__code__.co_filename == f"{root}/hyperbudget/study/workers/execute.py"
