import optuna
import pytest

from hyperbudget.study.folder import StudyFolder
from tests.study.commands import Command
from tests.study.support import TINY, Bench, counter, tiny


@pytest.fixture(scope="session")
def tracking(tmp_path_factory):
    """One MLflow database for all tests (making one takes seconds); each test has an experiment of its own."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def bench(tmp_path, tracking):
    """Makes a bench for a study's text."""

    def make(text=TINY, *overrides, tracked=True):
        study = tiny(tmp_path, *overrides, text=text, name=f"study-{next(counter)}")
        uri = tracking if tracked else None
        return Bench(study, StudyFolder(tmp_path / study.name), uri, optuna.storages.InMemoryStorage())

    return make


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The command on the tiny study, run without a fault."""
    command = Command(tmp_path_factory.mktemp("undisturbed"))
    code, out, err = command.run()
    assert (code, out) == (0, "tiny: 8 runs finished, 0 failed\n"), err
    command.assert_complete()
    return command
