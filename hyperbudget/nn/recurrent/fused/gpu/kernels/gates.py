"""What every LSTM does with the sums of its four gates, for one row: `gates.update` and its gradient."""

import triton
import triton.language as tl

from hyperbudget.nn.recurrent.fused.gpu.kernels.maths import tanh
from hyperbudget.nn.recurrent.fused.gpu.kernels.norm import normalise, normalise_backward


@triton.jit
def of_run(parameters, numbers: tl.constexpr, row, RUN: tl.constexpr):
    """Where the parameters of the row's run begin: each run has so many, and RUN rows. None: all rows share them."""
    if RUN is None:
        return parameters
    else:  # noqa: RET505  (one of the two is not even compiled)
        return parameters + row // RUN * numbers


@triton.jit
def update(
    i, g, f, o, columns, inside, row, c_before, c, gates, shown, h, narrow, mask, gain, offset, values, scales,
    SIZE: tl.constexpr, EPSILON: tl.constexpr,
):  # fmt: skip
    """Write c and h, shape (batch, SIZE), and h once more in narrow's type if there is narrow.

    i, g, f, o: their sums, 0 outside. Kept are i, tanh(g), f and o in gates, shape (batch, 4, SIZE), and the tanh in h
    in shown, shape (batch, SIZE). c may lie where c_before does.
    """
    if gain is not None:
        i = normalise(i, 0, columns, inside, row, gain, offset, values, scales, SIZE, EPSILON)
        g = normalise(g, 1, columns, inside, row, gain, offset, values, scales, SIZE, EPSILON)
        f = normalise(f, 2, columns, inside, row, gain, offset, values, scales, SIZE, EPSILON)
        o = normalise(o, 3, columns, inside, row, gain, offset, values, scales, SIZE, EPSILON)
    i = tl.sigmoid(i)
    g = tanh(g)
    f = tl.sigmoid(f)
    o = tl.sigmoid(o)
    four = gates + row * 4 * SIZE + columns
    tl.store(four, i, inside)
    tl.store(four + SIZE, g, inside)
    tl.store(four + 2 * SIZE, f, inside)
    tl.store(four + 3 * SIZE, o, inside)

    at = row * SIZE + columns
    if mask is not None:
        g = g * tl.load(mask + at, inside, other=0.0)
    after = f * tl.load(c_before + at, inside, other=0.0) + i * g
    tl.store(c + at, after, inside)
    if gain is not None:
        after = tl.where(inside, after, 0.0)
        after = normalise(after, 4, columns, inside, row, gain, offset, values, scales, SIZE, EPSILON)
    phi = tanh(after)
    tl.store(shown + at, phi, inside)
    tl.store(h + at, o * phi, inside)
    if narrow is not None:
        tl.store(narrow + at, o * phi, inside)


@triton.jit
def update_backward(
    columns, inside, row, grad_h, grad_outputs, grad_c, c_before, gates, shown, mask, gain, values, scales,
    grad_gain, grad_offset, SIZE: tl.constexpr,
):  # fmt: skip
    """The gradients of the four sums, 0 outside; that of c, in grad_c, becomes that of c before the step.

    grad_h: the gradient of h but for what grad_outputs adds, if it is there.
    """
    at = row * SIZE + columns
    four = gates + row * 4 * SIZE + columns
    i = tl.load(four, inside, other=0.0)
    g = tl.load(four + SIZE, inside, other=0.0)
    f = tl.load(four + 2 * SIZE, inside, other=0.0)
    o = tl.load(four + 3 * SIZE, inside, other=0.0)
    phi = tl.load(shown + at, inside, other=0.0)
    grad = tl.load(grad_h + at, inside, other=0.0)
    if grad_outputs is not None:
        grad += tl.load(grad_outputs + at, inside, other=0.0)

    grad_o = grad * phi * (o * (1.0 - o))
    inner = grad * o * (1.0 - phi * phi)
    if gain is not None:
        inner = normalise_backward(inner, 4, columns, inside, row, gain, values, scales, grad_gain, grad_offset, SIZE)
    inner += tl.load(grad_c + at, inside, other=0.0)
    tl.store(grad_c + at, inner * f, inside)
    grad_i = inner * g * (i * (1.0 - i))
    grad_g = inner * i * (1.0 - g * g)
    grad_f = inner * tl.load(c_before + at, inside, other=0.0) * (f * (1.0 - f))
    if mask is not None:
        kept = tl.load(mask + at, inside, other=0.0)  # it is on the product of i and tanh(g)
        grad_i = grad_i * kept
        grad_g = grad_g * kept
    if gain is not None:
        grad_i = normalise_backward(grad_i, 0, columns, inside, row, gain, values, scales, grad_gain, grad_offset, SIZE)
        grad_g = normalise_backward(grad_g, 1, columns, inside, row, gain, values, scales, grad_gain, grad_offset, SIZE)
        grad_f = normalise_backward(grad_f, 2, columns, inside, row, gain, values, scales, grad_gain, grad_offset, SIZE)
        grad_o = normalise_backward(grad_o, 3, columns, inside, row, gain, values, scales, grad_gain, grad_offset, SIZE)
    return grad_i, grad_g, grad_f, grad_o
