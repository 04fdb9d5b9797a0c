"""Pre-activation residual networks with kernels from any source."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.image_model import ImageModel
from hyperbudget.nn.sources import build_source
from hyperbudget.nn.spec import Family, ResNet


class ResNetModel(ImageModel):
    """Stem, groups of residual blocks (He et al. 2016b: norm, relu, convolution, twice), norm, mean pooling, head."""

    def __init__(self, spec: ResNet, family: Family, channels: int, size: int, classes: int) -> None:
        super().__init__(build_source(family, spec.kernel_shapes()))
        self.blocks = spec.blocks
        self.stem = nn.Conv2d(channels, spec.width, 3, padding=1, bias=False)
        inputs = [shape.in_channels for shape in spec.kernel_shapes()]
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in [*inputs, spec.widths[-1]])
        self.head = nn.Linear(spec.widths[-1], classes)
        nn.init.kaiming_normal_(self.stem.weight, nonlinearity="relu")

    def apply_kernels(self, images: Tensor, kernels: list[Tensor]) -> Tensor:
        """See `ImageModel.apply_kernels`."""
        x = self.stem(images)
        for block in range(len(kernels) // 2):
            first, second = kernels[2 * block : 2 * block + 2]
            stride = 2 if block and block % self.blocks == 0 else 1
            y = F.conv2d(F.relu(self.norms[2 * block](x)), first, stride=stride, padding=1)
            y = F.conv2d(F.relu(self.norms[2 * block + 1](y)), second, padding=1)
            x = y + shortcut(x, y.shape[1], stride)
        x = F.relu(self.norms[-1](x)).mean((2, 3))
        return self.head(x)  # type: ignore[no-any-return]


def shortcut(x: Tensor, channels: int, stride: int) -> Tensor:
    """`x` as it stands, or every `stride`-th pixel of it with zero channels added: it owns no parameters.

    x: shape (batch, in_channels, height, width); returned: (batch, channels, ceil(height / stride), ...).
    """
    if stride > 1:
        x = x[:, :, ::stride, ::stride]
    missing = channels - x.shape[1]
    return F.pad(x, (0, 0, 0, 0, 0, missing)) if missing else x
