"""Whose a study is, in a store that several folders of results are recorded in: the one's that began it there.

Stores know a study by its name alone. Two folders of results with studies of one name, of two users or on two machines,
would take each other's trials and runs for their own.
"""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING

from hyperbudget.errors import UserError
from hyperbudget.study.folder import StudyFolder, write_text

if TYPE_CHECKING:
    import optuna

OWNER = "hyperbudget.results"
"""What the attribute of Optuna's study, and the tag of MLflow's experiment, are called."""


class Others(UserError):
    """The store has a study of this name that belongs to another folder of results."""


def mark(folder: StudyFolder) -> str:
    """What `folder` is known by, also where it is moved, or mounted elsewhere: a token, and where it was made."""
    if not folder.mark.exists():
        folder.path.mkdir(parents=True, exist_ok=True)
        write_text(folder.mark, f"{secrets.token_hex(8)} {socket.gethostname()}:{folder.path}\n", durable=True)
    return folder.mark.read_text(encoding="utf-8").strip()


def refuse_others(owner: str, folder: StudyFolder, place: str) -> None:
    """Raise Others unless the study that `owner` has in the store at `place` is the one in `folder`."""
    token, _, where = owner.partition(" ")
    if token != mark(folder).partition(" ")[0]:
        raise Others(
            f"{place}: has a study '{folder.path.name}' already, of other results than these in {folder.path}: those "
            f"begun in {where}; give this one another name (name: in the file, or --set name=NAME), or go on with "
            "those results by HYPERBUDGET_RESULTS"
        )


def claim(trials: optuna.Study, folder: StudyFolder, place: str) -> None:
    """Make `trials` those of `folder`, unless they are others': see `refuse_others`.

    Of two folders that claim a new study at once the later one has it: the other one finds that when it claims again.
    """
    if OWNER not in trials.user_attrs:  # a new one, or begun by an earlier version
        trials.set_user_attr(OWNER, mark(folder))
    refuse_others(trials.user_attrs[OWNER], folder, place)
