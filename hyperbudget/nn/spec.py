"""What a network is, as plain data: the fields of every network and of every kernel family. Imports no torch.

A network lists the kernels it needs as shapes (`kernel_shapes`); a family says where they come from. To add a family,
write its fields here and add it to `FAMILIES`, its kernel source in `nn/sources.py` and its closed form in
`budget/closed_form.py`; the contract tests run over every entry of the registry.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple


class SpecError(ValueError):
    """A field whose value cannot be: `field` names it, `problem` says what it should have been."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def option(default: Any, doc: str, *, ge: float | None = None, gt: float | None = None, le: float | None = None) -> Any:
    """A dataclass field with a default, a sentence for the user and the bounds that its values must keep."""
    bounds = {name: bound for name, bound in (("ge", ge), ("gt", gt), ("le", le)) if bound is not None}
    return dataclasses.field(default=default, metadata={"doc": doc, "bounds": bounds})


class KernelShape(NamedTuple):
    """A convolution kernel's shape, in torch's order."""

    out_channels: int
    in_channels: int
    height: int
    width: int

    @property
    def fan_in(self) -> int:
        return self.in_channels * self.height * self.width

    @property
    def weights(self) -> int:
        return self.out_channels * self.fan_in


@dataclass(frozen=True)
class ConvNet:
    """The paper's small MNIST network (section 4.1, A.3.1): two convolutions with max pooling, and a linear head.

    The second convolution's kernel comes from the kernel source; the first one is the stem.
    """

    name: ClassVar[str] = "convnet"
    width: int = option(16, "filters of both convolutions", ge=1)
    kernel_size: int = option(7, "height and width of both kernels; odd", ge=1)

    def __post_init__(self) -> None:
        if self.kernel_size % 2 == 0:
            raise SpecError("kernel_size", f"{self.kernel_size} is even; an odd size keeps the image centred")

    def kernel_shapes(self) -> list[KernelShape]:
        return [KernelShape(self.width, self.width, self.kernel_size, self.kernel_size)]


@dataclass(frozen=True)
class ResNet:
    """A pre-activation residual network of 3 x 3 kernels (He et al. 2016b), in groups of doubling width.

    Each group after the first halves the image and doubles the channels; shortcuts are zero-padded and own no
    parameters, as in the paper's accounting of Wide ResNets.
    """

    name: ClassVar[str] = "resnet"
    depth: int = option(2, "3 x 3 convolutions after the stem: two a block, the same number in every group", ge=2)
    width: int = option(16, "channels of the first group", ge=1)
    groups: int = option(1, "groups of blocks; each one after the first halves the image and doubles the width", ge=1)

    def __post_init__(self) -> None:
        if self.depth % (2 * self.groups):
            raise SpecError("depth", f"{self.depth} is not a multiple of 2 x groups = {2 * self.groups}")

    @property
    def widths(self) -> list[int]:
        """Channels of each group."""
        return [self.width * 2**group for group in range(self.groups)]

    @property
    def blocks(self) -> int:
        """Residual blocks in each group."""
        return self.depth // (2 * self.groups)

    def kernel_shapes(self) -> list[KernelShape]:
        shapes = []
        channels = self.width
        for width in self.widths:
            for _ in range(self.blocks):
                shapes += [KernelShape(width, channels, 3, 3), KernelShape(width, width, 3, 3)]
                channels = width
        return shapes


@dataclass(frozen=True)
class Free:
    """Every kernel is learnt directly."""

    name: ClassVar[str] = "free"

    def check(self, shapes: list[KernelShape]) -> None:
        """Any kernels will do."""


@dataclass(frozen=True)
class Shared:
    """Hard tying: all kernels of the same shape are one learnt kernel."""

    name: ClassVar[str] = "shared"

    def check(self, shapes: list[KernelShape]) -> None:
        """Any kernels will do."""


@dataclass(frozen=True)
class Hyper:
    """A static hypernetwork (eqs. 1-3): one generator for all kernels, one embedding z for each tile."""

    name: ClassVar[str] = "hyper"
    embedding_size: int = option(4, "N_z: numbers in the embedding of one tile", ge=1)
    generator_hidden: int | None = option(None, "d: hidden size of the generator; N_z unless set", ge=1)
    basic_in: int = option(16, "input channels of the basic kernel that larger ones are tiled from", ge=1)
    basic_out: int = option(16, "output channels of the basic kernel", ge=1)
    slice_axis: Literal["in", "out"] = option("in", "the generator's slices are indexed by input or output channel")

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
                    kernel = " x ".join(map(str, (shape.height, shape.width, shape.in_channels, shape.out_channels)))
                    raise SpecError(
                        field, f"{size} does not divide the {channels} {what} channels of a {kernel} kernel"
                    )
        if len({(shape.height, shape.width) for shape in shapes}) > 1:
            raise SpecError("family", "hyper generates kernels of one spatial size, and this network has several")

    def tiles(self, shape: KernelShape) -> int:
        """Tiles that `shape` is put together from."""
        return (shape.in_channels // self.basic_in) * (shape.out_channels // self.basic_out)


Network = ConvNet | ResNet
Family = Free | Shared | Hyper

NETWORKS: dict[str, type[Network]] = {cls.name: cls for cls in (ConvNet, ResNet)}
FAMILIES: dict[str, type[Family]] = {cls.name: cls for cls in (Free, Shared, Hyper)}


@dataclass(frozen=True)
class ModelSpec:
    """A main network and the family that its kernels come from.

    Raises SpecError when the family cannot produce the network's kernels.
    """

    network: Network
    family: Family

    def __post_init__(self) -> None:
        self.family.check(self.network.kernel_shapes())

    def fields(self) -> dict[str, Any]:
        """One flat mapping, as it stands under ``model:`` in a study file."""
        return {
            "network": self.network.name,
            **dataclasses.asdict(self.network),
            "family": self.family.name,
            **dataclasses.asdict(self.family),
        }

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> ModelSpec:
        """The inverse of `fields`. Raises SpecError on a name or value that cannot be."""
        values = dict(fields)
        network = NETWORKS[_known(values.pop("network", None), "network", NETWORKS)]
        family = FAMILIES[_known(values.pop("family", None), "family", FAMILIES)]
        own = {f.name for f in dataclasses.fields(network)}
        others = {f.name for f in dataclasses.fields(family)}
        for name in values:
            if name not in own | others:
                raise SpecError(name, f"is no field of a {network.name} with {family.name} kernels")
        return cls(
            network(**{name: value for name, value in values.items() if name in own}),
            family(**{name: value for name, value in values.items() if name in others}),
        )


def _known(name: Any, field: str, registry: dict[str, Any]) -> str:
    if name not in registry:
        raise SpecError(field, f"{name!r} is not one of {', '.join(registry)}")
    return str(name)
