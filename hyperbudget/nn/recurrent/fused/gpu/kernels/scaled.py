"""One step of the main cell of a HyperLSTM: its gates are scaled anew for every sample (eqs. 11 to 13)."""

import triton
import triton.language as tl

from hyperbudget.nn.recurrent.fused.gpu.kernels.gates import of_run, update, update_backward
from hyperbudget.nn.recurrent.fused.gpu.kernels.scaling import numbers_of, vector, weight_of


@triton.jit(do_not_specialize_on_alignment=["scales"])
def scaled_forward(
    of_h, of_x, z, bias, weight, d,
    c_before, c, gates, shown, h, narrow, mask, gain, offset, values, scales,
    OF_H_ROW: tl.constexpr, Z_ROW: tl.constexpr, NUMBERS: tl.constexpr, PAD: tl.constexpr,
    SIZE: tl.constexpr, BLOCK: tl.constexpr, EPSILON: tl.constexpr, RUN: tl.constexpr,
):  # fmt: skip
    """See `gates.update`, and for RUN `gates.of_run`.

    The sums are ``d_h * of_h + d_x * of_x + d_b``, with z, bias, weight and d as in `vector`.

    of_h, of_x: shape (batch, 4, SIZE), of_h in rows of OF_H_ROW numbers.
    """
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < SIZE
    from_h = of_h + row * OF_H_ROW
    from_x = of_x + row * 4 * SIZE
    own_z = z + row * Z_ROW
    bias = of_run(bias, 12 * NUMBERS, row, RUN)
    weight = of_run(weight, 12 * SIZE * (NUMBERS if d is None else 1), row, RUN)
    if gain is not None:
        gain = of_run(gain, 5 * SIZE, row, RUN)
        offset = of_run(offset, 5 * SIZE, row, RUN)
    i = scaled_sum(0, from_h, from_x, own_z, bias, weight, d, columns, inside, row, NUMBERS, PAD, SIZE)
    g = scaled_sum(1, from_h, from_x, own_z, bias, weight, d, columns, inside, row, NUMBERS, PAD, SIZE)
    f = scaled_sum(2, from_h, from_x, own_z, bias, weight, d, columns, inside, row, NUMBERS, PAD, SIZE)
    o = scaled_sum(3, from_h, from_x, own_z, bias, weight, d, columns, inside, row, NUMBERS, PAD, SIZE)
    update(
        i, g, f, o, columns, inside, row, c_before, c, gates, shown, h, narrow, mask, gain, offset, values, scales,
        SIZE, EPSILON,
    )  # fmt: skip


