"""What every image classifier with a kernel source has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter

from torch import Tensor, nn

from hyperbudget.nn.sources import KernelSource


class ImageModel(nn.Module, ABC):
    """A classifier whose kernels come from `source`; its other parts are named by their group of the anatomy.

    The attributes ``stem``, ``shortcuts``, ``biases``, ``norms`` and ``head``, those that a network has, hold all
    learnable parameters besides the source's.
    """

    def __init__(self, source: KernelSource) -> None:
        super().__init__()
        self.source = source

    @abstractmethod
    def apply_kernels(self, images: Tensor, kernels: list[Tensor]) -> Tensor:
        """Logits of shape (batch, classes) for `images` of shape (batch, channels, size, size).

        `kernels` are what `source` returned: the caller generates them once for as many batches as it likes, and may
        penalise them.
        """

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (batch, classes), with the source's kernels of this moment."""
        return self.apply_kernels(images, self.source())

    def anatomy(self) -> dict[str, int]:
        """Learnable parameters by group, counted from the modules; groups without any are left out."""
        counts: Counter[str] = Counter()
        for name, parameter in self.named_parameters():
            part, _, rest = name.partition(".")
            group = self.source.groups[rest.partition(".")[0]] if part == "source" else part
            counts[group] += parameter.numel()
        return dict(counts)
