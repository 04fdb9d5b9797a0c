"""The paper's small MNIST network. Its result and the study that gave it: ``reports/mnist-kernel``."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.image_model import ImageModel
from hyperbudget.nn.sources import build_source
from hyperbudget.nn.spec import ConvNet, Kernels


class ConvNetModel(ImageModel):
    """Two same-padded convolutions, each with relu and 2 x 2 max pooling, and a linear head (section 4.1, A.3.1).

    The second kernel comes from the kernel source; the first one is the stem.
    """

    def __init__(self, spec: ConvNet, family: Kernels, channels: int, size: int, classes: int) -> None:
        super().__init__(build_source(family, spec.kernel_shapes()))
        self.padding = spec.kernel_size // 2
        self.stem = nn.Conv2d(channels, spec.width, spec.kernel_size, padding=self.padding)
        self.biases = nn.ParameterList([nn.Parameter(self.stem.weight.new_zeros(spec.width))])
        pooled = -(-size // 4)  # two poolings, each rounding up
        self.head = nn.Linear(spec.width * pooled**2, classes)
        nn.init.kaiming_normal_(self.stem.weight, nonlinearity="relu")
        nn.init.zeros_(self.stem.bias)  # type: ignore[arg-type]  # the stem is built with a bias

    def apply_kernels(self, images: Tensor, kernels: list[Tensor]) -> Tensor:
        """See `ImageModel.apply_kernels`."""
        # relu after pooling: the same outputs as before it, on a quarter of the pixels.
        x = F.relu(F.max_pool2d(self.stem(images), 2, ceil_mode=True))
        x = F.conv2d(x, kernels[0], self.biases[0], padding=self.padding)
        x = F.relu(F.max_pool2d(x, 2, ceil_mode=True))
        return self.head(x.flatten(1))  # type: ignore[no-any-return]
