"""The sections of a study file besides its search space, typed."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    Strict,
    TypeAdapter,
    model_validator,
)

from hyperbudget.budget.quantity import parse_count, parse_duration, parse_share
from hyperbudget.config.fields import whole
from hyperbudget.config.problems import show
from hyperbudget.config.words import distinct, filled, not_one_of, wrong
from hyperbudget.nn.spec import FAMILIES

Count = Annotated[int, Strict(), Field(ge=1), BeforeValidator(whole)]


def _count(value: Any) -> Any:
    if not isinstance(value, str):
        return whole(value)
    try:
        return parse_count(value)
    except ValueError as error:
        raise wrong(str(error)) from None


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong(f"{show(value)} is not a share such as 2% or 0.02")
    try:
        return parse_share(str(value))
    except ValueError as error:
        raise wrong(str(error)) from None


Parameter = Annotated[int, Strict(), Field(ge=1), BeforeValidator(_count)]
"""A number of parameters: ``97000``, ``100k``, ``1.5M``."""
Share = Annotated[float, BeforeValidator(_share)]
Seed = Annotated[int, Strict(), Field(ge=0, lt=2**63), BeforeValidator(whole)]
Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
Objective = Literal["validation_error", "learnable_parameters"]


class Section(BaseModel):
    """A mapping with known keys only, which does not change once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _some(value: float) -> float:
    if not value:
        raise wrong(f"{value:g} promotes nothing; give a share above 0, or remove it")
    return value


WILCOXON_SEEDS = 5
"""So many seeds the pruner of that name needs: a signed-rank test finds p < 0.1 with 4 pairs at the earliest."""


def _seeds(value: Any) -> Any:
    """``3`` is short for ``[0, 1, 2]``."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise wrong(f"{value} is less than 1; give how many seeds, or a list of them")
        return tuple(range(value))
    if not isinstance(value, list):
        raise wrong(f"{show(value)} is neither a list of seeds nor how many there are")
    return value


class Point(dict[str, Any]):
    """Values by the names of their axes; hashable, as it does not change once it is read."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items(), key=str)))


class Search(Section):
    """How the space is searched: by which sampler, how many configurations (`trials`), each with which seeds.

    `include`: configurations that come first, by their values on the axes. `seed` is the sampler's own. `promote`: the
    share of the configurations, the best after their `first_seeds` (1 unless set), that get the other seeds too.
    `pruner`: what ends a configuration early that falls behind; see `hyperbudget.study.search.pruning`.
    """

    sampler: Literal["grid", "random", "tpe", "nsga2", "gp"] = "grid"
    trials: Count | None = None
    seeds: Annotated[tuple[Seed, ...], AfterValidator(filled), BeforeValidator(_seeds)] = (
        0, 1, 2,
    )  # fmt: skip
    first_seeds: Count | None = None
    promote: Annotated[Share, AfterValidator(_some)] | None = None
    pruner: Literal["none", "median", "halving", "hyperband", "wilcoxon"] = "none"
    seed: Seed = 0
    include: tuple[Any, ...] = ()

    @property
    def at_first(self) -> tuple[int, ...]:
        """The seeds that every configuration gets."""
        return self.seeds if self.promote is None else self.seeds[: self.first_seeds or 1]

    @model_validator(mode="after")
    def _rounds(self) -> Self:
        if self.first_seeds is not None and self.promote is None:
            raise wrong("has first_seeds without promote; say which share of the configurations gets the other seeds")
        if self.promote is not None and len(self.at_first) >= len(self.seeds):
            first, seeds = len(self.at_first), len(self.seeds)
            raise wrong(
                f"has promote, but no seeds for a second round: {seeds} in all, {first} of them first; give more"
            )
        if self.pruner == "wilcoxon" and len(self.seeds) < WILCOXON_SEEDS:
            raise wrong(
                f"has the pruner wilcoxon, which compares seed by seed and decides after {WILCOXON_SEEDS - 1} at the "
                f"earliest, and {len(self.seeds)} in all; give {WILCOXON_SEEDS} or more, or take another pruner"
            )
        return self


TOLERANCE = 0.02
"""How far from a budget of ``params.at`` a configuration may be, unless the study says it."""


