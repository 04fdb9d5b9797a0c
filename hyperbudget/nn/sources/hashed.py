"""Kernels whose weights are drawn from a few buckets by a hash."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hyperbudget.nn.sources.base import he_deviation
from hyperbudget.nn.sources.stacked import StackedKernels
from hyperbudget.nn.spec import Hashed, KernelShape

SIGN_KEY = 0x9E3779B9
"""Turns the numbers of the weights into other ones, whose hashes give the signs."""


class HashedKernels(StackedKernels):
    """Weight number n of the network is ``sign(n) s buckets[bucket(n)]`` (HashedNets: Chen et al. 2015, eqs. 3 and 7).

    Weights are numbered through all kernels, each in row-major order; all kernels share the buckets. With `mix` the
    finaliser of MurmurHash3, ``bucket(n) = mix(n) mod buckets``, and ``sign(n)`` is +1 where ``mix(n xor SIGN_KEY)`` is
    even, else -1. The factor s of a kernel is its He deviation over that of the buckets, which is the root mean square
    of the He deviations over all weights of the network: s is 1 where all kernels have one fan-in, as in the paper.

    Parameters: ``buckets``, shape (buckets,).
    """

    groups = {"buckets": "kernels"}

    def __init__(self, shapes: Sequence[KernelShape], spec: Hashed) -> None:
        super().__init__(shapes)
        weights = sum(shape.weights for shape in self.shapes)
        deviation = math.sqrt(sum(2 * shape.out_channels for shape in self.shapes) / weights)
        self.buckets = nn.Parameter(torch.randn(spec.buckets) * deviation)
        # In the order of the stacks: one look-up gives all weights.
        ends = torch.tensor([shape.weights for shape in self.shapes]).cumsum(0).tolist()
        order = [(layer, shape) for shape, layers in self.stacked.items() for layer in layers]
        numbers = torch.cat([torch.arange(ends[layer] - shape.weights, ends[layer]) for layer, shape in order])
        factors = torch.cat([torch.full((shape.weights,), he_deviation(shape) / deviation) for _, shape in order])
        # Both follow from the shapes: a checkpoint need not hold them.
        self.index: Tensor
        self.factor: Tensor
        self.register_buffer("index", mix(numbers) % spec.buckets, persistent=False)
        self.register_buffer("factor", factors * (1 - 2 * (mix(numbers ^ SIGN_KEY) % 2)), persistent=False)

    def stacks(self) -> list[Tensor]:
        """See `StackedKernels.stacks`."""
        weights = self.buckets[self.index] * self.factor
        parts = torch.split(weights, [shape.weights * len(layers) for shape, layers in self.stacked.items()])
        return [part.view(-1, *shape) for shape, part in zip(self.stacked, parts, strict=True)]


def mix(numbers: Tensor) -> Tensor:
    """MurmurHash3's 32-bit finaliser: the same on every machine, one to one on 0 .. 2^32 - 1.

    numbers, returned: any shape, int64.
    """
    x = numbers ^ (numbers >> 16)
    x = _times(x, 0x85EBCA6B)
    x = x ^ (x >> 13)
    x = _times(x, 0xC2B2AE35)
    return x ^ (x >> 16)


def _times(x: Tensor, factor: int) -> Tensor:
    """``x factor mod 2^32``, in two halves: the product of two 32-bit numbers may overflow a signed 64-bit one."""
    high = ((x * (factor >> 16)) & 0xFFFF) << 16
    return (x * (factor & 0xFFFF) + high) & 0xFFFFFFFF
