"""Studies of one name in one store: the one that was begun there goes on, others are told to take another name."""

import dataclasses
import shutil
from functools import partial

import mlflow
import optuna
import pytest

from hyperbudget.errors import UserError
from hyperbudget.study.folder import StudyFolder
from hyperbudget.study.owner import OWNER, claim, mark
from hyperbudget.study.search.space import open_study
from hyperbudget.study.tracking.tracker import Tracker
from tests.study.support import tiny

PLACE = "--storage postgresql://h/x"


@pytest.fixture
def folders(tmp_path):
    """Of one study, in two people's results."""
    found = [StudyFolder(tmp_path / user / "tiny") for user in ("mine", "yours")]
    for folder in found:
        folder.path.mkdir(parents=True)
    return found


@pytest.fixture
def begun(tmp_path):
    """Opens the study in one storage, for a folder."""
    study, storage = tiny(tmp_path), optuna.storages.InMemoryStorage()
    return lambda folder: open_study(study, storage, compared=True, own=partial(claim, folder=folder, place=PLACE))


def test_trials_are_those_of_the_folder_that_began_them(folders, begun):
    mine, yours = folders
    begun(mine).ask()
    for _ in range(2):  # refused again and again
        with pytest.raises(UserError) as caught:
            begun(yours)
        said = str(caught.value)
        assert said.startswith(f"{PLACE}: has a study 'tiny' already, of other results than these in {yours.path}")
        assert f":{mine.path}; give this one another name (name: in the file, or --set name=NAME)" in said
        assert "\n" not in said
    assert len(begun(mine).trials) == 1


def test_a_folder_is_known_wherever_it_is(folders, begun, tmp_path):
    """As a shared one is, which other machines see elsewhere."""
    begun(folders[0])
    moved = StudyFolder(tmp_path / "mounted" / "tiny")
    moved.path.parent.mkdir()
    shutil.move(folders[0].path, moved.path)
    assert begun(moved).user_attrs[OWNER] == mark(moved)


def test_a_study_of_an_earlier_version_goes_on_and_is_owned_from_then_on(folders, tmp_path, begun):
    mine, yours = folders
    study = tiny(tmp_path)
    storage = optuna.storages.InMemoryStorage()
    open_study(study, storage).ask()
    opened = open_study(study, storage, own=partial(claim, folder=mine, place=PLACE))
    assert opened.user_attrs[OWNER] == mark(mine)
    with pytest.raises(UserError):
        open_study(study, storage, own=partial(claim, folder=yours, place=PLACE))


def test_of_two_that_begin_at_once_one_is_refused(folders):
    """Both found no owner; the second claim, once everything is open, decides."""
    trials = optuna.create_study()
    trials.set_user_attr(OWNER, mark(folders[0]))
    trials.set_user_attr(OWNER, mark(folders[1]))
    claim(trials, folders[1], PLACE)
    with pytest.raises(UserError, match="has a study 'tiny' already"):
        claim(trials, folders[0], PLACE)


def test_mlflows_experiment_has_one_folder_too(folders, bench):
    """The bench's results are a third folder."""
    made = bench()
    mine, yours = (StudyFolder(folder.path.with_name(made.study.name)) for folder in folders)
    for folder in (mine, mine):
        tracker = Tracker(made.tracking, made.study, folder)
    experiment = tracker.client.get_experiment(tracker.experiment)
    assert experiment.tags[OWNER] == mark(mine)
    with pytest.raises(UserError, match=rf"^--tracking-uri sqlite:.*: has a study '{made.study.name}' already"):
        Tracker(made.tracking, made.study, yours)
    mlflow.MlflowClient(made.tracking).delete_experiment_tag(tracker.experiment, OWNER)
    assert Tracker(made.tracking, made.study, yours).experiment == tracker.experiment  # of an earlier version
    with pytest.raises(UserError):
        Tracker(made.tracking, made.study, mine)


def test_another_name_is_a_way_out(folders, begun, tmp_path):
    begun(folders[0])
    renamed = dataclasses.replace(tiny(tmp_path), name="other")
    storage = optuna.storages.InMemoryStorage()
    open_study(renamed, storage, own=partial(claim, folder=folders[1], place=PLACE))
