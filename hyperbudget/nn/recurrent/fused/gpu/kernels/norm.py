"""The five layer norms of an LSTM for one row: of i, g, f, o, which are parts 0 to 3, and of c, part 4."""

import triton
import triton.language as tl


@triton.jit
def normalise(
    x, part: tl.constexpr, columns, inside, row, gain, offset, values, scales, SIZE: tl.constexpr, EPSILON: tl.constexpr
):
    """``gain * normalised(x) + offset``; x is 0 outside.

    Kept are the normalised x in values, shape (batch, 5, SIZE), and 1 / deviation in scales, shape (batch, 5).
    """
    x = tl.where(inside, x - tl.sum(x, 0) / SIZE, 0.0)
    scale = 1.0 / tl.sqrt(tl.sum(x * x, 0) / SIZE + EPSILON)
    value = x * scale
    tl.store(values + (row * 5 + part) * SIZE + columns, value, inside)
    tl.store(scales + row * 5 + part, scale)
    weight = tl.load(gain + part * SIZE + columns, inside, other=0.0)
    return value * weight + tl.load(offset + part * SIZE + columns, inside, other=0.0)


@triton.jit
def normalise_backward(
    grad, part: tl.constexpr, columns, inside, row, gain, values, scales, grad_gain, grad_offset, SIZE: tl.constexpr
):
    """The gradient of x from that of the result; both are 0 outside.

    Each row adds to gradients of gain and offset of its own, shape (batch, 5, SIZE): no two programs write to one
    place, and their sum over the rows is taken once a window.
    """
    at = (row * 5 + part) * SIZE + columns
    value = tl.load(values + at, inside, other=0.0)
    tl.store(grad_gain + at, tl.load(grad_gain + at, inside, other=0.0) + grad * value, inside)
    tl.store(grad_offset + at, tl.load(grad_offset + at, inside, other=0.0) + grad, inside)
    grad = grad * tl.load(gain + part * SIZE + columns, inside, other=0.0)
    centred = grad - tl.sum(grad, 0) / SIZE - value * (tl.sum(grad * value, 0) / SIZE)
    return tl.where(inside, centred * tl.load(scales + row * 5 + part), 0.0)
