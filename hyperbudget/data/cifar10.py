"""`cifar10`: 60,000 colour images of 32 x 32 pixels in ten classes, in one of the publisher's formats.

They lie in ``<data directory>/cifar10/``, as the folder ``cifar-10-batches-bin`` or ``cifar-10-batches-py``, or as the
archive of one (``cifar-10-binary.tar.gz``, ``cifar-10-python.tar.gz``), which is read without unpacking it. With none
of them the binary archive is downloaded. The same images in another form are the same data, with the same digest.

Source: Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html. Imports no torch until the data are loaded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hyperbudget.data.archive import read_members
from hyperbudget.data.cifar10_batches import CHANNELS, SIZE, Batch, parse_binary, parse_pickle
from hyperbudget.data.download import fetch
from hyperbudget.data.files import BadFileError, read_content
from hyperbudget.data.tasks import TASKS, ImageTask
from hyperbudget.errors import UserError

if TYPE_CHECKING:
    from hyperbudget.data.splits import ImageData, RawImages

MIRROR = "https://www.cs.toronto.edu/~kriz/"
URL_VARIABLE = "HYPERBUDGET_CIFAR10_URL"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
"""Of ``cifar-10-binary.tar.gz``, as the publisher's page gives it."""
BATCHES = 5


@dataclass(frozen=True)
class Form:
    """One of the publisher's formats: the name of the folder, of its archive, of a batch file, and its parser."""

    folder: str
    archive: str
    suffix: str
    parse: Callable[[bytes, int], Batch]

    def names(self) -> list[str]:
        """The batch files, the test batch last."""
        return [f"data_batch_{n + 1}{self.suffix}" for n in range(BATCHES)] + [f"test_batch{self.suffix}"]


BINARY = Form("cifar-10-batches-bin", "cifar-10-binary.tar.gz", ".bin", parse_binary)
PYTHON = Form("cifar-10-batches-py", "cifar-10-python.tar.gz", "", parse_pickle)
FORMS = (BINARY, PYTHON)


def load_cifar10(folder: Path, *, task: ImageTask = TASKS["cifar10"]) -> ImageData:
    """The data set from `folder`, downloaded first where it is missing; its images stay uint8 (`ImageData.normalised`).

    Training and validation are cut from the five training batches by `SPLIT_SEED`. Raises UserError for what cannot be
    downloaded and for a file whose content is wrong.
    """
    from hyperbudget.data.splits import split  # it needs torch; finding the files does not

    download_cifar10(folder)
    train, test = _read(folder, task)
    return split(task, train, test, maximum=255)


def download_cifar10(folder: Path) -> None:
    """Fetch the binary archive if `folder` has the data in no form, from ``$HYPERBUDGET_CIFAR10_URL`` (the folder that
    has the archive, or the archive itself) if set, else from its publisher. Raises UserError when it cannot be had.
    """
    if _find(folder) is None:
        url = os.environ.get(URL_VARIABLE) or MIRROR
        if not url.endswith(".tar.gz"):
            url = f"{url.rstrip('/')}/{BINARY.archive}"
        fetch([url], folder / BINARY.archive, _check_md5)


def files(folder: Path) -> list[Path]:
    """The files that `load_cifar10` would read, whether they are there or not; none if there is nothing to read."""
    form, path = _find(folder) or (None, folder)
    if form is None:
        return []
    return [path / name for name in form.names()] if path.is_dir() else [path]


def _find(folder: Path) -> tuple[Form, Path] | None:
    candidates = [(form, folder / form.folder) for form in FORMS] + [(form, folder / form.archive) for form in FORMS]
    return next(((form, path) for form, path in candidates if path.exists()), None)


def _read(folder: Path, task: ImageTask) -> tuple[RawImages, RawImages]:
    """All training batches as one, and the test batch."""
    found = _find(folder)
    assert found is not None
    form, path = found
    *train_names, test_name = form.names()
    train, test = _empty(sum(task.splits[:2])), _empty(task.splits[2])
    per_batch = len(train.labels) // BATCHES
    for name, content in _contents(form, path):
        target, start, count = test, 0, len(test.labels)
        if name != test_name:
            target, start, count = train, per_batch * train_names.index(name), per_batch
        with _blaming(path / name, path):
            images, labels = form.parse(content, count)
        target.images[start : start + count], target.labels[start : start + count] = images, labels
    return train, test


def _empty(count: int) -> RawImages:
    from hyperbudget.data.splits import RawImages

    return RawImages(np.empty((count, CHANNELS, SIZE, SIZE), np.uint8), np.empty(count, np.uint8))


def _contents(form: Form, path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each batch file of a folder or an archive."""
    if path.is_dir():
        for name in form.names():
            with _blaming(path / name, path):
                content = read_content(path / name)
            yield name, content
    else:
        with _blaming(path, path):
            for name, content in read_members(path, [f"{form.folder}/{name}" for name in form.names()]):
                yield name.rpartition("/")[2], content


@contextmanager
def _blaming(file: Path, source: Path) -> Iterator[None]:
    """Say which file is bad (for one in an archive: the archive's path, then its name), and what to delete."""
    try:
        yield
    except BadFileError as error:
        raise UserError(f"{file}: {error}; delete {source} and run again to download it anew") from error


def _check_md5(path: Path) -> None:
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != MD5:
        raise BadFileError(f"is not the official file: it has md5 {found[:12]}..., not {MD5[:12]}...")
