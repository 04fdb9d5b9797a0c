"""One axis of a search space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["science", "nuisance"]


@dataclass(frozen=True)
class Axis:
    """A field that the study varies. `name` is dotted: ``task``, ``model.width``, ``training.learning_rate``.

    kind ``grid``: one of `values`; ``between``: a number from `low` to `high`, both included, whole where `integer`,
    spread evenly over its logarithm where `log`. The axis is varied where `when` holds (each field named there has one
    of the values beside it); elsewhere the field is `otherwise`.
    """

    name: str
    kind: Literal["grid", "between"]
    role: Role
    values: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, hash=False)
    otherwise: Any = None

    def active(self, values: Mapping[str, Any]) -> bool:
        """Whether the axis is varied in a configuration with these `values` of the fields that apply to it."""
        return all(name in values and values[name] in allowed for name, allowed in self.when.items())

    def possible(self) -> tuple[Any, ...] | None:
        """Every value that the field can have; None for an axis between two numbers."""
        if self.values is None or not self.when or self.otherwise in self.values:
            return self.values
        return (*self.values, self.otherwise)

    def entry(self) -> dict[str, Any]:
        """The axis as it stands in a study file, with every default filled in."""
        entry: dict[str, Any] = {"grid": plain(self.values)} if self.values is not None else {
            "between": [self.low, self.high],
            "log": self.log,
        }  # fmt: skip
        entry["role"] = self.role
        if self.when:
            entry["when"] = {name: plain(allowed) for name, allowed in self.when.items()}
            entry["otherwise"] = plain(self.otherwise)
        return entry


def plain(value: Any) -> Any:
    """`value` with lists for tuples, as YAML and JSON have it."""
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
