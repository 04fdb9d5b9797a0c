"""A whole call of ``run``, but for its processes: what it keeps of its options, and which results it goes on with."""

import errno
import shutil

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from hyperbudget.errors import UserError
from hyperbudget.study import owner
from hyperbudget.study.folder import Stores, StudyFolder, read_json
from hyperbudget.study.session import Options, run_study, set_aside
from hyperbudget.study.stores import database, outage
from hyperbudget.study.tracking.tracker import Tracker, all_runs
from hyperbudget.study.workers import pool
from tests.study.support import InlinePool, Silent, results, tiny


class Inline(InlinePool):
    def __init__(self, **_):
        super().__init__()

    def close(self): ...


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs the study for one of its users, each with a folder of results of their own."""
    monkeypatch.setattr(pool, "Pool", Inline)

    def call(user, name, *overrides, **options):
        monkeypatch.setenv("HYPERBUDGET_RESULTS", str(tmp_path / user))
        return run_study(tiny(tmp_path, *overrides, name=name), Options(**options), Silent())

    return call


def test_two_users_of_one_storage_and_one_server(run, tmp_path, tracking):
    shared = {"storage": f"sqlite:///{tmp_path}/trials.db", "tracking_uri": tracking}
    assert run("mine", "one-storage", **shared).finished == 8
    for _ in range(2):
        with pytest.raises(UserError, match=r"^--storage sqlite:.* has a study 'one-storage' already, of other") as one:
            run("yours", "one-storage", **shared)
        assert one.value.exit_code == 2
    elsewhere = shared | {"storage": f"sqlite:///{tmp_path}/others.db"}
    with pytest.raises(UserError, match=r"^--tracking-uri sqlite:.* has a study 'one-storage' already, of other"):
        run("yours", "one-storage", **elsewhere)
    assert not results(StudyFolder(tmp_path / "yours" / "one-storage"))
    assert run("yours", "one-storage", "name=another-name", **shared).finished == 8  # the way out
    assert run("mine", "one-storage").finished == 8


def test_results_that_are_no_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HYPERBUDGET_RESULTS", "s3://me:s3cret@bucket/results")
    with pytest.raises(UserError, match=r"^HYPERBUDGET_RESULTS=s3://me:\*\*\*@bucket/results: is no folder;"):
        StudyFolder.of("tiny")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HYPERBUDGET_RESULTS", "~/results")
    assert StudyFolder.of("tiny").path == tmp_path / "results" / "tiny"


def test_a_server_that_does_not_know_its_name():
    """As MLflow's says it, which listens to localhost and addresses alone unless it is told."""
    refusal = "API request failed with error code 403 != 200. Response body: 'Invalid Host header - possible DNS ...'"
    assert outage.words(MlflowException(refusal)).endswith("its own name: mlflow server --allowed-hosts 'HOST:*'")
    assert outage.words(MlflowException("403: forbidden")) == "403: forbidden"


@pytest.mark.parametrize(
    ("option", "uri"), [("storage", "sqlite:////nowhere/x.db"), ("tracking_uri", "http://127.0.0.1:9")]
)
def test_a_store_that_cannot_be_used_is_said_before_ray_starts(run, monkeypatch, option, uri):
    monkeypatch.setattr(pool, "Pool", lambda **_: pytest.fail("Ray was started"))
    with pytest.raises(UserError, match=r"^--\w"):
        run("mine", "said-first", **{option: uri})


def test_a_disk_that_is_full_before_ray_starts_is_said_in_one_line(run, monkeypatch):
    def full(folder):
        raise OSError(errno.ENOSPC, "No space left on device", str(folder.mark))

    monkeypatch.setattr(owner, "mark", full)
    with pytest.raises(UserError, match=r"^/.*/full/mark failed: No space left on device\nnothing is lost"):
        run("mine", "full")


