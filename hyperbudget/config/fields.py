"""What may stand under ``task``, ``model`` and ``training``: made from the dataclasses that own the fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, Strict, TypeAdapter

from hyperbudget.config.words import not_one_of, wrong
from hyperbudget.data.tasks import TASK_NAMES, TEXT_PREFIX, text_task
from hyperbudget.nn.spec import FAMILIES, NETWORKS
from hyperbudget.train.spec import TrainingSpec


def whole(value: Any) -> Any:
    """``2e3`` is a whole number, though YAML reads it as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def strict(annotation: Any, bounds: Mapping[str, float]) -> Any:
    """`annotation` as a type for pydantic that converts nothing but 1 to 1.0, and keeps the numbers in `bounds`."""
    limits: dict[str, Any] = dict(bounds)
    if annotation is int:
        return Annotated[int, Strict(), Field(**limits), BeforeValidator(whole)]
    if annotation is float:
        return Annotated[float, Strict(), Field(allow_inf_nan=False, **limits)]
    if annotation in (bool, str):
        return Annotated[annotation, Strict()]
    if get_origin(annotation) in (Union, UnionType):
        return Union[tuple(strict(member, bounds) for member in get_args(annotation))]  # noqa: UP007
    if get_origin(annotation) is tuple:
        return tuple[strict(get_args(annotation)[0], bounds), ...]  # type: ignore[misc]
    return annotation  # Literal, None, TaskName


def _task(value: Any) -> str:
    """A task's name; the path in ``text:PATH`` becomes absolute, for workers that run elsewhere."""
    if value in TASK_NAMES:
        return str(value)
    if not isinstance(value, str) or not value.startswith(TEXT_PREFIX):
        raise wrong(not_one_of(value, [*TASK_NAMES, f"{TEXT_PREFIX}PATH"]))
    task = text_task(value)
    if task.path is None or not task.path.is_file():
        raise wrong(f"{value!r}: there is no such file")
    return task.name


TaskName = Annotated[Any, AfterValidator(_task)]


@dataclass(frozen=True)
class Version:
    """A field as one dataclass has it.

    `needs` names what makes the field apply: ``("model.family", "hyper")``; None: it always does. `default` is
    `dataclasses.MISSING` where the study file must give a value.
    """

    needs: tuple[str, str] | None
    annotation: Any
    bounds: Mapping[str, float]
    default: Any

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What validates a value."""
        return TypeAdapter(strict(self.annotation, self.bounds))

    @property
    def number(self) -> type[int] | type[float] | None:
        """int or float for a field that can be searched between two ends."""
        members = {self.annotation, *get_args(self.annotation)} - {NoneType, None}
        return (
            int if int in members else float if float in members and get_origin(self.annotation) is not tuple else None
        )

    @property
    def takes_lists(self) -> bool:
        return get_origin(self.annotation) is tuple

    def possible(self, heads: Mapping[str, Iterable[Any]]) -> bool:
        """Whether the field applies to any of the values that `heads` has for what it needs."""
        return self.needs is None or self.needs[1] in heads[self.needs[0]]


@dataclass(frozen=True)
class StudyField:
    """A field by its dotted name, with one version for every network and family that has it."""

    name: str
    versions: tuple[Version, ...]

    @property
    def where(self) -> tuple[str, ...]:
        """The way to it in a study file."""
        return tuple(self.name.split("."))

    @property
    def section(self) -> str:
        """``model``, ``training``, or ``task``."""
        return self.where[0]

    def defaults(self) -> tuple[Any, ...]:
        """The default, if all versions have the same one; else nothing."""
        first, *others = (version.default for version in self.versions)
        return (first,) if all(other == first for other in others) else ()

    def needed(self) -> tuple[str, ...]:
        """The fields that decide whether this one applies."""
        return tuple(dict.fromkeys(version.needs[0] for version in self.versions if version.needs))

    def version(self, values: Mapping[str, Any]) -> Version | None:
        """The version for a configuration with these `values`; None where the field does not apply."""
        return next((v for v in self.versions if v.needs is None or values.get(v.needs[0]) == v.needs[1]), None)

    def in_use(self, heads: Mapping[str, Iterable[Any]]) -> list[Version]:
        """The versions that some configuration of a study needs, where `heads` are its tasks, networks, families."""
        return [version for version in self.versions if version.possible(heads)]


HEADS: dict[str, tuple[str, ...]] = {
    "task": TASK_NAMES,
    "model.network": tuple(NETWORKS),
    "model.family": tuple(FAMILIES),
}
"""The fields that decide which other fields there are, and the values that they can take."""


def _collect() -> dict[str, StudyField]:
    versions: dict[str, list[Version]] = {
        name: [Version(None, TaskName if name == "task" else Literal[options], {}, dataclasses.MISSING)]
        for name, options in HEADS.items()
    }
    owners: list[tuple[str, tuple[str, str] | None, Any]] = [
        *(("model", ("model.network", name), network) for name, network in NETWORKS.items()),
        *(("model", ("model.family", name), family) for name, family in FAMILIES.items()),
        ("training", None, TrainingSpec),
    ]
    for section, needs, owner in owners:
        hints = get_type_hints(owner)
        for field in dataclasses.fields(owner):
            version = Version(needs, hints[field.name], field.metadata.get("bounds", {}), field.default)
            versions.setdefault(f"{section}.{field.name}", []).append(version)
    return {name: StudyField(name, tuple(found)) for name, found in versions.items()}


FIELDS: dict[str, StudyField] = _collect()
"""Every field of a configuration by its dotted name: ``task``, ``model.width``, ``training.steps``, ..."""
