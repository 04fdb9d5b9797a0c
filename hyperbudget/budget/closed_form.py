"""Learnable parameters of a configuration, by group, in closed form: no network is built, no torch imported."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from hyperbudget.budget.recurrent import plain_cell, recurrent_anatomy
from hyperbudget.nn.cells import Cell, Lstm, Rnn
from hyperbudget.nn.spec import (
    ConvNet,
    Coordinate,
    Dct,
    Free,
    Hashed,
    Hyper,
    Kernels,
    KernelShape,
    LanguageModel,
    LowRank,
    Mlp,
    ModelSpec,
    Residual,
    Shared,
)

GROUPS = (
    "stem", "kernels", "generator", "embeddings", "recurrent", "hyper_cell", "projections", "shortcuts", "biases",
    "norms", "head",
)  # fmt: skip
"""The groups of the anatomy, in the order of the data's way through the network."""

SOURCE_GROUPS = ("kernels", "generator", "embeddings", "recurrent", "hyper_cell", "projections")
"""The groups that stand for the main network's kernels, or for the weights of its recurrent layers."""


@dataclass(frozen=True)
class Anatomy:
    """Exact counts of one configuration.

    `groups` has an entry for each of `GROUPS`; `generated` is the number of weights that the main network's kernels or
    recurrent layers use; `free` the learnable parameters of the same network with free kernels, or of the same
    recurrent network whose weights do not change from step to step.
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
        """Parameters that stand for the main network's kernels or recurrent weights."""
        return sum(self.groups[group] for group in SOURCE_GROUPS)

    @property
    def compression(self) -> float:
        """Parameters of the same network with free kernels (or unchanging weights), over these."""
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


def anatomy(spec: ModelSpec, **shape: int) -> Anatomy:
    """The anatomy of `spec` for data of this shape: ``channels=1, size=28, classes=10``, or ``symbols=50``.

    Raises SpecError when it is for other data.
    """
    network = spec.network
    network.check(shape)
    if isinstance(network, LanguageModel):
        return _language_model(network, spec.cell, **shape)
    groups = dict.fromkeys(GROUPS, 0)
    shapes = network.kernel_shapes()
    groups |= _network(network, **shape)
    free = sum(groups.values()) + sum(shape.weights for shape in shapes)
    groups |= _family(spec.kernels, shapes)
    return Anatomy(groups, generated=sum(shape.weights for shape in shapes), free=free)


def _language_model(network: LanguageModel, cell: Cell, symbols: int) -> Anatomy:
    def counts(cell: Cell) -> dict[str, int]:
        return recurrent_anatomy(
            cell, inputs=symbols, hidden_size=network.hidden_size, num_layers=network.num_layers, outputs=symbols
        )

    plain = plain_cell(cell)
    unnormed = Rnn() if isinstance(plain, Rnn) else Lstm()
    biases = network.num_layers * network.hidden_size * (1 if isinstance(plain, Rnn) else 4)
    return Anatomy(
        dict.fromkeys(GROUPS, 0) | counts(cell),
        generated=counts(unnormed)["recurrent"] - biases,
        free=sum(counts(plain).values()),
    )


def _network(network: ConvNet | Mlp | Residual, channels: int, size: int, classes: int) -> dict[str, int]:
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


def _family(family: Kernels, shapes: list[KernelShape]) -> dict[str, int]:
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
