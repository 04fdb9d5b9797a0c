"""What kernels share: how far their tiles point into the same directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hyperbudget.nn.sharing.matrices import Array, common_block, tiles, unfold
from hyperbudget.nn.sharing.spectra import tile_bound, unfolding_bound
from hyperbudget.nn.spec import Family, KernelShape

MOST = 64
"""So many parts of a single kernel are compared."""


@dataclass(frozen=True)
class Similarity:
    """|cosine| between every two of n sets of vectors, and what it would be if they had nothing to do with each other.

    measured, expected: shape (n, n), nan on the diagonal and where nothing can be compared. dimensions: length of the
    vectors, None where it differs.
    """

    measured: Array
    expected: Array
    dimensions: int | None

    @property
    def overall(self) -> float | None:
        """The root mean square of `measured` over all pairs; None without any."""
        return _root_mean_square(self.measured)

    @property
    def chance(self) -> float | None:
        """The root mean square of `expected`."""
        return _root_mean_square(self.expected)

    def chance_within(self, dimensions: int) -> float | None:
        """`chance`, were all vectors confined to one subspace of so many dimensions: what a bound alone explains."""
        if self.chance is None or self.dimensions is None:
            return None
        return self.chance * math.sqrt(self.dimensions / min(dimensions, self.dimensions))


def _root_mean_square(matrix: Array) -> float | None:
    values = matrix[~np.isnan(matrix)]
    return float(np.sqrt(np.square(values).mean())) if len(values) else None


def similarity(sets: Sequence[Array]) -> Similarity:
    """Compare sets of vectors, each of shape (vectors, dimensions): the tiles of each kernel, say.

    The vectors of a set are the rows of X, their second moments ``C_X = X^T X``. The similarity of two sets is

    ``|cosine|(X, Y) = sqrt( <C_X, C_Y> / (|C_X| |C_Y|) )`` with ``<C_X, C_Y> = |X Y^T|^2``, in Frobenius norms:

    the root of the RV coefficient (Robert & Escoufier 1976), or linear CKA (Kornblith et al. 2019), without centring.
    Of two single vectors it is the |cosine| of their angle. It is 1 exactly where C_X and C_Y are proportional and 0
    exactly where each vector of one set is orthogonal to all of the other. It stays as it is when a set is scaled,
    flipped, put into another order or mixed by an orthogonal matrix. A part of a set is less than 1 from the whole:
    ``n^(-1/4)`` for one of n orthogonal vectors of one length. Channels keep their places, for a generator shares
    weight by weight: kernels that are the same up to a permutation of channels need not be similar.

    `expected` is for two sets of these singular values of which one is turned at random in all D dimensions, as
    independent Gaussian kernels are. Over all rotations the mean of C_Y is ``tr(C_Y) / D`` times the identity, so the
    mean of the squared similarity is exactly ``tr C_X tr C_Y / (D |C_X| |C_Y|)``. Its root stands in `expected`, and
    for its sake pairs are summed up as root mean squares.
    """
    traces = [float(np.square(x).sum()) for x in sets]
    norms = [float(np.linalg.norm(x @ x.T if len(x) <= x.shape[1] else x.T @ x)) for x in sets]
    measured = np.full((len(sets), len(sets)), np.nan)
    expected = measured.copy()
    for i, x in enumerate(sets):
        for j, y in enumerate(sets[:i]):
            dimensions, product = x.shape[1], norms[i] * norms[j]
            if dimensions != y.shape[1] or product == 0:
                continue
            measured[i, j] = measured[j, i] = min(1.0, float(np.linalg.norm(x @ y.T)) / math.sqrt(product))
            expected[i, j] = expected[j, i] = math.sqrt(traces[i] * traces[j] / (dimensions * product))
    lengths = {x.shape[1] for x in sets}
    return Similarity(measured, expected, lengths.pop() if len(lengths) == 1 else None)


@dataclass(frozen=True)
class Parts:
    """What of a network is compared: a name for all, and a set of vectors for each."""

    name: Literal["kernels", "tiles", "input slices", "filters"]
    sets: list[Array]


def parts(kernels: Sequence[Array], basic: tuple[int, int] | None = None) -> Parts:
    """The kernels of a network, each as the set of its tiles; of a single kernel, its tiles, or else its slices.

    basic: input and output channels of a tile; without it the largest that divide those of all kernels, so that
    kernels of one height and width can always be compared, whatever their channels. A single kernel of one tile is
    taken input channel by input channel, as the paper's generator slices it, and filter by filter where there is only
    one of these. Of a single kernel's parts, the first `MOST`.
    """
    sets = [tiles(kernel, *(basic or common_block(kernels))) for kernel in kernels]
    if len(kernels) > 1:
        return Parts("kernels", sets)
    if len(sets[0]) > 1:
        return Parts("tiles", list(sets[0][:MOST, None]))
    if kernels[0].shape[1] > 1:
        return Parts("input slices", list(unfold(kernels[0], 1)[:MOST, None]))
    return Parts("filters", list(unfold(kernels[0], 0)[:MOST, None]))


@dataclass(frozen=True)
class Comparison:
    """The similarity of the `parts` of a network, and the dimensions that its family confines them to, if any."""

    of: str
    found: Similarity
    dimensions: int | None

    @property
    def chance_within(self) -> float | None:
        """What chance gives in these dimensions alone."""
        return None if self.dimensions is None else self.found.chance_within(self.dimensions)


def compare(kernels: Sequence[Array], family: Family, basic: tuple[int, int] | None = None) -> Comparison:
    """Compare the `parts` of a network whose kernels come from `family`; basic as there."""
    compared = parts(kernels, basic)
    if compared.name in ("kernels", "tiles"):
        dimensions = tile_bound(family)
    else:
        axis = 1 if compared.name == "input slices" else 0
        dimensions = unfolding_bound(family, KernelShape(*kernels[0].shape), axis)
    return Comparison(compared.name, similarity(compared.sets), dimensions)
