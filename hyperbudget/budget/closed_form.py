"""Learnable parameters of a configuration, by group, in closed form: no network is built, no torch imported."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from hyperbudget.nn.spec import (
    ConvNet,
    Coordinate,
    Dct,
    Family,
    Free,
    Hashed,
    Hyper,
    KernelShape,
    LowRank,
    Mlp,
    ModelSpec,
    Network,
    Residual,
    Shared,
)

GROUPS = ("stem", "kernels", "generator", "embeddings", "shortcuts", "biases", "norms", "head")
"""The groups of the anatomy, in the order of the data's way through the network."""

SOURCE_GROUPS = ("kernels", "generator", "embeddings")
"""The groups that stand for the main network's kernels."""


@dataclass(frozen=True)
class Anatomy:
    """Exact counts of one configuration.

    `groups` has an entry for each of `GROUPS`; `generated` is the number of kernel weights that the main network uses;
    `free` the learnable parameters of the same network with free kernels.
    """

    groups: Mapping[str, int]
    generated: int
    free: int

    @property
    def learnable(self) -> int:
        """Parameters that training updates and a checkpoint stores."""
        return sum(self.groups.values())

    @property
    def source(self) -> int:
        """Parameters that stand for the main network's kernels."""
        return sum(self.groups[group] for group in SOURCE_GROUPS)

    @property
    def compression(self) -> float:
        """Parameters of the same network with free kernels, over these."""
        return self.free / self.learnable

    def metrics(self) -> dict[str, float]:
        """As the columns of a frame: ``params.learnable``, ``params.stem``, ..., ``compression``."""
        return {
            "params.learnable": self.learnable,
            **{f"params.{group}": count for group, count in self.groups.items()},
            "params.source": self.source,
            "params.generated": self.generated,
            "params.free": self.free,
            "compression": self.compression,
        }


def anatomy(spec: ModelSpec, *, channels: int, size: int, classes: int) -> Anatomy:
    """The anatomy of `spec` for images of shape (channels, size, size). Raises SpecError when it is for others."""
    spec.network.check(channels, size)
    shapes = spec.network.kernel_shapes()
    groups = dict.fromkeys(GROUPS, 0)
    groups |= _network(spec.network, channels, size, classes)
    free = sum(groups.values()) + sum(shape.weights for shape in shapes)
    groups |= _family(spec.family, shapes)
    return Anatomy(groups, generated=sum(shape.weights for shape in shapes), free=free)


def _network(network: Network, channels: int, size: int, classes: int) -> dict[str, int]:
    match network:
        case ConvNet(width=width, kernel_size=kernel):
            features = width * (-(-size // 4)) ** 2
            return {
                "stem": (channels * kernel**2 + 1) * width,
                "biases": width,
                "head": (features + 1) * classes,
            }
        case Mlp(hidden=hidden):
            return {"biases": hidden, "head": (hidden + 1) * classes}
        case Residual():
            shapes, last = network.kernel_shapes(), network.widths[-1]
            normed = [shape.in_channels for shape in shapes] + [last] + [network.stem_width] * network.stem_norm
            return {
                "stem": (9 * channels + network.conv_bias) * network.stem_width,
                "shortcuts": sum(shape.weights for shape in network.projections()),
                "biases": sum(shape.out_channels for shape in shapes) * network.conv_bias,
                "norms": 2 * sum(normed),
                "head": (last + 1) * classes,
            }


def _family(family: Family, shapes: list[KernelShape]) -> dict[str, int]:
    match family:
        case Free():
            return {"kernels": sum(shape.weights for shape in shapes)}
        case Shared():
            return {"kernels": sum(basic.weights for basic in family.tied(shapes))}
        case Hyper(embedding_size=embedding, hidden=hidden):
            pixels = shapes[0].height * shapes[0].width
            slices, others = family.basic_in, family.basic_out
            if family.slice_axis == "out":
                slices, others = others, slices
            return {
                "generator": slices * hidden * (embedding + 1) + others * pixels * (hidden + 1),
                "embeddings": embedding * sum(family.tiles(shape) for shape in shapes),
            }
        case LowRank(rank=rank):
            return {"kernels": rank * sum(shape.out_channels + shape.fan_in for shape in shapes)}
        case Dct():
            return {"kernels": sum(family.kept(shape) for shape in shapes)}
        case Coordinate():
            widths = family.widths(shapes)
            return {"generator": sum((before + 1) * after for before, after in itertools.pairwise(widths))}
        case Hashed(buckets=buckets):
            return {"kernels": buckets}
