"""Kernels as matrices: their size, their ranks, their parts. NumPy alone.

A kernel is an array of shape (out_channels, in_channels, height, width).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def deviation_over_he(kernel: Array) -> float:
    """The standard deviation of the weights over sqrt(2 / fan_in), with which a kernel starts (He et al. 2015)."""
    return float(kernel.std() / math.sqrt(2 / math.prod(kernel.shape[1:])))


def unfold(kernel: Array, axis: int) -> Array:
    """The kernel as a matrix: row j holds the weights at place j of `axis`.

    ``axis=0``: filters, shape (out_channels, in_channels x height x width). ``axis=1``: input slices, shape
    (in_channels, out_channels x height x width).
    """
    return np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1)


def tiles(kernel: Array, basic_in: int, basic_out: int) -> Array:
    """The kernel's tiles, row by row: rows are blocks of input channels, columns blocks of output channels.

    Returned: shape (tiles, basic_out x basic_in x height x width), in the order of a hypernetwork's embeddings. The
    basic sizes must divide the channels.
    """
    out, into, height, width = kernel.shape
    grid = kernel.reshape(out // basic_out, basic_out, into // basic_in, basic_in, height, width)
    return grid.transpose(2, 0, 1, 3, 4, 5).reshape(-1, basic_out * basic_in * height * width)


def common_block(kernels: Sequence[Array]) -> tuple[int, int]:
    """The largest numbers of input and output channels that divide those of every kernel."""
    return math.gcd(*(k.shape[1] for k in kernels)), math.gcd(*(k.shape[0] for k in kernels))


def singular_values(matrix: Array) -> Array:
    """From the largest to the smallest, over the largest: shape (min(rows, columns),). All 0 where the matrix is."""
    values = np.linalg.svd(matrix, compute_uv=False)
    return np.asarray(values / values[0] if values[0] > 0 else values, dtype=np.float64)


def effective_rank(values: Array) -> float:
    """``exp(-sum_k p_k log p_k)``: as many equal singular values would spread the matrix's energy as widely.

    Roy & Vetterli (2007), with each singular value's share of the energy, ``p_k = s_k^2 / sum_j s_j^2``, where they
    have its share of the sum. 1 for a matrix of rank one, the rank where all singular values are equal, 0 for zeros.
    """
    energy = np.square(values)
    if not energy.any():
        return 0.0
    shares = energy[energy > 0] / energy.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def principal_axes(points: Array, most: int = 2) -> tuple[Array, Array]:
    """Principal components by singular value decomposition.

    points: shape (n, features). Returned: the centred points on the first axes, shape (n, at most `most`), and each
    axis's share of the variance. There are no more axes than features or than n - 1. An axis points to where its
    largest loading is positive, the first of equals.
    """
    centred = points - points.mean(0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    count = min(most, points.shape[1], len(points) - 1)
    axes = axes[:count]
    axes = axes * np.where(axes[np.arange(count), np.abs(axes).argmax(1)] < 0, -1.0, 1.0)[:, None]
    energy = np.square(values)
    shares = energy[:count] / energy.sum() if energy.any() else np.zeros(count)
    return centred @ axes.T, shares
