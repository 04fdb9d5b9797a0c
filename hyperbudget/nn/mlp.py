"""The paper's fully connected MNIST network (Appendix A.1)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from hyperbudget.nn.image_model import ImageModel
from hyperbudget.nn.sources import build_source
from hyperbudget.nn.spec import Kernels, Mlp


class MlpModel(ImageModel):
    """A hidden layer with relu on all pixels, and a linear head. The hidden matrix comes from the kernel source.

    There is no stem.
    """

    def __init__(self, spec: Mlp, family: Kernels, classes: int) -> None:
        super().__init__(build_source(family, spec.kernel_shapes()))
        self.head = nn.Linear(spec.hidden, classes)
        self.biases = nn.ParameterList([nn.Parameter(self.head.weight.new_zeros(spec.hidden))])

    def apply_kernels(self, images: Tensor, kernels: list[Tensor]) -> Tensor:
        """See `ImageModel.apply_kernels`."""
        # The convolution with a kernel as large as the image, as the matrix product that it is.
        x = F.linear(images.flatten(1), kernels[0].flatten(1), self.biases[0])
        return self.head(F.relu(x))  # type: ignore[no-any-return]
