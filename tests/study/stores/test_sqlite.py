"""How new SQLite databases write, and where."""

import sqlite3

import pytest
from sqlalchemy import create_engine, text

from hyperbudget.study.folder import StudyFolder
from hyperbudget.study.stores import sqlite
from hyperbudget.study.stores.database import make
from hyperbudget.study.stores.storage import open_storage
from hyperbudget.study.tracking.tracker import Tracker
from tests.study.support import tiny

NORMAL, FULL = 1, 2


def mode(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA journal_mode").fetchone()[0]


def on(monkeypatch, kind):
    """As if every file lay on a file system of this kind."""
    monkeypatch.setattr(sqlite, "file_system", lambda path: kind)


def mlflow(path):
    make(f"sqlite:///{path}")


def optuna(path):
    open_storage(f"sqlite:///{path}")


@pytest.mark.parametrize("open_there", [mlflow, optuna])
@pytest.mark.parametrize(("kind", "expected"), [("ext4", "wal"), ("nfs4", "delete"), (None, "delete")])
def test_a_new_database_writes_ahead_where_no_other_machine_can_see_it(
    monkeypatch, tmp_path, open_there, kind, expected
):
    on(monkeypatch, kind)
    open_there(tmp_path / "new.db")
    assert mode(tmp_path / "new.db") == expected


@pytest.mark.parametrize("open_there", [mlflow, optuna])
def test_one_that_is_there_stays_as_it_is(monkeypatch, tmp_path, open_there):
    on(monkeypatch, "nfs4")
    open_there(tmp_path / "old.db")
    on(monkeypatch, "ext4")
    open_there(tmp_path / "old.db")
    assert mode(tmp_path / "old.db") == "delete"


@pytest.mark.parametrize(("kind", "expected"), [("ext4", NORMAL), ("nfs4", FULL)])
def test_only_what_was_said_to_hurry_waits_for_no_disk(monkeypatch, tmp_path, kind, expected):
    on(monkeypatch, kind)
    mine, other = tmp_path / "mine.db", tmp_path / "other.db"
    sqlite.hurry(mine)
    sqlite.hurry(mine)
    found = {}
    for path in (mine, other):
        sqlite.write_ahead(path)
        with create_engine(f"sqlite:///{path}").connect() as connection:
            found[path] = connection.execute(text("PRAGMA synchronous")).scalar()
    assert found == {mine: expected, other: FULL}
    with create_engine("sqlite://").connect() as connection:  # of no file
        assert connection.execute(text("PRAGMA synchronous")).scalar() == FULL


def test_what_mlflow_is_told_waits_for_no_disk(monkeypatch, tmp_path):
    """The next call would say again what is missing (`Record.complete`)."""
    on(monkeypatch, "ext4")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    Tracker(uri, tiny(tmp_path), StudyFolder(tmp_path / "tiny"))
    with create_engine(uri).connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == NORMAL


def test_a_file_that_is_no_database_or_cannot_be_opened_is_left_to_its_reader(monkeypatch, tmp_path):
    on(monkeypatch, "ext4")
    (tmp_path / "text").write_bytes(b"no database, but more bytes than the head of one has" * 4)
    sqlite.write_ahead(tmp_path / "text")
    sqlite.write_ahead(tmp_path / "nowhere" / "new.db")
    assert [file.name for file in tmp_path.iterdir()] == ["text"]


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:////a/b.db", "/a/b.db"), ("sqlite:////a/b.db?timeout=5", "/a/b.db"), ("sqlite:///", None),
        ("sqlite:///:memory:", None), ("sqlite:///file:a.db?uri=true", None), ("postgresql://host/a", None),
    ],
)  # fmt: skip
def test_the_file_of_a_database(uri, file):
    assert (str(found) if (found := sqlite.file_of(uri)) else None) == file


MOUNTS = r"""
/dev/a / ext4 rw 0 0
/dev/b /home xfs rw 0 0
server:/x /home/shared\040files nfs4 rw 0 0
tmpfs /home/me tmpfs rw 0 0
server:/y /home/me nfs4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data.db", "ext4"), ("/home/data.db", "xfs"), ("/homes/data.db", "ext4"),
        ("/home/shared files/a/data.db", "nfs4"), ("/home/me/data.db", "nfs4"),
    ],
)  # fmt: skip
def test_the_file_system_is_that_of_the_deepest_and_topmost_mount(monkeypatch, tmp_path, path, kind):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.strip() + "\n")
    monkeypatch.setattr(sqlite, "MOUNTS", mounts)
    assert sqlite.file_system(sqlite.Path(path)) == kind


def test_where_nobody_says_it_no_file_system_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(sqlite, "MOUNTS", tmp_path / "nothing")
    assert sqlite.file_system(tmp_path) is None
