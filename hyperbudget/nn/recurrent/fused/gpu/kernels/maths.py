"""Functions of one number."""

import triton
import triton.language as tl


@triton.jit
def tanh(x):
    """To the last bits in float32 and float64.

    Near 0, where the formula with the exponential loses digits, a rational function (Cephes, ``tanh.c``): an
    exponential or logarithm of less than full accuracy, as GPUs have, does no harm there.
    """
    square = x * x
    above = (-9.64399179425052238628e-1 * square - 9.92877231001918586564e1) * square - 1.61468768441708447952e3
    below = (
        (square + 1.12811678491632931402e2) * square + 2.23548839060100448583e3
    ) * square + 4.84406305325125486048e3
    near = x + x * square * (above / below)
    decay = tl.exp(-2.0 * tl.abs(x))
    far = (1.0 - decay) / (1.0 + decay)
    return tl.where(tl.abs(x) < 0.625, near, tl.where(x < 0.0, -far, far))


@triton.jit
def try_out(x, y, SIZE: tl.constexpr, BLOCK: tl.constexpr):
    """y = tanh(x), shape (SIZE,)."""
    at = tl.arange(0, BLOCK)
    tl.store(y + at, tanh(tl.load(x + at, at < SIZE, other=0.0)), at < SIZE)
