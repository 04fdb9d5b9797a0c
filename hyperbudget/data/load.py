"""A task's data by its name: read once a process, and known by a digest that needs no reading.

Imports torch only when data are loaded or fetched.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from hyperbudget.data.directory import data_dir as default_data_dir
from hyperbudget.data.tasks import TASKS
from hyperbudget.errors import UserError

if TYPE_CHECKING:
    from hyperbudget.data.splits import ImageData

DIGESTS = {
    "digits": "e0dff10e2c2cf5eda8b401fc21453346f41ac93adac90756adf89eeeaecdb320",
    "mnist": "93ba5af6ef630039752e75572687559ebb9a0cbba7ab36c9f074c718d87382d9",
}
"""`ImageData.digest` of every task. It is part of what names a run; `load` refuses data that have another."""


def load(task: str, data_dir: Path | None = None) -> ImageData:
    """The data of a task on the CPU; later calls of the process return the same object, so do not write to its tensors.

    `data_dir`: the folder of the data sets, by default the one of `hyperbudget.data.directory.data_dir`.
    Raises UserError for an unknown task, a file that cannot be downloaded, or one whose content is wrong.
    """
    digest(task)  # the name is known
    return _load(task, _folder(task, data_dir))


def digest(task: str) -> str:
    """What `load(task).digest` is, without reading or downloading anything. Raises UserError for an unknown task."""
    if task not in DIGESTS:
        raise UserError(f"task: {task!r} is not one of {', '.join(DIGESTS)}")
    return DIGESTS[task]


def prepare(task: str, data_dir: Path | None = None) -> None:
    """Download what a task needs and what is missing, so that no worker has to. Raises UserError as `load` does."""
    digest(task)
    if task == "mnist":
        from hyperbudget.data.mnist import download_mnist

        download_mnist(_folder(task, data_dir))


def _folder(task: str, data_dir: Path | None) -> Path:
    return (data_dir if data_dir is not None else default_data_dir()).absolute() / task


@functools.lru_cache(maxsize=len(TASKS))
def _load(task: str, folder: Path) -> ImageData:
    data = _read(task, folder)
    if data.digest != DIGESTS[task]:
        raise UserError(
            f"{task}: the data differ from those that this version of hyperbudget knows "
            f"(digest {data.digest[:12]}..., expected {DIGESTS[task][:12]}...); results would not be comparable"
        )
    return data


def _read(task: str, folder: Path) -> ImageData:
    if task == "digits":
        from hyperbudget.data.digits import load_digits

        return load_digits()
    from hyperbudget.data.mnist import load_mnist

    return load_mnist(folder)
