"""From a specification to a network."""

from __future__ import annotations

from hyperbudget.nn.convnet import ConvNetModel
from hyperbudget.nn.image_model import ImageModel
from hyperbudget.nn.language_model import LanguageModelNet
from hyperbudget.nn.mlp import MlpModel
from hyperbudget.nn.resnet import ResidualModel
from hyperbudget.nn.spec import ConvNet, LanguageModel, Mlp, ModelSpec, Residual

Model = ImageModel | LanguageModelNet


def build(spec: ModelSpec, **shape: int) -> Model:
    """The network of `spec` for data of this shape (`hyperbudget.nn.networks.Shape`): ``channels=1, size=28,
    classes=10``, or ``symbols=50``. Initialised from torch's global generator.

    Raises SpecError when it is one for other data.
    """
    spec.network.check(shape)
    match spec.network:
        case ConvNet():
            return ConvNetModel(spec.network, spec.kernels, **shape)
        case Mlp():
            return MlpModel(spec.network, spec.kernels, shape["classes"])
        case Residual():
            return ResidualModel(spec.network, spec.kernels, **shape)
        case LanguageModel():
            return LanguageModelNet(spec.network, spec.cell, **shape)
