"""A task's data by its name: read once a process, and known by a digest that is there without reading them.

Imports torch only when data are loaded or fetched.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from hyperbudget.data import digest_file
from hyperbudget.data.directory import data_dir as default_data_dir
from hyperbudget.data.download import Missing, noting
from hyperbudget.data.load_text import (
    download_text,
    load_text,
    prepare_text,
    text_digest,
    text_sizes,
    text_symbols,
)
from hyperbudget.data.tasks import TASK_NAMES, TASKS, TEXT_PREFIX, is_text
from hyperbudget.errors import UserError
from hyperbudget.nn.fields import SpecError

if TYPE_CHECKING:
    from hyperbudget.data.splits import ImageData
    from hyperbudget.data.text import TextData

DIGESTS = {
    "digits": "e0dff10e2c2cf5eda8b401fc21453346f41ac93adac90756adf89eeeaecdb320",
    "mnist": "93ba5af6ef630039752e75572687559ebb9a0cbba7ab36c9f074c718d87382d9",
}
"""`ImageData.digest` of the tasks that exist in one version only; `load` refuses data that have another.

CIFAR-10 has none: copies of it differ (in their order, or re-encoded). The digest that the files of this machine have
is part of what names a run, so results of different copies are never taken for each other.
"""


def load(task: str, data_dir: Path | None = None) -> ImageData | TextData:
    """The data of a task on the CPU; later calls of the process return the same object, so do not write to its tensors.

    `data_dir`: the folder of the data sets, by default the one of `hyperbudget.data.directory.data_dir`.
    Raises UserError for an unknown task, a file that cannot be downloaded, or one whose content is wrong.
    """
    return load_text(task, data_dir) if is_text(task) else _load(task, _folder(task, data_dir))


def digest(task: str, data_dir: Path | None = None) -> str:
    """What `load(task, data_dir).digest` is; cheap, so ask as often as you like.

    For a task in `DIGESTS` nothing is read. For any other the files are read at the first call, and again when their
    sizes or times have changed. Raises UserError for an unknown task, and there as `load` does.
    """
    if is_text(task):
        return text_digest(task, data_dir)
    folder = _folder(task, data_dir)
    if task in DIGESTS:
        return DIGESTS[task]
    _download(task, folder)
    return _computed(task, folder, _state(task, folder))


def prepare(task: str, data_dir: Path | None = None) -> None:
    """Download what a task needs and what is missing, so that no worker has to. Raises UserError as `load` does."""
    if is_text(task):
        prepare_text(task, data_dir)
        return
    folder = _folder(task, data_dir)
    _download(task, folder)
    digest(task, data_dir)


def missing(task: str, data_dir: Path | None = None) -> list[Missing]:
    """The files of a task that `load` would download first, each with the addresses that have it. Downloads nothing.

    Raises UserError for an unknown task.
    """
    with noting() as wanted:
        if is_text(task):
            download_text(task, data_dir)
        else:
            _download(task, _folder(task, data_dir))
    return wanted


def shape(task: str, data_dir: Path | None = None) -> dict[str, int]:
    """What a network must know of the data: ``channels``, ``size`` and ``classes``, or how many ``symbols``.

    Some texts are read for it, once. Raises UserError as `digest` does.
    """
    return {"symbols": text_symbols(task, data_dir)} if is_text(task) else TASKS[task].shape


def sizes(task: str) -> tuple[int, int, int]:
    """Images, or symbols, of training, validation and test. Raises UserError as `digest` does."""
    return text_sizes(task) if is_text(task) else TASKS[task].splits


def fits(task: str, batch_size: int, length: int) -> None:
    """Raise SpecError for a batch, or a window of `length` symbols of all streams, that the training split has not."""
    if is_text(task):
        symbols, needed = text_sizes(task)[0], (batch_size + 1) * length
        if needed > symbols:
            raise SpecError(
                "batch_size",
                f"{batch_size} streams of length {length} need {needed:,} symbols, and the training text of {task} has "
                f"{symbols:,}; make one of them smaller",
            )
    elif batch_size > (samples := TASKS[task].splits[0]):
        raise SpecError("batch_size", f"{batch_size} is more than the {samples:,} training samples of {task}")


def _folder(task: str, data_dir: Path | None) -> Path:
    if task not in TASKS:
        raise UserError(f"task: {task!r} is not one of {', '.join(TASK_NAMES)}, {TEXT_PREFIX}PATH")
    return (data_dir if data_dir is not None else default_data_dir()).absolute() / task


def _download(task: str, folder: Path) -> None:
    if task == "mnist":
        from hyperbudget.data.mnist import download_mnist

        download_mnist(folder)
    elif task == "cifar10":
        from hyperbudget.data.cifar10 import download_cifar10

        download_cifar10(folder)


@functools.lru_cache(maxsize=len(TASKS))
def _load(task: str, folder: Path) -> ImageData:
    if task in DIGESTS:
        data = _read(task, folder)
        digest_file.check_digest(task, data.digest, DIGESTS[task])
        return data
    _download(task, folder)
    state = _state(task, folder)  # before reading: what changes meanwhile is then not taken for what was read
    data = _read(task, folder)
    digest_file.keep(folder, state, data.digest)
    return data


@functools.lru_cache(maxsize=len(TASKS))
def _computed(task: str, folder: Path, state: str) -> str:
    digest = digest_file.kept(folder, state)
    if digest is None:
        digest = _read(task, folder).digest
        digest_file.keep(folder, state, digest)
    return digest


def _state(task: str, folder: Path) -> str:
    from hyperbudget.data.cifar10 import files

    return digest_file.state(TASKS[task], folder, files(folder))


def _read(task: str, folder: Path) -> ImageData:
    if task == "digits":
        from hyperbudget.data.digits import load_digits

        return load_digits()
    if task == "cifar10":
        from hyperbudget.data.cifar10 import load_cifar10

        return load_cifar10(folder)
    from hyperbudget.data.mnist import load_mnist

    return load_mnist(folder)
