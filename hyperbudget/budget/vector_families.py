"""The families' closed forms over whole arrays of configurations: `closed_form._family`, vectorised.

To add a family, write its function and put it into `FAMILY_FORMS`; one without is counted by the scalar closed form,
one configuration at a time. Every function takes the family's fields and a network's slots, which broadcast against
each other, and returns the learnable parameters and which combinations can be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from hyperbudget.budget.vector import Fields, Ints, Mask, Slot

FamilyForm = Callable[[Fields, list[Slot]], tuple[Ints, Mask | bool]]


def free(fields: Fields, slots: list[Slot]) -> tuple[Ints, Mask | bool]:
    """`Free`."""
    return _total(slot.count * slot.size for slot in slots), True


def shared(fields: Fields, slots: list[Slot]) -> tuple[Ints, Mask | bool]:
    """`Shared`: of the kernels of a scope, the largest."""
    scope = fields["scope"]
    learnable: Any = 0
    for i, slot in enumerate(slots):
        largest: Any = slot.count > 0
        for j, other in enumerate(slots):
            same = (scope == "all") | ((scope == "group") & (other.out_channels == slot.out_channels))
            above = (other.size > slot.size) | ((other.size == slot.size) & (j < i))
            largest = largest & ~(same & above & (other.count > 0))
        learnable = learnable + largest * slot.size
    return learnable, True


def hyper(fields: Fields, slots: list[Slot]) -> tuple[Ints, Mask | bool]:
    """`Hyper`: one generator, one embedding a tile; the basic kernel must tile every kernel."""
    embedding, hidden = fields["embedding_size"], fields["generator_hidden"]
    basic_in, basic_out = fields["basic_in"], fields["basic_out"]
    by_input = fields["slice_axis"] == "in"
    slices, others = np.where(by_input, basic_in, basic_out), np.where(by_input, basic_out, basic_in)
    pixels = slots[0].pixels
    learnable = slices * hidden * (embedding + 1) + others * (hidden + 1) * pixels
    fits: Mask | bool = True
    for slot in slots:
        rows, columns = slot.in_channels // basic_in, slot.out_channels // basic_out
        whole = (rows * basic_in == slot.in_channels) & (columns * basic_out == slot.out_channels)
        fits = fits & (whole | (slot.count == 0))
        learnable = learnable + slot.count * rows * columns * embedding
    return learnable, fits


def low_rank(fields: Fields, slots: list[Slot]) -> tuple[Ints, Mask | bool]:
    """`LowRank`: two thin matrices a kernel, of no more than full rank."""
    rank = fields["rank"]
    fits: Mask | bool = True
    for slot in slots:
        full = np.minimum(slot.out_channels, slot.in_channels * slot.pixels)
        fits = fits & ((rank <= full) | (slot.count == 0))
    return rank * _total(slot.count * (slot.out_channels + slot.in_channels * slot.pixels) for slot in slots), fits


def dct(fields: Fields, slots: list[Slot]) -> tuple[Ints, Mask | bool]:
    """`Dct`: a share of each kernel's coefficients, at least one."""
    kept = (np.maximum(1, np.rint(fields["coefficient_share"] * slot.size).astype(np.int64)) for slot in slots)
    return _total(slot.count * one for slot, one in zip(slots, kept, strict=True)), True


def coordinate(fields: Fields, slots: list[Slot]) -> tuple[Ints, Mask | bool]:
    """`Coordinate`: a small network whose inputs depend on which coordinates vary."""
    hidden, layers = fields["coordinate_hidden"], fields["coordinate_layers"]
    layered = _total(slot.count for slot in slots) > 1
    rows = (fields["output_layout"] == "grid") & _any(slots, lambda slot: _composite(slot.out_channels))
    channels, pixels = _any(slots, lambda slot: slot.in_channels > 1), _any(slots, lambda slot: slot.pixels > 1)
    inputs = 1 + layered + rows + channels + 2 * pixels
    return (inputs + 1) * hidden + (layers - 1) * (hidden + 1) * hidden + hidden + 1, True


def hashed(fields: Fields, slots: list[Slot]) -> tuple[Ints, Mask | bool]:
    """`Hashed`: the buckets, no more than there are weights."""
    buckets = fields["buckets"]
    return buckets, buckets <= _total(slot.count * slot.size for slot in slots)


def _any(slots: list[Slot], holds: Callable[[Slot], Mask]) -> Mask:
    """Whether it holds for some kernel of a network."""
    return np.asarray(sum((slot.count > 0) & holds(slot) for slot in slots), dtype=bool)


def _composite(channels: Ints) -> Mask:
    """Whether so many output channels stand in several rows of a grid: they are neither a prime number nor 1."""
    divisors = range(2, math.isqrt(int(channels.max(initial=0))) + 1)
    found = np.zeros(channels.shape, dtype=bool)
    for divisor in divisors:
        found |= (channels % divisor == 0) & (channels >= divisor**2)
    return found


def _total(parts: Iterable[Ints]) -> Ints:
    return np.asarray(sum(parts), dtype=np.int64)


FAMILY_FORMS: dict[str, FamilyForm] = {
    "free": free,
    "shared": shared,
    "hyper": hyper,
    "low_rank": low_rank,
    "dct": dct,
    "coordinate": coordinate,
    "hashed": hashed,
}
