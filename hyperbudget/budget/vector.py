"""The networks' closed forms over whole arrays of configurations: `closed_form._network` and `flops`, vectorised.

A network's kernels come in few distinct shapes, so a table of networks lists them as slots: an array of how often, and
arrays of the channels. The families in `vector_families` are functions of such slots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperbudget.budget.grids import Grid

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Fields = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Slot:
    """Kernels of one shape in each of n networks; arrays of shape (n,), or (n, 1) to be spread over families.

    `count` is 0 in a network without such kernels. No two slots of a network have the same shape.
    """

    count: Ints
    in_channels: Ints
    out_channels: Ints
    pixels: Ints

    @property
    def size(self) -> Ints:
        """Weights of one kernel."""
        return self.in_channels * self.out_channels * self.pixels

    def column(self, start: int, stop: int) -> Slot:
        """A run of networks, shape (stop - start, 1)."""
        arrays = (self.count, self.in_channels, self.out_channels, self.pixels)
        return Slot(*(array[start:stop, None] for array in arrays))


@dataclass(frozen=True)
class Table:
    """n networks: `rest`, the learnable parameters besides the kernels, and forward `flops`, both of shape (n,)."""

    slots: list[Slot]
    rest: Ints
    flops: Ints

    @property
    def generated(self) -> Ints:
        """Kernel weights of each network."""
        return np.asarray(sum(slot.count * slot.size for slot in self.slots), dtype=np.int64)


NetworkForm = Callable[[Fields, int, int, int], tuple[Table, Mask]]
"""(fields, channels, size, classes) -> the table, and which of the networks can be."""


def convnet(fields: Fields, channels: int, size: int, classes: int) -> tuple[Table, Mask]:
    """`ConvNet`."""
    width, kernel = fields["width"], fields["kernel_size"]
    pixels, features = kernel**2, width * (-(-size // 4)) ** 2
    rest = (channels * pixels + 1) * width + width + (features + 1) * classes
    stem, second = channels * pixels * width * size**2, width**2 * pixels * (-(-size // 2)) ** 2
    slots = [Slot(np.ones_like(width), width, width, pixels)]
    return Table(slots, rest, 2 * (stem + second + features * classes)), kernel % 2 == 1


def mlp(fields: Fields, channels: int, size: int, classes: int) -> tuple[Table, Mask]:
    """`Mlp`."""
    hidden, inputs, pixels = fields["hidden"], fields["image_channels"], fields["image_size"] ** 2
    slots = [Slot(np.ones_like(hidden), inputs, hidden, pixels)]
    table = Table(slots, hidden + (hidden + 1) * classes, 2 * hidden * (inputs * pixels + classes))
    return table, (inputs == channels) & (pixels == size**2)


def resnet(fields: Fields, channels: int, size: int, classes: int) -> tuple[Table, Mask]:
    """`ResNet`."""
    depth, width, groups = fields["depth"], fields["width"], fields["groups"]
    no = np.zeros(width.shape, dtype=bool)
    table = _residual(width, width, groups, depth // (2 * groups), no, no, channels, size, classes)
    return table, depth % (2 * groups) == 0


def wrn(fields: Fields, channels: int, size: int, classes: int) -> tuple[Table, Mask]:
    """`WideResNet`."""
    depth, width = fields["depth"], fields["width"]
    papers = fields["accounting"] == "paper"
    stem, groups = np.full_like(width, 16), np.full_like(width, 3)
    table = _residual(stem, 16 * width, groups, (depth - 4) // 6, papers, ~papers, channels, size, classes)
    return table, (depth % 6 == 4) & (depth >= 10)


def _residual(stem: Ints, first: Ints, groups: Ints, blocks: Ints, papers: Mask, projected: Mask,
              channels: int, size: int, classes: int) -> Table:  # fmt: skip
    """`papers`: biases and a norm after the stem; `projected`: 1 x 1 shortcuts. `first`: channels of group 0."""
    pixels = np.full_like(stem, 9)
    slots: list[Slot] = []
    inputs = outputs = shortcuts = np.zeros_like(stem)
    flops = 9 * channels * stem * size**2
    before = last = stem
    for group in range(int(groups.max(initial=0))):
        there = groups > group
        last = np.where(there, first * 2**group, last)
        wider = there & (before != last)
        added = [
            Slot(wider.astype(np.int64), before, last, pixels),
            Slot(np.where(there, 2 * blocks - wider, 0), last, last, pixels),
        ]
        projection = np.where(wider & projected, before * last, 0)
        shortcuts = shortcuts + projection
        weights = sum(slot.count * slot.size for slot in added) + projection
        flops = flops + weights * (-(-size // 2**group)) ** 2
        inputs = inputs + sum(slot.count * slot.in_channels for slot in added)
        outputs = outputs + sum(slot.count * slot.out_channels for slot in added)
        slots += added
        before = last
    norms = inputs + last + stem * papers
    rest = (9 * channels + papers) * stem + shortcuts + outputs * papers + 2 * norms + (last + 1) * classes
    return Table(slots, rest, 2 * (flops + last * classes))


NETWORK_FORMS: dict[str, NetworkForm] = {"convnet": convnet, "mlp": mlp, "resnet": resnet, "wrn": wrn}


def tabulate(networks: Grid, channels: int, size: int, classes: int) -> tuple[Grid, Table]:
    """The networks of the grid that can be, and their table for images of shape (channels, size, size)."""
    form = NETWORK_FORMS[networks.owner.name]
    _, can_be = form(networks.arrays, channels, size, classes)
    kept = networks.where(can_be)
    return kept, form(kept.arrays, channels, size, classes)[0]
