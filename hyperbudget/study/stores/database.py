"""Databases by their URIs: the driver that reads them, and MLflow's, made whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from hyperbudget.errors import UserError
from hyperbudget.study.stores import outage

SQLITE = "sqlite:///"


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
    another name. Raises UserError when a database of another kind cannot be connected to, where MLflow alone would try
    for minutes.
    """
    if not uri.startswith(SQLITE):
        _connect(uri)
        return
    path = Path(uri.removeprefix(SQLITE).partition("?")[0])
    if path.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        SqlAlchemyStore(f"{SQLITE}{partial}", "./mlruns").engine.dispose()
        if not path.exists():  # another study may have made it meanwhile
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
