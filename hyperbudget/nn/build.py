"""From a specification to a network."""

from __future__ import annotations

from hyperbudget.nn.convnet import ConvNetModel
from hyperbudget.nn.image_model import ImageModel
from hyperbudget.nn.mlp import MlpModel
from hyperbudget.nn.resnet import ResidualModel
from hyperbudget.nn.spec import ConvNet, Mlp, ModelSpec, Residual


def build(spec: ModelSpec, *, channels: int, size: int, classes: int) -> ImageModel:
    """The network of `spec` for images of shape (channels, size, size), initialised from torch's global generator.

    Raises SpecError when it is one for other images.
    """
    spec.network.check(channels, size)
    match spec.network:
        case ConvNet():
            return ConvNetModel(spec.network, spec.family, channels, size, classes)
        case Mlp():
            return MlpModel(spec.network, spec.family, classes)
        case Residual():
            return ResidualModel(spec.network, spec.family, channels, size, classes)
