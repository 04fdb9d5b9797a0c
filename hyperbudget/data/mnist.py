"""`mnist`: 70,000 handwritten digits of 28 x 28 pixels, from the four official idx files, compressed or not.

They lie in ``<data directory>/mnist/`` under their official names (``train-images-idx3-ubyte.gz``, ...); what is
missing is downloaded. The checksums are of the *unzipped* content, so that any gzip of the official files will do.

Source: LeCun, Bottou, Bengio & Haffner 1998, http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyperbudget.data.download import fetch
from hyperbudget.data.files import BadFileError, check_sha256, read_content
from hyperbudget.data.idx import parse_idx
from hyperbudget.data.splits import ImageData, RawImages, split
from hyperbudget.data.tasks import TASKS, ImageTask
from hyperbudget.errors import UserError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
URL_VARIABLE = "HYPERBUDGET_MNIST_URL"


@dataclass(frozen=True)
class IdxFile:
    """One of the official files: its name without ``.gz``, the shape of its array, its sha256 (hex) unzipped."""

    name: str
    shape: tuple[int, ...]
    sha256: str


@dataclass(frozen=True)
class MnistFiles:
    """The four files of the data set."""

    train_images: IdxFile
    train_labels: IdxFile
    test_images: IdxFile
    test_labels: IdxFile

    def all(self) -> tuple[IdxFile, ...]:
        return (self.train_images, self.train_labels, self.test_images, self.test_labels)


FILES = MnistFiles(
    IdxFile(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    IdxFile(
        "train-labels-idx1-ubyte",
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    IdxFile(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    IdxFile(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)


def load_mnist(folder: Path, *, task: ImageTask = TASKS["mnist"], files: MnistFiles = FILES) -> ImageData:
    """The data set from the files in `folder`, downloaded first where they are missing; pixels 0 ... 255 become [0, 1].

    Training and validation are cut from the official training set by `SPLIT_SEED`. Raises UserError for a file that
    cannot be downloaded or that is not the official one.
    """
    download_mnist(folder, files=files)
    train = RawImages(_read(folder, files.train_images), _read(folder, files.train_labels))
    test = RawImages(_read(folder, files.test_images), _read(folder, files.test_labels))
    return split(task, train, test, maximum=255)


def download_mnist(folder: Path, *, files: MnistFiles = FILES) -> None:
    """Fetch the files that `folder` has in neither form, from ``$HYPERBUDGET_MNIST_URL`` if set, else from `MIRRORS`.

    Raises UserError when one cannot be had.
    """
    chosen = os.environ.get(URL_VARIABLE)
    mirrors: Sequence[str] = [chosen] if chosen else MIRRORS
    for file in files.all():
        if _find(folder, file) is None:
            name = f"{file.name}.gz"
            urls = [f"{mirror.rstrip('/')}/{name}" for mirror in mirrors]
            fetch(urls, folder / name, functools.partial(_values, file=file))


def _find(folder: Path, file: IdxFile) -> Path | None:
    candidates = (folder / f"{file.name}.gz", folder / file.name)
    return next((path for path in candidates if path.exists()), None)


def _read(folder: Path, file: IdxFile) -> NDArray[np.uint8]:
    path = _find(folder, file) or folder / f"{file.name}.gz"
    try:
        return _values(path, file)
    except BadFileError as error:
        raise UserError(f"{path}: {error}; delete it and run again to download it anew") from error


def _values(path: Path, file: IdxFile) -> NDArray[np.uint8]:
    """Read and check one file. Raises BadFileError."""
    content = read_content(path)
    values = parse_idx(content, file.shape)
    check_sha256(content, file.sha256)
    return values
