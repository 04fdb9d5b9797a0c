"""From z to the scaling vectors d, and the gradient of the weights between them.

There are twelve parts: of d_h, d_x and d_b, each for i, g, f and o.
"""

import triton
import triton.language as tl

from hyperbudget.nn.recurrent.fused.gpu.kernels.gates import of_run


@triton.jit
def vector(
    part: tl.constexpr, z, bias, weight, d, columns, inside, row,
    NUMBERS: tl.constexpr, PAD: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    """One part of d for one row, 0 outside: ``(z + bias) weight``. z: the row's, shape (12, NUMBERS).

    bias: shape (12, NUMBERS); weight: shape (12, NUMBERS, SIZE). Where d is given, it is ``z weight``, shape
    (12, batch, SIZE), and instead of the weight there is ``bias weight``, shape (12, SIZE).
    """
    if d is not None:
        given = tl.load(d + (part * tl.num_programs(0) + row) * SIZE + columns, inside, other=0.0)
        return given + tl.load(weight + part * SIZE + columns, inside, other=0.0)
    else:  # noqa: RET505  (one of the two is not even compiled)
        tile = weight_of(part, weight, columns, inside, NUMBERS, PAD, SIZE)
        return tl.sum(tile * numbers_of(part, z, bias, NUMBERS, PAD), 0)


@triton.jit
def numbers_of(part: tl.constexpr, z, bias, NUMBERS: tl.constexpr, PAD: tl.constexpr):
    """One part of z + bias, shape (PAD, 1), 0 beyond NUMBERS."""
    place = tl.arange(0, PAD)[:, None]
    own = tl.load(z + part * NUMBERS + place, place < NUMBERS, other=0.0)
    return own + tl.load(bias + part * NUMBERS + place, place < NUMBERS, other=0.0)


@triton.jit
def weight_of(
    part: tl.constexpr, weight, columns, inside, NUMBERS: tl.constexpr, PAD: tl.constexpr, SIZE: tl.constexpr
):
    """One part of the weight, shape (PAD, BLOCK), 0 beyond NUMBERS and outside."""
    place = tl.arange(0, PAD)[:, None]
    at = (part * NUMBERS + place) * SIZE + columns[None, :]
    return tl.load(weight + at, (place < NUMBERS) & inside[None, :], other=0.0)


@triton.jit
def scaling_gradient(
    grad_sums, of_h, of_x, z, bias, partial,
    ROWS: tl.constexpr, SLAB: tl.constexpr, OF_H_ROW: tl.constexpr, Z_ROW: tl.constexpr,
    NUMBERS: tl.constexpr, PAD: tl.constexpr, SIZE: tl.constexpr, BLOCK: tl.constexpr,
    RUN: tl.constexpr, RUNS: tl.constexpr,
):  # fmt: skip
    """What a slab, SLAB of the ROWS, samples times steps, adds to the gradient of the weight, for one gate.

    A program takes BLOCK columns, PAD of the numbers of z, and one slab: so many are there at once, and no two write
    to one place. grad_sums, of_h, of_x: shape (ROWS, 4, SIZE), of_h in rows of OF_H_ROW numbers; z, bias: as in
    `vector`; partial: shape (slabs, 12, NUMBERS, SIZE). Grid: blocks of numbers, 4 times blocks of columns, slabs.

    In a pack, of RUNS runs, each has ROWS rows, RUN of them a step; behind the slabs stand runs, in the grid as well.
    """
    gate = tl.program_id(1) % 4
    columns = (tl.program_id(1) // 4 * BLOCK + tl.arange(0, BLOCK))[None, :]
    inside = columns < SIZE
    place = (tl.program_id(0) * PAD + tl.arange(0, PAD))[:, None]
    known = place < NUMBERS
    run = tl.program_id(2) % RUNS
    first = (tl.program_id(2) // RUNS).to(tl.int64) * SLAB
    bias = of_run(bias, 12 * NUMBERS, run, None if RUN is None else 1)

    at = gate * SIZE + columns
    at_z = gate * NUMBERS + place
    bias_h = tl.load(bias + at_z, known, other=0.0)
    bias_x = tl.load(bias + 4 * NUMBERS + at_z, known, other=0.0)
    bias_b = tl.load(bias + 8 * NUMBERS + at_z, known, other=0.0)
    total_h = tl.zeros([PAD, BLOCK], dtype=grad_sums.dtype.element_ty)
    total_x = tl.zeros([PAD, BLOCK], dtype=grad_sums.dtype.element_ty)
    total_b = tl.zeros([PAD, BLOCK], dtype=grad_sums.dtype.element_ty)
    for number in range(SLAB):
        row = first + number
        if row < ROWS:
            if RUN is not None:
                row = (row // RUN * RUNS + run) * RUN + row % RUN
            grad = tl.load(grad_sums + row * (4 * SIZE) + at, inside, other=0.0)
            seen_h = grad * tl.load(of_h + row * OF_H_ROW + at, inside, other=0.0)
            seen_x = grad * tl.load(of_x + row * (4 * SIZE) + at, inside, other=0.0)
            own_z = z + row * Z_ROW + at_z
            total_h += (tl.load(own_z, known, other=0.0) + bias_h) * seen_h
            total_x += (tl.load(own_z + 4 * NUMBERS, known, other=0.0) + bias_x) * seen_x
            total_b += (tl.load(own_z + 8 * NUMBERS, known, other=0.0) + bias_b) * grad

    to = partial + (tl.program_id(2).to(tl.int64) * 12 * NUMBERS + at_z) * SIZE + columns
    tl.store(to, total_h, known & inside)
    tl.store(to + 4 * NUMBERS * SIZE, total_x, known & inside)
    tl.store(to + 8 * NUMBERS * SIZE, total_b, known & inside)
