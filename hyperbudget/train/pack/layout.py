"""The parameters of a network as one row of numbers: those of a pack are then one matrix, of a row a run."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

ALIGNED = 4
"""Numbers that every parameter begins at a multiple of: fast products want its address to be."""


class Layout:
    """Where each parameter of `model`, and of every network of the same shapes, lies in a row of `width` numbers.

    What lies between two parameters is 0. Raises ValueError for a network that keeps more than its parameters.
    """

    def __init__(self, model: nn.Module) -> None:
        if names := [name for name, _ in model.named_buffers()]:
            raise ValueError(f"model: has buffers ({', '.join(names)}), which are not packed")
        self.shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
        self.sizes = [size for shape in self.shapes.values() for size in (shape.numel(), -shape.numel() % ALIGNED)]
        self.width = sum(self.sizes)

    def row(self, state: Mapping[str, Tensor]) -> Tensor:
        """The parameters, by name, as a row: shape (width,)."""
        first = next(iter(state.values()))
        row = torch.zeros(self.width, dtype=first.dtype, device=first.device)
        for name, tensor in self.tensors(row).items():
            tensor.copy_(state[name])
        return row

    def tensors(self, rows: Tensor) -> dict[str, Tensor]:
        """Views of rows, shape (..., width), as parameters by name, each of shape (..., its own)."""
        parts = rows.split(self.sizes, -1)[::2]  # type: ignore[no-untyped-call]
        lead = rows.shape[:-1]
        return {name: part.view(*lead, *shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}
