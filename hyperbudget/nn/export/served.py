"""A trained model as a module by itself: one tensor of plain data in, one tensor of logits out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hyperbudget.nn.build import Model
from hyperbudget.nn.export.metadata import Metadata


class Served(nn.Module):
    """`model` and what must be done to its input. `metadata`: the file's that it came from."""

    mean: Tensor | None
    deviation: Tensor | None

    def __init__(self, model: Model, metadata: Metadata) -> None:
        super().__init__()
        self.model = model
        self.metadata = metadata
        for name, values in (("mean", metadata.mean), ("deviation", metadata.deviation)):
            self.register_buffer(name, None if values is None else torch.tensor(values)[:, None, None])
        self.eval()

    def forward(self, data: Tensor) -> Tensor:
        """Of images, shape (batch, channels, size, size), pixels in [0, 1]: logits, shape (batch, classes).

        Of texts, int64 ids of the vocabulary in `metadata`, shape (texts, time): logits of each next symbol, shape
        (texts, time, symbols), from a state of zeros.
        """
        if self.metadata.vocabulary is not None:
            logits, _ = self.model(data.T)
            return torch.as_tensor(logits).transpose(0, 1)
        if self.mean is not None and self.deviation is not None:
            data = (255 * data - self.mean) / self.deviation
        return torch.as_tensor(self.model(data))
