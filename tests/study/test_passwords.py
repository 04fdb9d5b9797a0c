"""Passwords in URIs are in none of what is shown, logged or reported."""

import stat
import sys

import optuna
import pytest
import ray
from click.testing import CliRunner
from mlflow.exceptions import MlflowException

from hyperbudget.cli import main
from hyperbudget.errors import UserError
from hyperbudget.study import session
from hyperbudget.study.doctor.examine import examine
from hyperbudget.study.doctor.verdicts import Wanted, machine
from hyperbudget.study.folder import Stores, StudyFolder, masked, write_json
from hyperbudget.study.results.collect import _attributes
from hyperbudget.study.search import space
from hyperbudget.study.workers import cluster
from hyperbudget.study.workers.reasons import failed
from tests.study.support import tiny

URI = "postgresql+psycopg2://me:s3cret@host:5432/db"
SHOWN = "postgresql+psycopg2://me:***@host:5432/db"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (URI, SHOWN),
        (f"could not connect to '{URI}' (timeout)", f"could not connect to '{SHOWN}' (timeout)"),
        ("redis://:s3cret@host", "redis://:***@host"),
        ("http://me:s3/cr@e:t@host/x", "http://me:***@host/x"),
        ("http://h/x?user=me&password=s3cret&a=b", "http://h/x?user=me&password=***&a=b"),
        ("http://a:s3cret@x failed, and http://b:s3cret@y", "http://a:***@x failed, and http://b:***@y"),
        ("sqlite:////tmp/a:b@c/optuna.db", "sqlite:////tmp/a:b@c/optuna.db"),
        ("http://me@host:5000/x", "http://me@host:5000/x"),
        ("http://host:5000", "http://host:5000"),
        ("ray://me:s3cret@head:10001", "ray://me:***@head:10001"),
    ],
)
def test_masked(text, shown):
    assert masked(text) == shown


def test_the_command_that_is_recorded(tmp_path, monkeypatch):
    study = tiny(tmp_path)
    arguments = ["run", "tiny", "--storage", URI, f"--tracking-uri={URI}", "--address", "ray://me:s3cret@head:10001"]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/hyperbudget", *arguments])
    assert "s3cret" not in session.command(study)
    assert SHOWN in session.command(study)
    folder = StudyFolder(tmp_path)
    write_json(folder.call, {"command": f"hyperbudget run tiny --storage {URI}"})  # as an earlier version left it
    assert "s3cret" not in str(_attributes(study, folder, []))


def test_the_file_that_keeps_them_is_private(tmp_path):
    folder = StudyFolder(tmp_path)
    Stores(URI, "sqlite:///a.db").write(folder)
    assert stat.S_IMODE(folder.stores.stat().st_mode) == 0o600
    assert Stores.of(folder).storage == URI
    assert "s3cret" not in repr(Stores.of(folder)) + repr(session.Options(storage=URI, address=URI, tracking_uri=URI))


def test_why_a_run_failed():
    try:
        raise ValueError(f"no data at {URI}")
    except ValueError as error:
        outcome = failed(error)
    assert outcome["reason"] == f"ValueError: no data at {SHOWN}"
    assert "s3cret" not in outcome["traceback"]


def test_what_the_command_prints_of_any_mistake(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(tmp_path))
    tiny(tmp_path)
    for arguments in (["--set", f"question={URI}"], ["--set", f"task={URI}"]):
        done = CliRunner().invoke(main, ["check", str(tmp_path / "tiny.yaml"), *arguments])
        assert "s3cret" not in done.output, arguments
    assert "is not one of" in CliRunner().invoke(main, ["check", str(tmp_path / "tiny.yaml"), "--set", "task=x"]).output


def test_what_the_doctor_shows_of_settings_and_data(monkeypatch, tmp_path):
    monkeypatch.setenv("HYPERBUDGET_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HYPERBUDGET_MNIST_URL", "http://127.0.0.1:9/x?token=s3cret")
    wanted = Wanted(tmp_path, ("mnist",), None, None)
    shown = str(list(machine(examine(tmp_path, ("mnist",), True), wanted)))
    assert "token=***" in shown
    assert "s3cret" not in shown


def refusal(call, *arguments, **options):
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    return str(caught.value)


def test_what_stores_and_clusters_say_when_they_fail(tmp_path, monkeypatch):
    study = tiny(tmp_path)

    def fail(*_, **__):
        raise ConnectionError(f"no answer from {URI}")

    monkeypatch.setattr(optuna, "create_study", fail)
    monkeypatch.setattr(ray, "init", fail)
    said = [
        refusal(space.open_study, study, URI),
        refusal(cluster.connect, URI, 1, 0, None),
        str(session.lost_store(MlflowException(f"API request to {URI}/api failed"), Stores(URI, URI))),
    ]
    Stores(URI, "sqlite:///a.db").write(StudyFolder(tmp_path))
    (StudyFolder(tmp_path).runs / "a").mkdir(parents=True)
    said.append(refusal(Stores.of, StudyFolder(tmp_path), storage=URI.replace("5432", "1")))
    for text in said:
        assert "s3cret" not in text
        assert "***" in text
