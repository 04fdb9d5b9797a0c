"""What a model is, as plain data: a main network and its family, which says how the network gets its weights.

Imports no torch. The fields of networks are in `nn/networks.py`; those of families of kernels, for networks of images,
in `nn/families.py`; and those of recurrent cells, the families of a language model, in `nn/cells.py`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from hyperbudget.nn.cells import CELLS, Cell
from hyperbudget.nn.families import KERNELS, Coordinate, Dct, Free, Hashed, Hyper, Kernels, LowRank, Shared
from hyperbudget.nn.fields import KernelShape, SpecError, option
from hyperbudget.nn.networks import (
    NETWORKS,
    ConvNet,
    ImageNetwork,
    LanguageModel,
    Mlp,
    Network,
    Residual,
    ResNet,
    Shape,
    WideResNet,
)

__all__ = [
    "CELLS", "FAMILIES", "KERNELS", "NETWORKS", "Cell", "ConvNet", "Coordinate", "Dct", "Family", "Free", "Hashed",
    "Hyper", "ImageNetwork", "KernelShape", "Kernels", "LanguageModel", "LowRank", "Mlp", "ModelSpec", "Network",
    "ResNet", "Residual", "Shape", "Shared", "SpecError", "WideResNet", "families_of", "option",
]  # fmt: skip

Family = Kernels | Cell

FAMILIES: dict[str, type[Family]] = {**KERNELS, **CELLS}


def families_of(network: type[Network]) -> dict[str, type[Family]]:
    """The families that a network can have, by name."""
    return {**KERNELS} if issubclass(network, ImageNetwork) else {**CELLS}


@dataclass(frozen=True)
class ModelSpec:
    """A main network and the family that its kernels or cells come from.

    Raises SpecError when the network cannot have the family, or the family cannot produce the network's kernels.
    """

    network: Network
    family: Family

    def __post_init__(self) -> None:
        able = families_of(type(self.network))
        if self.family.name not in able:
            raise SpecError("family", f"{self.family.name} is none of a {self.network.name}; take {', '.join(able)}")
        if isinstance(self.network, ImageNetwork):
            self.kernels.check(self.network.kernel_shapes())

    @property
    def kernels(self) -> Kernels:
        """The family of a network of images."""
        assert isinstance(self.family, tuple(KERNELS.values()))
        return self.family  # type: ignore[return-value]  # which mypy cannot narrow by a computed tuple

    @property
    def cell(self) -> Cell:
        """The family of a language model."""
        assert isinstance(self.family, tuple(CELLS.values()))
        return self.family  # type: ignore[return-value]

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
                raise SpecError(name, f"is no field of a {network.name} with the family {family.name}")
        return cls(
            network(**{name: value for name, value in values.items() if name in own}),
            family(**{name: value for name, value in values.items() if name in others}),
        )


def _known(name: Any, field: str, registry: dict[str, Any]) -> str:
    if name not in registry:
        raise SpecError(field, f"{name!r} is not one of {', '.join(registry)}")
    return str(name)
