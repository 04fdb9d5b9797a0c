"""What the fields of networks and families are made of: bounds, errors that name a field, shapes. Imports no torch."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple


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


def changed(fields: Any) -> dict[str, Any]:
    """The fields of a dataclass instance that are not at their defaults: what a name is made from.

    So a version that adds a field renames nothing; one that changes a default raises `RESULT_VERSION`.
    """
    values = ((field, getattr(fields, field.name)) for field in dataclasses.fields(fields))
    return {field.name: value for field, value in values if value != field.default}


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

    def __str__(self) -> str:
        """As the paper writes it: ``a 7 x 7 x 16 x 16 kernel``, input before output channels."""
        return f"a {self.height} x {self.width} x {self.in_channels} x {self.out_channels} kernel"
