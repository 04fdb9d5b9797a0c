"""A data set of images as tensors, and the fixed split into training, validation and test."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from hyperbudget.data.tasks import SPLIT_SEED, ImageTask

PARTS = 50
"""NumPy counts bytes as 64-bit numbers, eight times the memory: so it gets one part of the images at a time."""


class RawImages(NamedTuple):
    """Images as their publisher stores them, uint8: `images` of shape (n, size, size), with colours (n, channels, size,
    size); `labels` of shape (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ImageData:
    """The three splits of a task, whole, as tensors on one device.

    Images have shape (n, channels, size, size); labels int64, shape (n,). Images of a task without `normalise` are
    float32 in [0, 1] (MNIST: 220 MB a process). Those of a task with it stay uint8 (CIFAR-10: 184 MB a process, 737 as
    float32), and `normalised` makes a batch of them what a network takes: pass every batch through it.

    `mean`, `deviation`: float32, shape (channels,), of the pixel values (0 ... 255) of the training split; None where
    the images are float32 already.

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
    mean: torch.Tensor | None = None
    deviation: torch.Tensor | None = None

    def normalised(self, images: torch.Tensor) -> torch.Tensor:
        """Images of one of the splits as a network takes them: float32, the same shape and device.

        uint8 becomes (pixel - mean) / deviation by channel; float32 is returned as it is, the same tensor.
        """
        if self.mean is None or self.deviation is None:
            return images
        mean, deviation = self.mean.view(-1, 1, 1), self.deviation.view(-1, 1, 1)
        return images.to(torch.float32).sub_(mean).div_(deviation)

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
            mean=None if self.mean is None else self.mean.to(device),
            deviation=None if self.deviation is None else self.deviation.to(device),
        )


def split(task: ImageTask, samples: RawImages, test: RawImages | None = None, *, maximum: int) -> ImageData:
    """Shuffle `samples` with `SPLIT_SEED`, and cut them into the task's splits.

    Pixels are scaled by 1 / `maximum`, or left as they are, with the training split's `mean` and `deviation` beside
    them, where the task says `normalise`. Without an official `test` set, that is cut from `samples` too. Raises
    ValueError when the samples are not as many as the task's splits.
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
    statistics = _statistics(tensors[0][0]) if task.normalise else (None, None)
    return ImageData(task, _digest(raw), *tensors[0], *tensors[1], *tensors[2], *statistics)


def _tensors(task: ImageTask, raw: RawImages, maximum: int) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.from_numpy(raw.labels.astype(np.int64))
    pixels = raw.images.reshape(-1, task.channels, task.size, task.size)
    if task.normalise:
        return torch.from_numpy(pixels), labels
    images = pixels.astype(np.float32)
    images /= maximum
    return torch.from_numpy(images), labels


def _statistics(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of uint8 `images`, each float32, shape (channels,); a deviation of 0 becomes 1.

    The sums are of integers, so they are exact, and no machine and no order of summation gives other numbers.
    """
    means, deviations = [], []
    for channel in images.unbind(1):
        parts = [np.bincount(part.ravel(), minlength=256) for part in np.array_split(channel.numpy(), PARTS)]
        counts = np.sum(parts, axis=0).tolist()
        n = sum(counts)
        total = sum(value * count for value, count in enumerate(counts))
        squares = sum(value * value * count for value, count in enumerate(counts))
        means.append(total / n)
        deviations.append(math.sqrt((n * squares - total**2) / n**2) or 1.0)
    return torch.tensor(means), torch.tensor(deviations)


def _digest(splits: list[RawImages]) -> str:
    digest = hashlib.sha256()
    for images, labels in splits:
        digest.update(repr(images.shape).encode())
        digest.update(np.ascontiguousarray(images).data)
        digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()
