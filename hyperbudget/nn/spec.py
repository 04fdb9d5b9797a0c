"""What a model is, as plain data: a main network, which lists the kernels it needs, and the family they come from.

Imports no torch. The fields of networks and families are in `nn/networks.py` and `nn/families.py`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from hyperbudget.nn.families import FAMILIES, Coordinate, Dct, Family, Free, Hashed, Hyper, LowRank, Shared
from hyperbudget.nn.fields import KernelShape, SpecError, option
from hyperbudget.nn.networks import NETWORKS, ConvNet, Mlp, Network, Residual, ResNet, WideResNet

__all__ = [
    "FAMILIES", "NETWORKS", "ConvNet", "Coordinate", "Dct", "Family", "Free", "Hashed", "Hyper", "KernelShape",
    "LowRank", "Mlp", "ModelSpec", "Network", "ResNet", "Residual", "Shared", "SpecError", "WideResNet", "option",
]  # fmt: skip


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
