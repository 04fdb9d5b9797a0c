"""Kernels as images."""

from __future__ import annotations

import numpy as np

from hyperbudget.nn.sharing.matrices import Array


def mosaic(images: Array, zoom: int = 1, gap: int = 1) -> Array:
    """Images of shape (rows, columns, height, width) as one: `zoom` pixels a number each way, `gap` pixels between.

    Gaps are nan. To see a kernel with input channels as rows: ``mosaic(kernel.swapaxes(0, 1))``.
    """
    rows, columns, height, width = images.shape
    large = images.repeat(zoom, axis=2).repeat(zoom, axis=3)
    framed = np.full((rows, columns, height * zoom + gap, width * zoom + gap), np.nan)
    framed[:, :, : height * zoom, : width * zoom] = large
    whole = framed.transpose(0, 2, 1, 3).reshape(rows * framed.shape[2], columns * framed.shape[3])
    return whole[: whole.shape[0] - gap, : whole.shape[1] - gap]


def gallery(images: Array, columns: int) -> Array:
    """Images of shape (n, height, width) in rows of `columns`, for `mosaic`; nan where the last row has none."""
    missing = -len(images) % columns
    filled = np.concatenate([images, np.full((missing, *images.shape[1:]), np.nan)])
    return filled.reshape(-1, columns, *images.shape[1:])
