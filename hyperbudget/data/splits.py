"""A data set of images as tensors, and the fixed split into training, validation and test."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from hyperbudget.data.tasks import ImageTask

SPLIT_SEED = 1609
"""Decides which samples are training and which validation (for digits, also test): the same for every run and study.

NumPy's legacy `RandomState` draws the permutation, because its stream is frozen across NumPy's versions.
"""


class RawImages(NamedTuple):
    """Images as their publisher stores them: `images` uint8, shape (n, size, size); `labels` uint8, shape (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ImageData:
    """The three splits of a task, whole, as tensors on one device.

    Images are float32 in [0, 1], shape (n, channels, size, size); labels int64, shape (n,). They are float32 on the
    host too (MNIST: 220 MB a process): training then converts nothing, and `to` costs nothing where the host trains.

    `digest`: sha256 (hex) over the raw bytes of images and labels, split by split. It depends on the samples and on the
    split alone, so it is the same on every machine, and whether the files were compressed or not.
    """

    task: ImageTask
    digest: str
    train_images: torch.Tensor
    train_labels: torch.Tensor
    validation_images: torch.Tensor
    validation_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor

    def to(self, device: torch.device | str) -> ImageData:
        """The same data on `device`; tensors that are there already are not copied."""
        return dataclasses.replace(
            self,
            train_images=self.train_images.to(device),
            train_labels=self.train_labels.to(device),
            validation_images=self.validation_images.to(device),
            validation_labels=self.validation_labels.to(device),
            test_images=self.test_images.to(device),
            test_labels=self.test_labels.to(device),
        )


def split(task: ImageTask, samples: RawImages, test: RawImages | None = None, *, maximum: int) -> ImageData:
    """Shuffle `samples` with `SPLIT_SEED`, cut them into the task's splits, and scale them by 1 / `maximum`.

    Without an official `test` set, the test split is cut from `samples` too. Raises ValueError when the samples are not
    as many as the task's splits.
    """
    train_size, validation_size, test_size = task.splits
    cut_sizes = [train_size, validation_size] if test is not None else [train_size, validation_size, test_size]
    if len(samples.labels) != sum(cut_sizes) or (test is not None and len(test.labels) != test_size):
        raise ValueError(f"samples: {len(samples.labels):,} of them cannot be split into {cut_sizes}")

    order = np.random.RandomState(SPLIT_SEED).permutation(len(samples.labels))
    cuts = np.split(order, np.cumsum(cut_sizes)[:-1])
    raw = [RawImages(samples.images[cut], samples.labels[cut]) for cut in cuts]
    if test is not None:
        raw.append(test)
    tensors = [_tensors(task, part, maximum) for part in raw]
    return ImageData(task, _digest(raw), *tensors[0], *tensors[1], *tensors[2])


def _tensors(task: ImageTask, raw: RawImages, maximum: int) -> tuple[torch.Tensor, torch.Tensor]:
    images = raw.images.reshape(-1, task.channels, task.size, task.size).astype(np.float32)
    images /= maximum
    return torch.from_numpy(images), torch.from_numpy(raw.labels.astype(np.int64))


def _digest(splits: list[RawImages]) -> str:
    digest = hashlib.sha256()
    for images, labels in splits:
        digest.update(repr(images.shape).encode())
        digest.update(np.ascontiguousarray(images).data)
        digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()
