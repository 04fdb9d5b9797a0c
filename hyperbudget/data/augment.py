"""Augmentation of whole batches, on the device that holds them."""

from __future__ import annotations

import torch
from torch.nn import functional


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
