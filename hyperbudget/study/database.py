"""MLflow's database, made whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

SQLITE = "sqlite:///"


def make(uri: str) -> None:
    """Make MLflow's SQLite database at `uri` where there is none; other stores are left to MLflow.

    It takes dozens of migrations, and MLflow refuses what a process leaves that dies in between: so they are done under
    another name.
    """
    path = Path(uri.removeprefix(SQLITE).partition("?")[0])
    if not uri.startswith(SQLITE) or path.exists():
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
