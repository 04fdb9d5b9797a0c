"""Pre-activation residual networks with kernels from any source: `resnet` and Wide ResNets."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.image_model import ImageModel
from hyperbudget.nn.sources import build_source
from hyperbudget.nn.spec import Kernels, Residual


class ResidualModel(ImageModel):
    """Stem, groups of residual blocks (He et al. 2016b: norm, relu, convolution, twice), norm, mean pooling, head.

    Where the spec has a norm after the stem, a relu follows it; else two norms would follow each other. A projected
    shortcut starts from the block's normed and rectified input, as in the code of Wide ResNets; a zero-padded one
    from the input itself.
    """

    def __init__(self, spec: Residual, family: Kernels, channels: int, size: int, classes: int) -> None:
        shapes = spec.kernel_shapes()
        super().__init__(build_source(family, shapes))
        self.blocks = spec.blocks
        self.stem_norm = spec.stem_norm
        self.stem = nn.Conv2d(channels, spec.stem_width, 3, padding=1, bias=spec.conv_bias)
        stem = [spec.stem_width] if spec.stem_norm else []
        normed = [*stem, *(shape.in_channels for shape in shapes), spec.widths[-1]]
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in normed)
        self.head = nn.Linear(spec.widths[-1], classes)
        nn.init.kaiming_normal_(self.stem.weight, nonlinearity="relu")
        if spec.conv_bias:
            nn.init.zeros_(self.stem.bias)  # type: ignore[arg-type]  # it is there
            self.biases = nn.ParameterList(self.stem.weight.new_zeros(shape.out_channels) for shape in shapes)
        if spec.projected:
            self.shortcuts = nn.ModuleDict(
                {
                    str(block): nn.Conv2d(first.in_channels, first.out_channels, 1, bias=False)
                    for block, first in enumerate(shapes[::2])
                    if first.in_channels != first.out_channels
                }
            )
            for weight in self.shortcuts.parameters():
                nn.init.kaiming_normal_(weight, nonlinearity="relu")

    def apply_kernels(self, images: Tensor, kernels: list[Tensor]) -> Tensor:
        """See `ImageModel.apply_kernels`."""
        x = self.stem(images)
        norms = list(self.norms)
        if self.stem_norm:
            x = F.relu(norms.pop(0)(x))
        biases = list(getattr(self, "biases", [])) or [None] * len(kernels)
        projections = getattr(self, "shortcuts", {})
        for block in range(len(kernels) // 2):
            first, second = 2 * block, 2 * block + 1
            stride = 2 if block and block % self.blocks == 0 else 1
            active = F.relu(norms[first](x))
            y = F.conv2d(active, kernels[first], biases[first], stride=stride, padding=1)
            y = F.conv2d(F.relu(norms[second](y)), kernels[second], biases[second], padding=1)
            if str(block) in projections:
                x = y + F.conv2d(active, projections[str(block)].weight, stride=stride)
            else:
                x = y + shortcut(x, y.shape[1], stride)
        x = F.adaptive_avg_pool2d(F.relu(norms[-1](x)), 1).flatten(1)
        return self.head(x)  # type: ignore[no-any-return]


def shortcut(x: Tensor, channels: int, stride: int) -> Tensor:
    """`x` as it stands, or every `stride`-th pixel of it with zero channels added: it owns no parameters.

    x: shape (batch, in_channels, height, width); returned: (batch, channels, ceil(height / stride), ...).
    """
    if stride > 1:
        # A pooling of single pixels: unlike a slice's, its gradient keeps channels last, which saves a fifth of a step.
        x = F.avg_pool2d(x, 1, stride)
    missing = channels - x.shape[1]
    return F.pad(x, (0, 0, 0, 0, 0, missing)) if missing else x
