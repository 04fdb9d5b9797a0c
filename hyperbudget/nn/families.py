"""The fields of every family of kernels, and which kernels it can produce. Imports no torch.

To add a family, write its fields here and add it to `KERNELS`, its kernel source in `nn/sources/` and its closed form
in `budget/closed_form.py`; the contract tests run over every entry of the registry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from hyperbudget.nn.fields import KernelShape, SpecError, option


@dataclass(frozen=True)
class Free:
    """Every kernel is learnt directly."""

    name: ClassVar[str] = "free"

    def check(self, shapes: list[KernelShape]) -> None:
        """Any kernels will do."""


@dataclass(frozen=True)
class Shared:
    """Hard tying: all kernels of a scope are one learnt kernel, cut or repeated to their shapes.

    A scope holds the kernels of one shape, those of one number of output channels (the groups of a residual network),
    or all kernels.
    """

    name: ClassVar[str] = "shared"
    scope: Literal["shape", "group", "all"] = option(
        "shape", "one kernel for all kernels of a shape, of a number of output channels, or of the network"
    )

    def check(self, shapes: list[KernelShape]) -> None:
        """Any kernels will do."""

    def tied(self, shapes: list[KernelShape]) -> dict[KernelShape, list[KernelShape]]:
        """For each scope, the shape of its one learnt kernel, the largest, and all shapes that it stands for."""
        scopes: dict[object, list[KernelShape]] = {}
        for shape in dict.fromkeys(shapes):
            scopes.setdefault({"shape": shape, "group": shape.out_channels, "all": None}[self.scope], []).append(shape)
        return {max(members, key=lambda shape: shape.weights): members for members in scopes.values()}


@dataclass(frozen=True)
class Hyper:
    """A static hypernetwork (eqs. 1-3): one generator for all kernels, one embedding z for each tile."""

    name: ClassVar[str] = "hyper"
    embedding_size: int = option(4, "N_z: numbers in the embedding of one tile", ge=1)
    generator_hidden: int | None = option(None, "d: hidden size of the generator; N_z unless set", ge=1)
    basic_in: int = option(16, "input channels of the basic kernel that larger ones are tiled from", ge=1)
    basic_out: int = option(16, "output channels of the basic kernel", ge=1)
    slice_axis: Literal["in", "out"] = option("in", "the generator's slices are indexed by input or output channel")
    initialisation: Literal["he", "unit", "small"] = option(
        "he", "kernels start with their He deviation; or as in public code: generator drawn with deviation 1, or 0.01"
    )

    def __post_init__(self) -> None:
        if self.generator_hidden is None:  # resolved here, so that leaving it out and writing it name the same run
            object.__setattr__(self, "generator_hidden", self.embedding_size)

    @property
    def hidden(self) -> int:
        """d of eq. 2."""
        assert self.generator_hidden is not None
        return self.generator_hidden

    def check(self, shapes: list[KernelShape]) -> None:
        """Raise SpecError unless the basic kernel tiles every one of `shapes`, all of one spatial size."""
        for shape in shapes:
            for field, size, channels, what in (
                ("basic_in", self.basic_in, shape.in_channels, "input"),
                ("basic_out", self.basic_out, shape.out_channels, "output"),
            ):
                if channels % size:
                    raise SpecError(field, f"{size} does not divide the {channels} {what} channels of {shape}")
        if len({(shape.height, shape.width) for shape in shapes}) > 1:
            raise SpecError("family", "hyper generates kernels of one spatial size, and this network has several")

    def tiles(self, shape: KernelShape) -> int:
        """Tiles that `shape` is put together from."""
        return (shape.in_channels // self.basic_in) * (shape.out_channels // self.basic_out)


@dataclass(frozen=True)
class LowRank:
    """Every kernel, as a matrix of out_channels x (in_channels x height x width), is a product of two thin ones."""

    name: ClassVar[str] = "low_rank"
    rank: int = option(4, "rank of every kernel", ge=1)

    def check(self, shapes: list[KernelShape]) -> None:
        """Raise SpecError for a rank that one of `shapes` cannot have."""
        for shape in shapes:
            if self.rank > min(shape.out_channels, shape.fan_in):
                raise SpecError(
                    "rank", f"{self.rank} is too much for {shape}, a {shape.out_channels} x {shape.fan_in} matrix"
                )


@dataclass(frozen=True)
class Dct:
    """Of every kernel, the low frequencies of its discrete cosine transform are learnt; the others are 0."""

    name: ClassVar[str] = "dct"
    coefficient_share: float = option(0.1, "share of each kernel's coefficients that are learnt", gt=0, le=1)

    def check(self, shapes: list[KernelShape]) -> None:
        """Any kernels will do."""

    def kept(self, shape: KernelShape) -> int:
        """Learnt coefficients of a kernel: the share of its weights, rounded half to even, and at least one."""
        return max(1, round(self.coefficient_share * shape.weights))


@dataclass(frozen=True)
class Coordinate:
    """One small network maps the coordinates of each weight to its value (Appendix A.1: 4-25-25-1, 801 parameters)."""

    name: ClassVar[str] = "coordinate"
    coordinate_hidden: int = option(25, "width of the coordinate network's hidden layers", ge=1)
    coordinate_layers: int = option(2, "hidden layers of the coordinate network", ge=1)
    coordinate_activation: Literal["relu", "tanh", "sin"] = option("relu", "activation of its hidden layers")
    output_layout: Literal["line", "grid"] = option(
        "line", "the output channel is one coordinate, or its row and column on the most nearly square grid"
    )

    def check(self, shapes: list[KernelShape]) -> None:
        """Any kernels will do."""

    def output_rows(self, shape: KernelShape) -> int:
        """Rows that the output channels stand in, one after the other: 1 on a line; 16 of 256 on a grid, 1 of 7."""
        if self.output_layout == "line":
            return 1
        channels = shape.out_channels
        return max(rows for rows in range(1, math.isqrt(channels) + 1) if channels % rows == 0)

    def axes(self, shapes: list[KernelShape]) -> tuple[int, ...]:
        """The network's inputs, of 0 layer, 1 output row, 2 output column, 3 input channel, 4 row, 5 column.

        The output column always, which on a line is the output channel; the others where there are several of them in
        some kernel (layers: in the network), for elsewhere they would be constant.
        """
        varies = (
            len(shapes) > 1,
            any(self.output_rows(shape) > 1 for shape in shapes),
            True,
            any(shape.in_channels > 1 for shape in shapes),
            any(shape.height > 1 for shape in shapes),
            any(shape.width > 1 for shape in shapes),
        )
        return tuple(axis for axis, there in enumerate(varies) if there)

    def widths(self, shapes: list[KernelShape]) -> list[int]:
        """Inputs, hidden layers, output: ``[4, 25, 25, 1]``."""
        return [len(self.axes(shapes)), *[self.coordinate_hidden] * self.coordinate_layers, 1]


@dataclass(frozen=True)
class Hashed:
    """Every weight is one of a few numbers, its bucket, up to sign; a hash of its place says which."""

    name: ClassVar[str] = "hashed"
    buckets: int = option(1000, "learnt numbers that all weights are made of", ge=1)

    def check(self, shapes: list[KernelShape]) -> None:
        """Raise SpecError for more buckets than `shapes` have weights."""
        weights = sum(shape.weights for shape in shapes)
        if self.buckets > weights:
            raise SpecError("buckets", f"{self.buckets:,} are more than the {weights:,} weights of all kernels")


Kernels = Free | Shared | Hyper | LowRank | Dct | Coordinate | Hashed

KERNELS: dict[str, type[Kernels]] = {cls.name: cls for cls in (Free, Shared, Hyper, LowRank, Dct, Coordinate, Hashed)}
