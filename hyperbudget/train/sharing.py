"""How much the kernels of a trained network share, in numbers small enough to stand in a result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from hyperbudget.nn.image_model import ImageModel
from hyperbudget.nn.sharing.matrices import Array, principal_axes
from hyperbudget.nn.sharing.similarity import compare
from hyperbudget.nn.sharing.spectra import spectra, tile_spectrum
from hyperbudget.nn.sources import HyperKernels
from hyperbudget.nn.spec import Hyper, Kernels

PARTS, TILES = 36, 224
"""Of more kernels (or parts of a single one), and of more tiles, so many are stored, evenly spaced."""
LARGEST = 5_000_000
"""Kernels of more weights in all are not looked at: that takes less than a second for so many."""


@torch.no_grad()
def sharing(model: ImageModel, family: Kernels) -> dict[str, Any]:
    """Of the kernels as they are now, as plain JSON data; a part that the network has not is missing.

    Empty for kernels of more than `LARGEST` weights in all, and for weights that are not finite.

    Of the n `hyperbudget.nn.sharing.similarity.parts` of the network, its kernels or the parts of its only one:

    - ``sharing.of``: what the parts are, a list of one word
    - ``sharing.part``: their numbers, counted from 1, shape (n,)
    - ``sharing.channels``: of kernels, the output channels of each, shape (n,)
    - ``sharing.cosine``: |cosine| between every two of them, to three decimals: the rows of the lower triangle without
      its diagonal, one after the other, shape (n (n - 1) / 2,); None where two cannot be compared
    - ``sharing.overall``, ``sharing.chance``: the root mean square of these, and of what chance gives; over all parts

    Of the kernels' ranks:

    - ``sharing.rank``, ``sharing.most``: the effective rank of each kernel as a matrix with a row a filter, and what
      it can be at most; of kernels, shape (n,), else (1,)
    - ``sharing.tile_rank``, ``sharing.tile_most``: the same of the matrix with every tile of every kernel as a row

    Of the m embeddings of a hypernetwork, on their principal axes (N_z = 1: as they are):

    - ``sharing.x``, ``sharing.y``: where each lies, over the largest of all these numbers, shape (m,); no y where N_z
      is 1
    - ``sharing.kernel``: the number of the kernel of each, counted from 1, shape (m,)
    - ``sharing.axes``: the axes' shares of the variance, shape (1,) or (2,)
    """
    if sum(shape.weights for shape in model.source.shapes) > LARGEST:
        return {}
    arrays = [kernel.cpu().double().numpy() for kernel in model.source()]
    if not all(np.isfinite(array).all() for array in arrays):
        return {}
    basic = (family.basic_in, family.basic_out) if isinstance(family, Hyper) else None
    found: dict[str, Any] = {}
    compared = compare(arrays, family, basic)
    measured, overall, chance = compared.found.measured, compared.found.overall, compared.found.chance
    several = compared.of == "kernels"
    chosen = evenly(len(measured), PARTS)
    if overall is not None and chance is not None:
        found |= {"sharing.of": [compared.of], "sharing.part": [place + 1 for place in chosen]}
        if several:
            found["sharing.channels"] = [len(arrays[place]) for place in chosen]
        rows = measured[np.ix_(chosen, chosen)][np.tril_indices(len(chosen), -1)]
        found["sharing.cosine"] = [None if math.isnan(value) else round(float(value), 3) for value in rows]
        found |= {"sharing.overall": round(overall, 4), "sharing.chance": round(chance, 4)}
    ranks = spectra([arrays[place] for place in chosen] if several else arrays[:1], family, 0)
    found["sharing.rank"] = [round(spectrum.rank, 2) for spectrum in ranks]
    found["sharing.most"] = [spectrum.most for spectrum in ranks]
    tiles = tile_spectrum(arrays, family, basic)
    if tiles is not None:
        found |= {"sharing.tile_rank": round(tiles.rank, 2), "sharing.tile_most": tiles.most}
    if isinstance(family, Hyper) and isinstance(model.source, HyperKernels):
        embeddings = model.source.embeddings.detach().cpu().double().numpy()
        owners = [n for n, shape in enumerate(model.source.shapes, start=1) for _ in range(family.tiles(shape))]
        found |= _embedded(embeddings, owners)
    return found


def evenly(count: int, most: int) -> list[int]:
    """Places of at most so many of `count`, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]


def _embedded(embeddings: Array, owners: list[int]) -> dict[str, Any]:
    if len(embeddings) < 2:
        return {}
    points, shares = (embeddings, np.ones(1)) if embeddings.shape[1] == 1 else principal_axes(embeddings)
    chosen = evenly(len(points), TILES)
    scaled = points[chosen] / (np.abs(points).max() or 1.0)
    axes = zip("xy", scaled.T, strict=False)
    return {
        **{f"sharing.{name}": [round(float(value), 3) for value in values] for name, values in axes},
        "sharing.kernel": [owners[place] for place in chosen],
        "sharing.axes": [round(float(share), 3) for share in shares],
    }