class Parameters(Section):
    """How many learnable parameters a configuration may have; others are refused before anything is trained.

    From `min` to `max`; or, in an iso-budget study, one of the numbers `at`, up to a share `tolerance` (2% unless set)
    more or fewer: of each family at most `each` models a budget, all unless set.
    """

    min: Parameter | None = None
    max: Parameter | None = None
    at: Annotated[tuple[Parameter, ...], AfterValidator(distinct)] = ()
    tolerance: Share | None = None
    each: Count | None = None

    @property
    def share(self) -> float:
        """The tolerance in force."""
        return TOLERANCE if self.tolerance is None else self.tolerance

    @property
    def ends(self) -> list[int]:
        """For each budget of `at`, the most parameters that land on it: what a report compares within."""
        return [budget + int(budget * self.share + 1e-9) for budget in self.at]

    def outside(self, learnable: int) -> float:
        """How far `learnable` parameters are from being allowed; <= 0 where they are."""
        if self.at:
            return min(abs(learnable - budget) - int(budget * self.share + 1e-9) for budget in self.at)
        above = learnable - self.max if self.max is not None else float("-inf")
        below = self.min - learnable if self.min is not None else float("-inf")
        return max(above, below)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at and (self.min is not None or self.max is not None):
            raise wrong("has at beside min or max; give the budgets to land on, or the ends, not both")
        for name in ("tolerance", "each"):
            if getattr(self, name) is not None and not self.at:
                raise wrong(f"has {name} without at; say which budgets to land on, or remove it")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise wrong(f"min {self.min} is above max {self.max}")
        return self


class Budget(Section):
    """What the study may spend; None: as much as it takes."""

    params: Parameters | None = None
    runs: Count | None = None
    hours: Positive | None = None


def _gpus(value: Any) -> float | Literal["auto"]:
    if value == "auto":
        return "auto"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(f"{show(value)} is neither a number of GPUs nor auto")
    if not 0 <= value < math.inf:
        raise wrong(f"{show(value)} is not a number of GPUs: give 0, a share such as 0.25, 1 or more, or auto")
    if value > 1 and not float(value).is_integer():
        raise wrong(f"{value} is neither a share of one GPU nor a whole number of them")
    return float(value)


def _pack(value: Any) -> int | Literal["auto", "off"]:
    if value in ("auto", "off"):
        return value  # type: ignore[no-any-return]
    count = whole(value)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise wrong(f"{show(value)} is neither auto, off nor how many runs share a pack")
    return count


def _duration(value: Any) -> Any:
    """A number stands for seconds."""
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except ValueError as error:
        raise wrong(str(error)) from None


Duration = Annotated[Positive, BeforeValidator(_duration)]
"""Seconds: ``90``, ``30min``, ``2h``."""


class Resources(Section):
    """What one run occupies on its machine, and for how long; runs share a CPU or a GPU by fractions.

    `gpus`: ``auto`` measures how much of a GPU the largest runs need. `stall`: a run whose step has not changed for so
    long is ended and tried again. `time_limit`: a run that has trained for so long is stopped at its next evaluation,
    and fails; with a higher limit, the next call goes on with it. `pack`: how many small recurrent runs of equal shapes
    are trained as one program, on one worker; ``auto``: many on a GPU, none on a CPU. `system_metrics`: MLflow is told
    at every evaluation what the run's process uses of its machine.
    """

    cpus: Positive = 1.0
    gpus: Annotated[float | Literal["auto"], PlainValidator(_gpus)] = 0.0
    stall: Duration = 1800.0
    time_limit: Duration | None = None
    pack: Annotated[int | Literal["auto", "off"], PlainValidator(_pack)] = "auto"
    system_metrics: Annotated[bool, Strict()] = False

    @property
    def gpus_at_most(self) -> float:
        """What a run occupies of the GPUs; a whole one where only a measurement can tell."""
        return 1.0 if self.gpus == "auto" else self.gpus


def _family(value: str) -> str:
    if value not in FAMILIES:
        raise wrong(not_one_of(value, list(FAMILIES)))
    return value


class Report(Section):
    """What the report compares: at which budgets of learnable parameters, and with which family (None: its choice)."""

    budgets: Annotated[tuple[Parameter, ...], AfterValidator(distinct)] = ()
    baseline: Annotated[str, Strict(), AfterValidator(_family)] | None = None


SECTIONS: dict[str, type[Section]] = {"search": Search, "budget": Budget, "resources": Resources, "report": Report}


def _question(value: str) -> str:
    if not (value := " ".join(value.split())):
        raise wrong("is empty; say what the study asks")
    return value


LONGEST_NAME = 200
"""Characters of a study's name: file systems allow 255, and the names of folders set aside are longer."""


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", value):
        raise wrong(f"{show(value)} does not consist of letters, digits and . _ - (neither . nor - at the beginning)")
    if len(value) > LONGEST_NAME:
        raise wrong(f"has {len(value)} characters, and a folder is named so; use {LONGEST_NAME} at most")
    return value


QUESTION: TypeAdapter[str] = TypeAdapter(Annotated[str, Strict(), AfterValidator(_question)])
NAME: TypeAdapter[str] = TypeAdapter(Annotated[str, Strict(), AfterValidator(_name)])


def _trained_for(value: tuple[str, ...]) -> tuple[str, ...]:
    if value == ("learnable_parameters",):
        raise wrong("learnable_parameters alone is known without training; add validation_error")
    return value


OBJECTIVES: TypeAdapter[tuple[Objective, ...]] = TypeAdapter(
    Annotated[tuple[Objective, ...], AfterValidator(_trained_for), AfterValidator(filled)]
)