@triton.jit
def scaled_sum(
    gate: tl.constexpr, from_h, from_x, z, bias, weight, d, columns, inside, row,
    NUMBERS: tl.constexpr, PAD: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    at = gate * SIZE + columns
    scale_h = vector(gate, z, bias, weight, d, columns, inside, row, NUMBERS, PAD, SIZE)
    scale_x = vector(4 + gate, z, bias, weight, d, columns, inside, row, NUMBERS, PAD, SIZE)
    total = vector(8 + gate, z, bias, weight, d, columns, inside, row, NUMBERS, PAD, SIZE)
    total += scale_h * tl.load(from_h + at, inside, other=0.0)
    return total + scale_x * tl.load(from_x + at, inside, other=0.0)


@triton.jit(do_not_specialize_on_alignment=["scales"])
def scaled_backward(
    grad_h, grad_outputs, grad_c, c_before, gates, shown, mask, gain, values, scales, grad_gain, grad_offset,
    of_h, of_x, z, bias, weight, d,
    grad_sums, grad_of_h, grad_of_x, grad_z, grad_d,
    OF_H_ROW: tl.constexpr, Z_ROW: tl.constexpr, NUMBERS: tl.constexpr, PAD: tl.constexpr,
    SIZE: tl.constexpr, BLOCK: tl.constexpr, RUN: tl.constexpr,
):  # fmt: skip
    """See `gates.update_backward`; then the gradients of all that the sums are made of.

    grad_of_h and grad_z lie as of_h and z do, but can be of another type; grad_sums, grad_of_x: shape (batch, 4, SIZE).
    Where d is given, grad_d, shape (12, batch, SIZE), is written instead of grad_z.
    """
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < SIZE
    bias = of_run(bias, 12 * NUMBERS, row, RUN)
    weight = of_run(weight, 12 * SIZE * (NUMBERS if d is None else 1), row, RUN)
    if gain is not None:
        gain = of_run(gain, 5 * SIZE, row, RUN)
    i, g, f, o = update_backward(
        columns, inside, row, grad_h, grad_outputs, grad_c, c_before, gates, shown, mask, gain, values, scales,
        grad_gain, grad_offset, SIZE,
    )  # fmt: skip
    from_h = of_h + row * OF_H_ROW
    from_x = of_x + row * 4 * SIZE
    own_z = z + row * Z_ROW
    to_h = grad_of_h + row * OF_H_ROW
    to_x = grad_of_x + row * 4 * SIZE
    to_sums = grad_sums + row * 4 * SIZE
    to_z = grad_z + row * Z_ROW
    scaled_sum_backward(
        i, 0, from_h, from_x, own_z, bias, weight, d, to_sums, to_h, to_x, to_z, grad_d, columns, inside, row,
        NUMBERS, PAD, SIZE,
    )  # fmt: skip
    scaled_sum_backward(
        g, 1, from_h, from_x, own_z, bias, weight, d, to_sums, to_h, to_x, to_z, grad_d, columns, inside, row,
        NUMBERS, PAD, SIZE,
    )  # fmt: skip
    scaled_sum_backward(
        f, 2, from_h, from_x, own_z, bias, weight, d, to_sums, to_h, to_x, to_z, grad_d, columns, inside, row,
        NUMBERS, PAD, SIZE,
    )  # fmt: skip
    scaled_sum_backward(
        o, 3, from_h, from_x, own_z, bias, weight, d, to_sums, to_h, to_x, to_z, grad_d, columns, inside, row,
        NUMBERS, PAD, SIZE,
    )  # fmt: skip


@triton.jit
def scaled_sum_backward(
    grad, gate: tl.constexpr, from_h, from_x, z, bias, weight, d, to_sums, to_h, to_x, to_z, grad_d,
    columns, inside, row, NUMBERS: tl.constexpr, PAD: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    at = gate * SIZE + columns
    tl.store(to_sums + at, grad, inside)
    seen_h = grad * tl.load(from_h + at, inside, other=0.0)
    seen_x = grad * tl.load(from_x + at, inside, other=0.0)
    scale_h = vector_backward(seen_h, gate, z, bias, weight, d, to_z, grad_d, columns, inside, row, NUMBERS, PAD, SIZE)
    tl.store(to_h + at, grad * scale_h, inside)
    scale_x = vector_backward(
        seen_x, 4 + gate, z, bias, weight, d, to_z, grad_d, columns, inside, row, NUMBERS, PAD, SIZE
    )
    tl.store(to_x + at, grad * scale_x, inside)
    vector_backward(grad, 8 + gate, z, bias, weight, d, to_z, grad_d, columns, inside, row, NUMBERS, PAD, SIZE)


@triton.jit
def vector_backward(
    grad, part: tl.constexpr, z, bias, weight, d, to_z, grad_d, columns, inside, row,
    NUMBERS: tl.constexpr, PAD: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    """The vector once more, computed while its weights are there for the gradient of its z."""
    if d is not None:
        tl.store(grad_d + (part * tl.num_programs(0) + row) * SIZE + columns, grad, inside)
        return vector(part, z, bias, weight, d, columns, inside, row, NUMBERS, PAD, SIZE)
    else:  # noqa: RET505  (one of the two is not even compiled)
        tile = weight_of(part, weight, columns, inside, NUMBERS, PAD, SIZE)
        own = numbers_of(part, z, bias, NUMBERS, PAD)
        place = tl.arange(0, PAD)[:, None]
        tl.store(to_z + part * NUMBERS + place, tl.sum(tile * grad[None, :], 1)[:, None], place < NUMBERS)
        return tl.sum(tile * own, 0)
