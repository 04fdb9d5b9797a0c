"""Databases by their URIs: the driver that reads them, and MLflow's, made whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import urllib.request
from pathlib import Path

from hyperbudget.errors import UserError
from hyperbudget.study.listens import silent
from hyperbudget.study.stores import outage, sqlite


def missing_driver(uri: str) -> str | None:
    """What to tell the user when no driver for the database at `uri` is installed; else, and of what is no database,
    None.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(uri)
        url.get_dialect().import_dbapi()
    except ArgumentError:
        return None
    except ImportError as error:
        name = url.get_backend_name()
        package = "pip install 'hyperbudget[postgres]'" if name == "postgresql" else "install the package that reads it"
        return f"no driver for {name} is installed here ({' '.join(str(error).split())}); {package}"
    return None


def make(uri: str) -> None:
    """Make MLflow's SQLite database at `uri` where there is none; other stores are left to MLflow.

    It takes dozens of migrations, and MLflow refuses what a process leaves that dies in between: so they are done under
    another name. Raises UserError when a database or a server cannot be reached, or a file cannot be made, where MLflow
    alone would try for minutes.
    """
    if "://" not in uri and uri != "databricks":
        raise UserError("it is none of sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DB and http://HOST:PORT")
    if not uri.startswith(sqlite.SQLITE):
        reach(uri)
        _connect(uri)
        return
    path = sqlite.file_of(uri)
    if path is None or path.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
    except OSError as error:
        raise UserError(f"{path} cannot be made ({error.strerror})") from None
    try:
        SqlAlchemyStore(f"{sqlite.SQLITE}{partial}", "./mlruns").engine.dispose()
        sqlite.write_ahead(partial)
        if not path.exists():  # another study may have made it meanwhile
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


PLACES = [
    ("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"),
    ("model_versions", "source"), ("model_versions", "storage_location"),
]  # fmt: skip
"""Where MLflow's database says where files are, as table and column."""


def follow(file: Path, old: str, new: str) -> None:
    """Have MLflow's SQLite database `file` name by `new` what it named by `old`, the URI of a folder that was moved,
    and all that is in there: MLflow knows its artifacts by whole paths, and has no command that changes them.

    All or nothing. Raises sqlite3.Error when it cannot be written.
    """
    with contextlib.closing(sqlite3.connect(file, timeout=20)) as connection, connection:
        for table, column in PLACES:
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if column in columns:  # those that this MLflow has
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
                )


def reach(uri: str) -> None:
    """Raise UserError when nothing listens where `uri` points: drivers try for minutes. A proxy's word is not asked."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(uri)
    except ArgumentError:
        return
    known = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}
    scheme = url.drivername.partition("+")[0]
    port = url.port or known.get(scheme)
    behind_proxy = scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(url.host or "")
    if url.host and port and not behind_proxy and (nothing := silent(url.host, port)):
        raise UserError(f"{nothing}; is it up?")


def _connect(uri: str) -> None:
    """Connect once to the database at `uri`; what is none is left alone."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, DBAPIError

    if missing := missing_driver(uri):
        raise UserError(missing)
    try:
        engine = create_engine(uri)
    except ArgumentError:
        return
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise UserError(outage.words(error.orig or error)) from None
    finally:
        engine.dispose()
