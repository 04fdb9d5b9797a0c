"""The sections of a study file besides its search space, typed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, TypeAdapter, model_validator

from hyperbudget.config.fields import whole
from hyperbudget.config.problems import show
from hyperbudget.config.words import distinct, filled, not_one_of, wrong
from hyperbudget.nn.spec import FAMILIES

Count = Annotated[int, Strict(), Field(ge=1), BeforeValidator(whole)]
Seed = Annotated[int, Strict(), Field(ge=0), BeforeValidator(whole)]
Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
Objective = Literal["validation_error", "learnable_parameters"]


class Section(BaseModel):
    """A mapping with known keys only, which does not change once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _seeds(value: Any) -> Any:
    """``3`` is short for ``[0, 1, 2]``."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise wrong(f"{value} is less than 1; give how many seeds, or a list of them")
        return tuple(range(value))
    if not isinstance(value, list):
        raise wrong(f"{show(value)} is neither a list of seeds nor how many there are")
    return value


class Search(Section):
    """How the space is searched: by which sampler, how many configurations (`trials`), each with which seeds.

    `seed` is the sampler's own.
    """

    sampler: Literal["grid", "random", "tpe", "nsga2"] = "grid"
    trials: Count | None = None
    seeds: Annotated[tuple[Seed, ...], AfterValidator(filled), BeforeValidator(_seeds)] = (
        0, 1, 2,
    )  # fmt: skip
    seed: Seed = 0


class Parameters(Section):
    """How many learnable parameters a configuration may have; others are refused before anything is trained."""

    min: Count | None = None
    max: Count | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise wrong(f"min {self.min} is above max {self.max}")
        return self


class Budget(Section):
    """What the study may spend; None: as much as it takes."""

    params: Parameters | None = None
    runs: Count | None = None
    hours: Positive | None = None


def _gpus(value: float) -> float:
    if value > 1 and not value.is_integer():
        raise wrong(f"{value} is neither a share of one GPU nor a whole number of them")
    return value


class Resources(Section):
    """What one run occupies on its machine; runs share a CPU or a GPU by fractions."""

    cpus: Positive = 1.0
    gpus: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False), AfterValidator(_gpus)] = 0.0


def _family(value: str) -> str:
    if value not in FAMILIES:
        raise wrong(not_one_of(value, list(FAMILIES)))
    return value


class Report(Section):
    """What the report compares: at which budgets of learnable parameters, and with which family (None: its choice)."""

    budgets: Annotated[tuple[Count, ...], AfterValidator(distinct)] = ()
    baseline: Annotated[str, Strict(), AfterValidator(_family)] | None = None


SECTIONS: dict[str, type[Section]] = {"search": Search, "budget": Budget, "resources": Resources, "report": Report}


def _question(value: str) -> str:
    if not (value := " ".join(value.split())):
        raise wrong("is empty; say what the study asks")
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", value):
        raise wrong(f"{show(value)} does not consist of letters, digits and . _ - (neither . nor - at the beginning)")
    return value


QUESTION: TypeAdapter[str] = TypeAdapter(Annotated[str, Strict(), AfterValidator(_question)])
NAME: TypeAdapter[str] = TypeAdapter(Annotated[str, Strict(), AfterValidator(_name)])
OBJECTIVES: TypeAdapter[tuple[Objective, ...]] = TypeAdapter(Annotated[tuple[Objective, ...], AfterValidator(filled)])
