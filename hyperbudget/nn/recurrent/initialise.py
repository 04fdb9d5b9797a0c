"""How the parameters of recurrent layers start (A.2.3)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn


@torch.no_grad()
def orthogonal(weight: Tensor, matrices: int) -> None:
    """Make each of the matrices that stand one below the other orthogonal (Henaff et al. 2016).

    weight: shape (matrices * rows, columns); of each matrix the rows or the columns, whichever are fewer, are
    orthonormal.
    """
    for matrix in weight.chunk(matrices):
        nn.init.orthogonal_(matrix)


def input_weights(weight: Tensor, matrices: int, how: Literal["orthogonal", "uniform"]) -> None:
    """Draw the weights from the input, shape (matrices * rows, inputs): see `orthogonal`.

    ``uniform`` is on +-sqrt(3 / inputs): the default of the TensorFlow that the author's code was written for.
    """
    if how == "orthogonal":
        orthogonal(weight, matrices)
    else:
        nn.init.uniform_(weight, -math.sqrt(3 / weight.shape[1]), math.sqrt(3 / weight.shape[1]))


@torch.no_grad()
def embeddings(z_weight: Tensor, z_bias: Tensor, zb_weight: Tensor, how: Literal["zero", "normal"]) -> None:
    """The projections of the small cell's state to z_h and z_x, and to z_b: at step 0, z_h and z_x are 1 and z_b small.

    With ``zero`` and equal weights from z to d, the N_z numbers of one z_h or z_x get equal gradients: they stay equal
    for good, as if N_z were 1. ``normal`` tells them apart.
    """
    z_bias.fill_(1)
    zb_weight.normal_(std=0.01)
    if how == "zero":
        z_weight.zero_()
    else:
        z_weight.normal_(std=0.01)
