"""A text task's data by its name: read once a process, and known by a digest.

Imports torch only when data are loaded.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from hyperbudget.data.digest_file import check_digest
from hyperbudget.data.directory import data_dir as default_data_dir
from hyperbudget.data.enwik8 import download_enwik8, read_enwik8
from hyperbudget.data.ptb import download_ptb, read_ptb
from hyperbudget.data.pydocs import read_pydocs
from hyperbudget.data.tasks import TextTask, text_task
from hyperbudget.data.text_file import State, file_state, read_text_file
from hyperbudget.data.text_splits import Texts, cut, digest, vocabulary

if TYPE_CHECKING:
    from hyperbudget.data.text import TextData

DIGESTS = {
    "ptb": "4e1cd20dff9b42c9b9582206d32a0ac313dbea54afcae521b948ce26ef1bf68c",
    "enwik8": "91ca10559d6c96710905e17595a50096b1e865ea62088065b970d3e5f3a8ce4e",
}
"""`TextData.digest` of the tasks that exist in one version only; `load_text` refuses data that have another."""

CACHED = 4  # texts a process: a study has one


def load_text(name: str, data_dir: Path | None = None) -> TextData:
    """The data of a text task on the CPU; later calls of the process return the same object, so do not write to its
    tensors. (The file of ``text:PATH`` is read again when its size or time has changed.)

    `data_dir`: the folder of the data sets, by default the one of `hyperbudget.data.directory.data_dir`.
    Raises UserError for an unknown task, a file that cannot be downloaded, or one whose content is wrong.
    """
    task = text_task(name)
    return _load(task, _folder(task, data_dir), _state(task))


def text_digest(name: str, data_dir: Path | None = None) -> str:
    """What `load_text(name, data_dir).digest` is. For a task in `DIGESTS` nothing is read; another text is, once.

    Raises UserError for an unknown task, and for a text that cannot be read.
    """
    task = text_task(name)
    return DIGESTS.get(task.name) or _computed(task, _folder(task, data_dir), _state(task))[0]


def text_symbols(name: str, data_dir: Path | None = None) -> int:
    """How many symbols the vocabulary of `load_text(name, data_dir)` has: a model's size depends on it.

    Where the task says it nothing is read. Raises UserError as `text_digest` does.
    """
    task = text_task(name)
    return task.symbols or _computed(task, _folder(task, data_dir), _state(task))[1]


def text_sizes(name: str, data_dir: Path | None = None) -> tuple[int, int, int]:
    """Symbols of the training, validation and test splits. Where the task says them nothing is read.

    Raises UserError as `text_digest` does.
    """
    task = text_task(name)
    return task.splits or _computed(task, _folder(task, data_dir), _state(task))[2]


def prepare_text(name: str, data_dir: Path | None = None) -> None:
    """Download what a task needs and what is missing, so that no worker has to. Raises UserError like `load_text`."""
    download_text(name, data_dir)
    text_digest(name, data_dir)


def download_text(name: str, data_dir: Path | None = None) -> None:
    """Download what is missing. Raises UserError like `load_text`."""
    task = text_task(name)
    if task.name == "ptb":
        download_ptb(_folder(task, data_dir))
    elif task.name == "enwik8":
        download_enwik8(_folder(task, data_dir))


def _folder(task: TextTask, data_dir: Path | None) -> Path:
    """Where a task that is downloaded lies; the others do not use it."""
    return (data_dir if data_dir is not None else default_data_dir()).absolute() / task.name.partition(":")[0]


def _state(task: TextTask) -> State | None:
    return None if task.path is None else file_state(task.path)


@functools.lru_cache(maxsize=CACHED)
def _load(task: TextTask, folder: Path, state: State | None) -> TextData:
    from hyperbudget.data.text import text_data

    data = text_data(task, _read(task, folder))
    check_digest(task.name, data.digest, DIGESTS.get(task.name, data.digest))
    return data


@functools.lru_cache(maxsize=CACHED)
def _computed(task: TextTask, folder: Path, state: State | None) -> tuple[str, int, tuple[int, int, int]]:
    """Digest, number of symbols in the vocabulary, and in each split."""
    texts = _read(task, folder)
    return digest(texts), len(vocabulary(task, texts)), (len(texts.train), len(texts.validation), len(texts.test))


def _read(task: TextTask, folder: Path) -> Texts:
    if task.name == "ptb":
        return read_ptb(folder, task=task)
    if task.path is not None:
        return cut(task, read_text_file(task.path))
    return cut(task, read_enwik8(folder, task=task) if task.name == "enwik8" else read_pydocs())
