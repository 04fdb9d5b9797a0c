"""Kernels drawn by a small network from the coordinates of each weight to its value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hyperbudget.nn.sources.base import he_deviation
from hyperbudget.nn.sources.stacked import StackedKernels
from hyperbudget.nn.spec import Coordinate, KernelShape

SIN_FREQUENCY = 30.0
"""omega_0 of Sitzmann et al. 2020."""


class CoordinateKernels(StackedKernels):
    """Every weight is the value of one small network at the weight's coordinates.

    HyperNEAT (Stanley et al. 2009) and DPPN (Fernando et al. 2016), with one architecture trained by gradient as in
    the paper's Appendix A.1, whose 4-25-25-1 network has 801 parameters. The coordinates are layer, output channel,
    input channel, row and column; on a grid of `Coordinate.output_rows`, the output channel is two, its row and column
    there. The network's inputs are those of `Coordinate.axes`. Place j of n is at ``(2 j + 1) / n - 1``, the middle of
    its cell on [-1, 1].

    A kernel is ``K = scale (f - centre)``, with f the network's values. The two constants of each kernel are set when
    the source is built, from f's mean and deviation over the kernel, so that it starts with mean 0 and exactly its He
    deviation. They are buffers: no learnable parameters, but part of the state dict. Where f is the same for all
    weights of a kernel (a kernel of one weight), the kernel starts at 0.

    Parameters: ``generator``, the layers of a `CoordinateNetwork`. Buffers, in the order of the stacks: ``centre`` and
    ``scale``, shape (kernels, 1).
    """

    groups = {"generator": "generator"}

    def __init__(self, shapes: Sequence[KernelShape], spec: Coordinate) -> None:
        super().__init__(shapes)
        self.spec = spec
        axes = spec.axes(list(self.shapes))
        self.generator = CoordinateNetwork(
            len(axes), spec.coordinate_hidden, spec.coordinate_layers, spec.coordinate_activation
        )
        self.coordinates: Tensor
        self.centre: Tensor
        self.scale: Tensor
        every = [self._coordinates(shape, layers) for shape, layers in self.stacked.items()]
        coordinates = torch.cat(every)[:, list(axes)].to(torch.get_default_dtype())
        self.register_buffer("coordinates", coordinates, persistent=False)  # follows from the shapes
        centre, scale = [], []
        with torch.no_grad():
            for shape, values in zip(self.stacked, self._values(), strict=True):
                deviation, mean = torch.std_mean(values, 1, correction=0, keepdim=True)
                noise = values.abs().amax(1, keepdim=True) * 8 * torch.finfo(values.dtype).eps
                centre.append(mean)
                scale.append(he_deviation(shape) / torch.where(deviation > noise, deviation, 1.0))
        self.register_buffer("centre", torch.cat(centre))
        self.register_buffer("scale", torch.cat(scale))

    def _coordinates(self, shape: KernelShape, layers: list[int]) -> Tensor:
        """All six coordinates of the weights of these layers, in float64: shape (layers x weights, 6)."""
        rows = self.spec.output_rows(shape)
        sizes = (rows, shape.out_channels // rows, *shape[1:])
        places = [(torch.tensor(layers), len(self.shapes)), *((torch.arange(size), size) for size in sizes)]
        return torch.cartesian_prod(*((2 * place.double() + 1) / size - 1 for place, size in places))

    def _values(self) -> list[Tensor]:
        """f at all weights: for each distinct shape, (layers, weights)."""
        values = self.generator(self.coordinates)
        parts = torch.split(values, [shape.weights * len(layers) for shape, layers in self.stacked.items()])
        return [part.view(len(layers), -1) for layers, part in zip(self.stacked.values(), parts, strict=True)]

    def stacks(self) -> list[Tensor]:
        """See `StackedKernels.stacks`: the network runs once, with the weights of all kernels as its batch."""
        counts = [len(layers) for layers in self.stacked.values()]
        centres, scales = torch.split(self.centre, counts), torch.split(self.scale, counts)
        return [
            ((values - centre) * scale).view(-1, *shape)
            for shape, values, centre, scale in zip(self.stacked, self._values(), centres, scales, strict=True)
        ]


class CoordinateNetwork(nn.ModuleList):
    """A multilayer perceptron from coordinates on [-1, 1] to one number.

    Weights start normal, with a variance that keeps that of the signal (gain 2 for relu, 25 / 9 for tanh, 1 for the
    output; coordinates have variance 1/3), and biases uniform on +-1 / sqrt(inputs). With ``sin``, layers are
    ``sin(omega_0 (W x + b))`` and start as in Sitzmann et al. 2020.
    """

    def __init__(self, inputs: int, hidden: int, layers: int, activation: str) -> None:
        widths = [inputs, *[hidden] * layers]
        linears = [nn.Linear(before, after) for before, after in zip(widths, [*widths[1:], 1], strict=True)]
        super().__init__(linears)
        self.activation = activation
        gain = math.sqrt(2) if activation == "relu" else 5 / 3
        for number, (layer, before) in enumerate(zip(linears, widths, strict=True)):
            first, last = number == 0, number == layers
            nn.init.uniform_(layer.bias, -1 / math.sqrt(before), 1 / math.sqrt(before))
            if activation == "sin":
                bound = 1 / before if first else math.sqrt(6 / before) / SIN_FREQUENCY
                nn.init.uniform_(layer.weight, -bound, bound)
            else:
                nn.init.normal_(layer.weight, std=math.sqrt((3 if first else 1) / before) * (1 if last else gain))

    def forward(self, x: Tensor) -> Tensor:
        """x: shape (points, inputs); returned: (points,)."""
        *hidden, output = self
        for layer in hidden:
            x = layer(x)
            if self.activation == "relu":
                x = torch.relu(x)
            elif self.activation == "tanh":
                x = torch.tanh(x)
            else:
                x = torch.sin(SIN_FREQUENCY * x)
        value: Tensor = output(x)[:, 0]
        return value
