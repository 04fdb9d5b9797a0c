"""How many directions kernels have, beside how many their family allows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperbudget.nn.sharing.matrices import Array, common_block, effective_rank, singular_values, tiles, unfold
from hyperbudget.nn.spec import Family, Hyper, KernelShape, LowRank


@dataclass(frozen=True)
class Spectrum:
    """The singular values of a matrix over the largest, and the bound that the family's sizes set its rank, if any."""

    values: Array
    bound: int | None

    @property
    def rank(self) -> float:
        """The effective rank."""
        return effective_rank(self.values)

    @property
    def most(self) -> int:
        """What it can be at most."""
        return self.bound or len(self.values)


def spectra(kernels: Sequence[Array], family: Family, axis: int) -> list[Spectrum]:
    """One a kernel, of `hyperbudget.nn.sharing.matrices.unfold` along `axis`: 0 filters, 1 input slices."""
    return [
        Spectrum(singular_values(unfold(kernel, axis)), unfolding_bound(family, KernelShape(*kernel.shape), axis))
        for kernel in kernels
    ]


def tile_spectrum(kernels: Sequence[Array], family: Family, basic: tuple[int, int] | None) -> Spectrum | None:
    """Of the matrix with every tile of every kernel as a row of length 1, so that small kernels count as large ones.

    basic: as for `hyperbudget.nn.sharing.similarity.parts`. None for a single tile, and for kernels of several heights
    and widths.
    """
    if len({kernel.shape[2:] for kernel in kernels}) > 1:
        return None
    rows = np.concatenate([tiles(kernel, *(basic or common_block(kernels))) for kernel in kernels])
    if len(rows) < 2:
        return None
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    values = singular_values(rows / np.where(lengths > 0, lengths, 1.0))
    bound = tile_bound(family)
    return Spectrum(values, bound if bound is not None and bound < len(values) else None)


def unfolding_bound(family: Family, shape: KernelShape, axis: int) -> int | None:
    """An upper bound on the rank of a kernel as the matrix that `hyperbudget.nn.sharing.matrices.unfold` makes of it.

    None where the family's sizes allow every rank. A slice of a tile is a mix of the d columns of W_out, plus B_out
    (eq. 3). Along the axis that the generator slices, n tiles beside each other give the matrix n d independent rows
    and, with one B_out for all, one more; along the other axis, as many for each of the height x width places.
    Besides, whole tiles are mixes of few (`tile_bound`), and so is each of their slices.
    """
    bound = full = min(shape[axis], shape.weights // shape[axis])
    if isinstance(family, LowRank) and axis == 0:
        bound = family.rank
    mixed = tile_bound(family)
    if isinstance(family, Hyper) and mixed is not None:
        sliced = 1 if family.slice_axis == "in" else 0
        basic = family.basic_out, family.basic_in
        beside = [shape[other] // basic[other] for other in (1, 0)]  # tiles in a row of blocks, by axis
        places = 1 if axis == sliced else shape.height * shape.width
        bound = min((beside[sliced] * family.hidden + 1) * places, basic[axis] * (beside[axis] * (mixed - 1) + 1))
    return bound if bound < full else None


def tile_bound(family: Family) -> int | None:
    """An upper bound on the rank of the tiles of all kernels together; None where a family has no tiles.

    A tile is linear in its z but for the biases, which are the same in all tiles: N_z dimensions and one more. Where
    the slices of a tile have fewer numbers a_i in all than z has, the tile has no more than these.
    """
    if not isinstance(family, Hyper):
        return None
    slices = family.basic_in if family.slice_axis == "in" else family.basic_out
    return min(family.embedding_size, slices * family.hidden) + 1
