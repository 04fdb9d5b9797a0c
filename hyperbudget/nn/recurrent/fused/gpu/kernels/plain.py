"""One step of a cell whose gates are plain sums: an LSTM (eq. 9), or the small cell of a HyperLSTM (eq. 10)."""

import triton
import triton.language as tl

from hyperbudget.nn.recurrent.fused.gpu.kernels.gates import of_run, update, update_backward


@triton.jit(do_not_specialize_on_alignment=["scales"])
def plain_forward(
    of_h, of_x, of_own, bias,
    c_before, c, gates, shown, h, narrow, mask, gain, offset, values, scales,
    OF_H_ROW: tl.constexpr, OF_OWN_ROW: tl.constexpr,
    SIZE: tl.constexpr, BLOCK: tl.constexpr, EPSILON: tl.constexpr, RUN: tl.constexpr,
):  # fmt: skip
    """See `gates.update`, and for RUN `gates.of_run`. The sums are of_h + of_x, and of_own + bias if these are there.

    of_h, of_x, of_own: shape (batch, 4, SIZE), of_h and of_own in rows of OF_H_ROW and OF_OWN_ROW numbers; bias: shape
    (4, SIZE).
    """
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < SIZE
    from_h = of_h + row * OF_H_ROW
    from_x = of_x + row * 4 * SIZE
    if bias is not None:
        bias = of_run(bias, 4 * SIZE, row, RUN)
    if gain is not None:
        gain = of_run(gain, 5 * SIZE, row, RUN)
        offset = of_run(offset, 5 * SIZE, row, RUN)
    i = plain_sum(0, from_h, from_x, of_own, bias, columns, inside, row, OF_OWN_ROW, SIZE)
    g = plain_sum(1, from_h, from_x, of_own, bias, columns, inside, row, OF_OWN_ROW, SIZE)
    f = plain_sum(2, from_h, from_x, of_own, bias, columns, inside, row, OF_OWN_ROW, SIZE)
    o = plain_sum(3, from_h, from_x, of_own, bias, columns, inside, row, OF_OWN_ROW, SIZE)
    update(
        i, g, f, o, columns, inside, row, c_before, c, gates, shown, h, narrow, mask, gain, offset, values, scales,
        SIZE, EPSILON,
    )  # fmt: skip


@triton.jit
def plain_sum(
    gate: tl.constexpr, from_h, from_x, of_own, bias, columns, inside, row,
    OF_OWN_ROW: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    at = gate * SIZE + columns
    total = tl.load(from_h + at, inside, other=0.0) + tl.load(from_x + at, inside, other=0.0)
    if of_own is not None:
        total += tl.load(of_own + row * OF_OWN_ROW + at, inside, other=0.0) + tl.load(bias + at, inside, other=0.0)
    return total


@triton.jit(do_not_specialize_on_alignment=["scales"])
def plain_backward(
    grad_h, grad_outputs, grad_c, c_before, gates, shown, mask, gain, values, scales, grad_gain, grad_offset,
    grad_sums, grad_also,
    GRAD_SUMS_ROW: tl.constexpr, GRAD_ALSO_ROW: tl.constexpr, SIZE: tl.constexpr, BLOCK: tl.constexpr,
    RUN: tl.constexpr,
):  # fmt: skip
    """See `gates.update_backward`. The gradients of the sums are written to grad_sums, and to grad_also if it is there.

    Both: shape (batch, 4, SIZE), in rows of GRAD_SUMS_ROW and GRAD_ALSO_ROW numbers.
    """
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < SIZE
    if gain is not None:
        gain = of_run(gain, 5 * SIZE, row, RUN)
    i, g, f, o = update_backward(
        columns, inside, row, grad_h, grad_outputs, grad_c, c_before, gates, shown, mask, gain, values, scales,
        grad_gain, grad_offset, SIZE,
    )  # fmt: skip
    store_four(i, g, f, o, grad_sums + row * GRAD_SUMS_ROW + columns, inside, SIZE)
    if grad_also is not None:
        store_four(i, g, f, o, grad_also + row * GRAD_ALSO_ROW + columns, inside, SIZE)


@triton.jit
def store_four(i, g, f, o, at, inside, SIZE: tl.constexpr):
    tl.store(at, i, inside)
    tl.store(at + SIZE, g, inside)
    tl.store(at + 2 * SIZE, f, inside)
    tl.store(at + 3 * SIZE, o, inside)
