"""Ranges of a specification's fields, and all their combinations as arrays."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from hyperbudget.nn.spec import SpecError

Values = Sequence[Any]

RANGES: dict[tuple[str, str], Values] = {
    ("convnet", "width"): range(1, 65),
    ("convnet", "kernel_size"): (3, 5, 7),
    ("mlp", "hidden"): range(8, 513, 8),
    ("resnet", "depth"): range(2, 41, 2),
    ("resnet", "width"): range(1, 65),
    ("resnet", "groups"): (1, 2, 3),
    ("wrn", "depth"): range(10, 41, 6),
    ("wrn", "width"): range(1, 11),
    ("language_model", "hidden_size"): (
        32,
        48,
        64,
        96,
        128,
        160,
        192,
        224,
        256,
        320,
        384,
        512,
        640,
        768,
        1000,
        1250,
        1800,
    ),
    ("language_model", "num_layers"): (1, 2, 3),
    ("hyper", "embedding_size"): (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
    ("hyper", "generator_hidden"): (None, 4, 8, 16, 32, 64),
    ("hyper", "basic_in"): (1, 4, 8, 16, 32),
    ("hyper", "basic_out"): (4, 8, 16, 32),
    ("shared", "scope"): ("shape", "group", "all"),
    ("low_rank", "rank"): (1, 2, 3, 4, 6, 8, 12, 16, 24, 32),
    ("dct", "coefficient_share"): (0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7),
    ("coordinate", "coordinate_hidden"): (5, 8, 12, 16, 25, 32, 48, 64, 96, 128, 192, 256),
    ("coordinate", "coordinate_layers"): (1, 2, 3, 4),
    ("coordinate", "output_layout"): ("line", "grid"),
    **{
        (cell, field): values
        for cell in ("hyper_rnn", "hyper_lstm", "ln_hyper_lstm")
        for field, values in {
            "hyper_size": (8, 16, 32, 64, 128, 256, 512),
            "embedding_size": (1, 2, 4, 8, 16, 32, 64),
        }.items()
    },
    ("hashed", "buckets"): tuple(sorted({round(100 * 1.03**step) for step in range(340)})),
}
"""What is searched unless told otherwise, by the owner's name and the field. A whole number without an entry here has
the powers of two from 1 to 256, anything else its default alone."""

STANDS_FOR = {"generator_hidden": "embedding_size"}
"""Fields that, left out (None), have another field's value."""


@dataclasses.dataclass(frozen=True)
class Grid:
    """Combinations of an owner's fields: `arrays` has one array of shape (n,) for each field, None written as 0."""

    owner: Any
    arrays: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return int(next(iter(self.arrays.values())).size) if self.arrays else 1

    def where(self, mask: NDArray[np.bool_]) -> Grid:
        """The combinations where `mask` is true."""
        return Grid(self.owner, {name: array[mask] for name, array in self.arrays.items()})

    def part(self, start: int, stop: int) -> Grid:
        """A run of combinations."""
        return Grid(self.owner, {name: array[start:stop] for name, array in self.arrays.items()})

    def at(self, index: int) -> Any:
        """One combination as an instance of its owner. Raises SpecError if it cannot be."""
        hints = _hints(self.owner)
        fields = {name: array[index].item() for name, array in self.arrays.items()}
        return self.owner(**{k: None if v == 0 and NoneType in get_args(hints[k]) else v for k, v in fields.items()})


@functools.cache
def _hints(owner: Any) -> dict[str, Any]:
    """The types of an owner's fields: asked for once a configuration, and slow to work out."""
    return get_type_hints(owner)


def grid(owner: Any, ranges: Mapping[str, Values]) -> Grid:
    """All combinations of the fields of `owner`, a network or family: from `ranges`, else from `RANGES`.

    Raises SpecError when a value in `ranges` cannot be the field's.
    """
    hints = get_type_hints(owner)
    values = {}
    for field in dataclasses.fields(owner):
        given = ranges.get(field.name)
        if given is not None:
            for value in given:
                _check(field, hints[field.name], value)
        values[field.name] = tuple(dict.fromkeys(_default(owner, field, hints[field.name]) if given is None else given))
    sizes = [len(options) for options in values.values()]
    indices: NDArray[np.int64] = np.indices(sizes).reshape(len(sizes), int(np.prod(sizes)))
    arrays = {
        name: np.array([0 if value is None else value for value in options])[index]
        for (name, options), index in zip(values.items(), indices, strict=True)
    }
    once = None
    for name, other in STANDS_FOR.items():
        if name in values and None in values[name]:
            left_out = arrays[name] == 0
            once = left_out | (arrays[name] != arrays[other])  # else left out and written, the same twice
            arrays[name] = np.where(left_out, arrays[other], arrays[name])
    return Grid(owner, arrays) if once is None else Grid(owner, arrays).where(once)


def usual_values(owner: Any, name: str) -> Values:
    """The values of a field of `owner`, a network or family, that are tried unless others are given."""
    (field,) = (field for field in dataclasses.fields(owner) if field.name == name)
    return _default(owner, field, get_type_hints(owner)[name])


def known(ranges: Mapping[str, Values], owners: Sequence[Any]) -> None:
    """Raise SpecError for a range of a field that none of `owners` has, or an empty one."""
    fields = {field.name for owner in owners for field in dataclasses.fields(owner)}
    for name, values in ranges.items():
        if name not in fields:
            raise SpecError(name, f"is no field of these networks and families, which have {', '.join(sorted(fields))}")
        if not len(values):
            raise SpecError(name, "no values to try")


def _default(owner: Any, field: dataclasses.Field[Any], hint: Any) -> Values:
    if (owner.name, field.name) in RANGES:
        return RANGES[owner.name, field.name]
    bounds = field.metadata.get("bounds", {})
    if hint is int:
        low, high = bounds.get("ge", 1), bounds.get("le", 256)
        return sorted({field.default, *(2**power for power in range(9) if low <= 2**power <= high)})
    return (field.default,)


def _check(field: dataclasses.Field[Any], hint: Any, value: Any) -> None:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise SpecError(field.name, f"{value!r} is not one of {', '.join(map(str, get_args(hint)))}")
        return
    members = get_args(hint) or (hint,)
    if type(value) not in members and not (type(value) is int and float in members):
        kind = "a whole number" if int in members else "a number" if float in members else "a value of its kind"
        raise SpecError(field.name, f"{value!r} is not {kind}")
    bounds = field.metadata.get("bounds", {})
    if value is None:
        return
    for name, wrong, words in (
        ("ge", operator.lt, "less than"),
        ("gt", operator.le, "not greater than"),
        ("le", operator.gt, "greater than"),
    ):
        if name in bounds and wrong(value, bounds[name]):
            raise SpecError(field.name, f"{value} is {words} {bounds[name]:g}")
