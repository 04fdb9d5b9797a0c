"""One driver a study at a time, also where machines share a folder but not its locks."""

import socket
import threading
import time

import pytest

from hyperbudget.errors import UserError
from hyperbudget.study import lock
from hyperbudget.study.folder import StudyFolder, read_json, write_json
from hyperbudget.study.lock import driver_alive, locked, sign_path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "BEAT", 0.05)
    monkeypatch.setattr(lock, "SILENCE", 0.4)
    return StudyFolder(tmp_path / "results" / "tiny")


class Elsewhere:
    """A driver on another machine, whose lock is not seen here."""

    def __init__(self, folder):
        self.folder, self.over, self.beat = folder, threading.Event(), 0
        self.sign()
        self.thread = threading.Thread(target=self.live, daemon=True)

    def sign(self):
        self.beat += 1
        write_json(sign_path(self.folder), {"host": "other", "process": 1, "beat": str(self.beat)})

    def live(self):
        while not self.over.wait(0.05):
            self.sign()

    def die(self):
        self.over.set()
        self.thread.join()


@pytest.fixture
def elsewhere(folder):
    folder.path.mkdir(parents=True)
    driver = Elsewhere(folder)
    yield driver
    driver.over.set()


def test_a_second_driver_here_is_refused_at_once(folder):
    with (
        locked(folder),
        pytest.raises(UserError, match=r"tiny: another 'hyperbudget run' is at work on this study; wait"),
        locked(folder),
    ):
        raise AssertionError
    with locked(folder):  # nothing is left of it
        assert driver_alive(folder)
    assert not driver_alive(folder)


def test_a_driver_gives_signs_of_life_and_takes_them_away(folder):
    with locked(folder):
        deadline, seen = time.monotonic() + 20, set()
        while len(seen) < 3:
            assert time.monotonic() < deadline
            sign = read_json(sign_path(folder)) or {}
            seen |= {sign["beat"]} if sign else set()
            assert sign.get("host", socket.gethostname()) == socket.gethostname()
            time.sleep(0.01)
    assert not sign_path(folder).exists()


def test_one_that_is_alive_elsewhere_is_found_without_its_lock(folder, elsewhere):
    elsewhere.thread.start()
    said = []
    with pytest.raises(UserError, match="another 'hyperbudget run' is at work on this study, on other; wait for it"):
        locked(folder, said.append).__enter__()
    assert said == ["a driver on other has not ended by itself; waiting 0.4 s for a sign of life of it"]
    assert driver_alive(folder)
    elsewhere.die()
    with locked(folder):  # the refused one left no lock of its own, either
        pass


def test_one_that_died_elsewhere_is_waited_for_and_no_longer(folder, elsewhere):
    with locked(folder):
        assert (read_json(sign_path(folder)) or {}).get("host") in (None, "other", socket.gethostname())
    assert not sign_path(folder).exists()


def test_one_that_ends_meanwhile_is_not_waited_for(folder, elsewhere, monkeypatch):
    monkeypatch.setattr(lock, "SILENCE", 60.0)
    elsewhere.thread.start()
    threading.Timer(0.0, lambda: (elsewhere.die(), sign_path(folder).unlink())).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lock, "BEAT", 1.0)  # the first look is after its end
        with locked(folder):
            pass


def test_a_driver_killed_here_costs_no_time(folder, elsewhere):
    """The lock ended with its process, whatever its sign says."""
    write_json(sign_path(folder), {"host": socket.gethostname(), "process": 1, "beat": "1"})
    said = []
    with locked(folder, said.append):
        pass
    assert said == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be written \(.*\); set HYPERBUDGET_RESULTS"):
        locked(StudyFolder(tmp_path / "file" / "tiny")).__enter__()
