"""What a forward pass and a training step compute, in closed form."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from hyperbudget.budget.recurrent import recurrent_flops
from hyperbudget.nn.spec import (
    ConvNet,
    Coordinate,
    Dct,
    Hyper,
    Kernels,
    KernelShape,
    LanguageModel,
    LowRank,
    Mlp,
    ModelSpec,
    Residual,
)


class Batches(Protocol):
    """What of a training's settings decides how much a step computes; `hyperbudget.train.spec.TrainingSpec` has it."""

    @property
    def batch_size(self) -> int:
        """Images of a step, or streams of a text."""

    @property
    def length(self) -> int:
        """Symbols of each stream in a step."""


def forward_flops(spec: ModelSpec, **shape: int) -> int:
    """Floating-point operations of `spec` for one image, or for one symbol of a text, of data of this shape.

    A multiplication and an addition each count as one, in products alone. What generates kernels is left out: it comes
    once a batch; what generates the weights of a recurrent step is not.
    """
    if isinstance(spec.network, LanguageModel):
        network, symbols = spec.network, shape["symbols"]
        return recurrent_flops(
            spec.cell, inputs=symbols, hidden_size=network.hidden_size, num_layers=network.num_layers, outputs=symbols
        )
    return _image_flops(spec.network, **shape)


def training_step(spec: ModelSpec, shape: Mapping[str, int], training: Batches) -> int:
    """Floating-point operations of one optimiser step: a batch forward and backward, and what generates its kernels.

    shape: of the data, as of `forward_flops`. Counted are products alone, each multiplication and each addition as one:
    of each product forward two backward, the gradients of both factors, but one where a factor is fixed (the images
    that a first layer sees; the coordinates of weights; the basis of a DCT). Kernels are generated once a step. Left
    out are biases, norms, activations, pooling, the loss and the optimizer; a one-hot input is a look-up; evaluations
    are no part of it.
    """
    if isinstance(spec.network, LanguageModel):
        return 3 * forward_flops(spec, **shape) * training.batch_size * training.length
    first = 2 * _first_layer(spec.network, **shape)
    network = (3 * _image_flops(spec.network, **shape) - first) * training.batch_size
    return network + _generation(spec.kernels, spec.network.kernel_shapes())


def _image_flops(network: ConvNet | Mlp | Residual, channels: int, size: int, classes: int) -> int:
    """Of one image of shape (channels, size, size).

    A multiplication and an addition each count as one, in convolutions and the head; biases, norms, relus and pooling
    are left out (below 2% together). So is what generates the kernels: it comes once a batch, not once an image.
    """
    first = _first_layer(network, channels, size, classes)
    match network:
        case ConvNet(width=width, kernel_size=kernel):
            pooled, features = -(-size // 2), width * (-(-size // 4)) ** 2
            return 2 * (first + width**2 * kernel**2 * pooled**2 + features * classes)
        case Mlp(hidden=hidden):
            return 2 * (first + hidden * classes)
        case Residual():
            total = first + network.widths[-1] * classes
            group_of = {width: group for group, width in enumerate(network.widths)}
            for shape in network.kernel_shapes() + network.projections():
                total += shape.weights * (-(-size // 2 ** group_of[shape.out_channels])) ** 2
            return 2 * total


def _first_layer(network: ConvNet | Mlp | Residual, channels: int, size: int, classes: int) -> int:
    """Multiplications of the layer that sees the image."""
    match network:
        case ConvNet(width=width, kernel_size=kernel):
            return channels * kernel**2 * width * size**2
        case Mlp(hidden=hidden):
            return hidden * channels * size**2
        case Residual():
            return 9 * channels * network.stem_width * size**2


def _generation(family: Kernels, shapes: list[KernelShape]) -> int:
    """Of making all kernels once, and of the way back to what they are made of."""
    match family:
        case Hyper():
            tiles = sum(family.tiles(shape) for shape in shapes)
            slices, others = family.basic_in, family.basic_out
            if family.slice_axis == "out":
                slices, others = others, slices
            features = others * shapes[0].height * shapes[0].width
            return 6 * tiles * slices * family.hidden * (family.embedding_size + features)
        case LowRank(rank=rank):
            return 6 * rank * sum(shape.weights for shape in shapes)
        case Dct():
            return 4 * sum(_dct(shape, family.kept(shape)) for shape in shapes)
        case Coordinate():
            widths = family.widths(shapes)
            layers = [before * after for before, after in itertools.pairwise(widths)]
            return (6 * sum(layers) - 2 * layers[0]) * sum(shape.weights for shape in shapes)
        case _:
            return 0


def _dct(shape: KernelShape, kept: int) -> int:
    """Multiplications of one inverse transform, axis by axis, of the box that the kept frequencies fill."""
    sums = np.indices(shape).sum(0).ravel()
    lowest = np.unravel_index(np.argsort(sums, kind="stable")[:kept], shape)
    out, into, height, width = (int(axis.max()) + 1 for axis in lowest)
    pixels = shape.height * shape.width
    spatial = out * into * height * width * pixels
    return spatial + out * shape.in_channels * into * pixels + math.prod(shape) * out
