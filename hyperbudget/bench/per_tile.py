"""The static hypernetwork as public ports compute it: the reference that batched generation is measured against."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperbudget.nn.sources import HyperKernels, KernelSource


class PerTileKernels(KernelSource):
    """The kernels of a `HyperKernels`, from its own parameters, by one call of the generator for each tile.

    Tiles are put together by `torch.cat`, first the columns of a row, then the rows. Many ports also have a parameter
    of its own for each z, which slows the optimiser down; here the embeddings stay one tensor, so that generation is
    all that differs.
    """

    groups = HyperKernels.groups

    def __init__(self, source: HyperKernels) -> None:
        super().__init__(source.shapes)
        self.spec, self.tile_shape = source.spec, source.tile_shape
        self.generator, self.embeddings = source.generator, source.embeddings

    def forward(self) -> list[Tensor]:
        """See `KernelSource.forward`."""
        embeddings = iter(self.embeddings.unbind())
        kernels = []
        for shape in self.shapes:
            rows = []
            for _ in range(shape.in_channels // self.spec.basic_in):
                columns = [self.tile(next(embeddings)) for _ in range(shape.out_channels // self.spec.basic_out)]
                rows.append(torch.cat(columns, dim=0))
            kernels.append(torch.cat(rows, dim=1))
        return kernels

    def tile(self, z: Tensor) -> Tensor:
        """Eqs. 2 and 3 for one z of shape (N_z,): a tile of shape (basic_out, basic_in, height, width)."""
        slices = self.generator["slice_weight"] @ z + self.generator["slice_bias"]  # (slices, d)
        weights = slices @ self.generator["kernel_weight"].T + self.generator["kernel_bias"]
        tile: Tensor = weights.view(self.tile_shape)
        return tile.transpose(0, 1) if self.spec.slice_axis == "in" else tile