def test_a_store_that_cannot_be_used_is_not_kept_for_the_next_call(run, tmp_path, tracking):
    for option, wrong in [
        ("storage", "sqlite:////nowhere/x.db"), ("tracking_uri", "http://127.0.0.1:9"), ("storage", ""),
        ("tracking_uri", "nonsense"), ("tracking_uri", "sqlite:////proc/mlflow.db"),
    ]:  # fmt: skip
        given = {"storage": f"sqlite:///{tmp_path}/trials.db", "tracking_uri": tracking, option: wrong}
        with pytest.raises(UserError, match=r"^--\w") as caught:
            run("mine", "not-kept", **given)
        assert str(caught.value).startswith("--storage" if option == "storage" else "--tracking-uri")
        assert "\n" not in str(caught.value)
    folder = StudyFolder(tmp_path / "mine" / "not-kept")
    assert not folder.stores.exists()
    assert run("mine", "not-kept", tracking_uri=tracking).finished == 8
    assert read_json(folder.stores) == {"storage": "sqlite:///optuna.db", "tracking": tracking}


def uris(tracking):
    """Of all artifacts that MLflow knows of."""
    client = MlflowClient(tracking_uri=tracking)
    (experiment,) = client.search_experiments(filter_string="name LIKE 'moved%'")
    runs = all_runs(client, experiment.experiment_id)
    versions = client.search_model_versions()
    return [experiment.artifact_location, *(run.info.artifact_uri for run in runs), *(one.source for one in versions)]


@pytest.mark.parametrize("way", ["moved", "copied", "begun by an earlier version", "recorded elsewhere"])
def test_a_folder_of_results_that_was_moved_goes_on(run, tmp_path, way):
    here, there = StudyFolder(tmp_path / "here" / "moved"), StudyFolder(tmp_path / "there" / "moved")
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"
    given = {"tracking_uri": elsewhere} if way == "recorded elsewhere" else {}
    assert run("here", "moved", "budget.runs=4", **given).finished == 4
    before = results(here)
    tracking = Stores.of(here).tracking
    client = MlflowClient(tracking_uri=tracking)
    one = all_runs(client, client.get_experiment_by_name("moved").experiment_id)[0]
    client.create_registered_model("moved")
    client.create_model_version("moved", f"{one.info.artifact_uri}/model", run_id=one.info.run_id)
    shutil.copytree(here.path, there.path)
    if way != "copied":
        shutil.rmtree(here.path)
    if way == "begun by an earlier version":
        there.stores.write_text(
            f'{{"storage": "{here.default_storage()}", "tracking": "{here.default_tracking()}"}}', encoding="utf-8"
        )
    assert run("there", "moved", "budget.runs=").finished == 8
    assert before.items() <= results(there).items()  # nothing again
    tracking = given.get("tracking_uri", there.default_tracking())
    assert Stores.of(there) == Stores(there.default_storage(), tracking)
    found = uris(tracking)
    assert len(found) == 1 + 12 + 1
    assert {uri.startswith(f"{there.path.as_uri()}/artifacts") for uri in found} == {True}
    assert here.path.exists() == (way == "copied")
    if way == "copied":
        assert {uri.startswith(here.path.as_uri()) for uri in uris(here.default_tracking())} == {True}


@pytest.mark.parametrize("location", ["file:///mnt/models", "mlflow-artifacts:/1/moved/artifacts", "s3://models/moved"])
def test_an_experiment_of_the_users_own_keeps_its_location(run, monkeypatch, tmp_path, location):
    tracking = f"sqlite:///{tmp_path}/elsewhere.db"
    database.make(tracking)
    MlflowClient(tracking_uri=tracking).create_experiment("moved", artifact_location=location)
    monkeypatch.setattr(Tracker, "_attach", lambda *_: None)
    assert run("mine", "moved", "budget.runs=2", tracking_uri=tracking).finished == 2
    assert {uri.startswith(location) for uri in uris(tracking)} == {True}


def test_results_that_were_set_aside_still_know_their_databases(run, tmp_path):
    run("mine", "set-aside", "budget.runs=2")
    set_aside(StudyFolder(tmp_path / "mine" / "set-aside"))
    (old,) = (tmp_path / "mine").glob("set-aside.*")
    assert Stores.of(StudyFolder(old)) == Stores(f"sqlite:///{old}/optuna.db", f"sqlite:///{old}/mlflow.db")


def test_results_that_are_recorded_elsewhere_are_not_set_aside(run, tmp_path):
    run("mine", "kept", "budget.runs=2", tracking_uri=f"sqlite:///{tmp_path}/elsewhere.db")
    with pytest.raises(UserError, match="recorded in stores outside its folder"):
        set_aside(StudyFolder(tmp_path / "mine" / "kept"))
