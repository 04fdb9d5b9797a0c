"""Augmentation of whole batches, on the device that holds them."""

from __future__ import annotations

import torch
from torch.nn import functional

from hyperbudget.data.tasks import ImageTask


def augment(images: torch.Tensor, task: ImageTask, generator: torch.Generator) -> torch.Tensor:
    """The augmentation of a task: random crops, then, where the task has them, random flips.

    images: shape (batch, channels, size, size), as a network takes them (the zeros of the padding are zeros *after*
    normalisation); returns the same shape, dtype and device. What the task has not draws nothing from the generator.
    """
    images = random_crop(images, task.pad, generator)
    return random_flip(images, generator) if task.flip else images


def random_crop(images: torch.Tensor, pad: int, generator: torch.Generator) -> torch.Tensor:
    """Pad every image by `pad` zero pixels on each side and crop it back at its own random offset (A.3.1: 28, 30, 28).

    images: shape (batch, channels, size, size); returns the same shape, dtype and device. The offsets are drawn on the
    generator's device: first one per image for the rows, then one per image for the columns, each uniform in
    0 ... 2 `pad`. With `pad` 0 nothing is drawn and `images` itself is returned. Raises ValueError if `pad` < 0.
    """
    if pad < 0:
        raise ValueError(f"pad: {pad} is negative")
    if pad == 0:
        return images
    batch, _, height, width = images.shape
    offsets = torch.randint(2 * pad + 1, (2, batch), generator=generator, device=generator.device).to(images.device)
    padded = functional.pad(images, (pad, pad, pad, pad))
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # (batch, channels, row, column, size, size), no copy
    return windows[torch.arange(batch, device=images.device), :, offsets[0], offsets[1]]


def random_flip(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror every image left to right with probability 1/2.

    images: shape (batch, channels, height, width); returns the same shape, dtype and device. One 0 or 1 per image is
    drawn on the generator's device; 1 flips.
    """
    flips = torch.randint(2, (len(images),), generator=generator, device=generator.device).to(images.device)
    return torch.where(flips.bool()[:, None, None, None], images.flip(3), images)
