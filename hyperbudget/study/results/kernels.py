"""The kernels of a finished run as arrays, for the half of the package that knows no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperbudget.nn.spec import Family, Hyper, KernelShape

if TYPE_CHECKING:
    from hyperbudget.study.results.finished import FinishedRun


@dataclass(frozen=True)
class Kernels:
    """The kernels that a run's source holds or generates; the stem and the head are no part of them.

    words: the run in a line, for headings. arrays: shape (out_channels, in_channels, height, width) each, float64, in
    the network's order. embeddings: shape (tiles, N_z), those of the first kernel first; None where there are none.
    """

    run: str
    words: str
    family: Family
    arrays: list[NDArray[np.float64]]
    embeddings: NDArray[np.float64] | None = None

    @property
    def shapes(self) -> list[KernelShape]:
        return [KernelShape(*array.shape) for array in self.arrays]

    @property
    def basic(self) -> tuple[int, int] | None:
        """Input and output channels of the tiles that a hypernetwork generates; None for other families."""
        return (self.family.basic_in, self.family.basic_out) if isinstance(self.family, Hyper) else None


def kernels_of(run: FinishedRun, words: str) -> Kernels:
    """Generate the kernels of `run`, on the CPU. Raises UserError as `FinishedRun.load` does, and if there are none."""
    import torch

    from hyperbudget.errors import UserError
    from hyperbudget.nn.image_model import ImageModel
    from hyperbudget.nn.sources import HyperKernels

    model, _ = run.load()
    if not isinstance(model, ImageModel):
        raise UserError(f"{run.name}: a {run.spec.model.network.name} has no kernels to show")
    source = model.source
    with torch.no_grad():
        arrays = [kernel.double().numpy() for kernel in source()]
    embeddings = source.embeddings.detach().double().numpy() if isinstance(source, HyperKernels) else None
    return Kernels(run.name, words, run.spec.model.family, arrays, embeddings)
