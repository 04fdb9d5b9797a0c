"""Which axes decide the error: fANOVA and PED-ANOVA, as Optuna has them, of the configurations that were tried."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperbudget.analyze.axes import Axis
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import axis_name, capital, family_name, listing

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FEWEST, MOST = 10, 200
"""Of fewer configurations of a family nothing is said; of more, so many are taken at random."""
TOP, TOP_LEAST = 0.1, 5
"""PED-ANOVA asks what the best have in common: a tenth of all, and at least five (as its documentation advises)."""
PARTS = 8
"""Equal ones of a range, on its scale, in which values count as one."""
SEED, SHUFFLES, TREES = 1609, 3, 32

Value = float | str | None
"""Of an axis in one configuration: None where it has none."""
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Importance:
    """Of one axis. `variance`: the share of the variance of log error that it explains by itself (fANOVA: Hutter, Hoos
    & Leyton-Brown 2014), None where only some configurations have it. `best`: how far the best configurations differ
    in it from all, as a share of all axes' such divergences (PED-ANOVA: Watanabe, Bansal & Hutter 2023)."""

    axis: str
    variance: float | None
    best: float


@dataclass(frozen=True)
class Importances:
    """Of one family's axes, from the largest variance on. `n`: configurations, of which PED-ANOVA took the `top` best.

    All variances are means over forests that know as many shuffled axes beside these, which get their part of what is
    noise; `chance`: the most that any of those got. Where all is noise one axis in twenty is above it. `rest`: the
    share of the variance that no axis explains by itself: what axes do together, and noise.
    """

    family: str
    n: int
    top: int
    axes: tuple[Importance, ...]
    chance: float

    @property
    def rest(self) -> float:
        return max(0.0, 1 - sum(axis.variance or 0.0 for axis in self.axes))


def importances(configurations: Sequence[Configuration], axes: Sequence[Axis]) -> list[Importances]:
    """Of every family with at least `FEWEST` configurations and two axes that vary in it.

    Families are taken by themselves: they have different axes, and each is compared with the others at equal budget.
    The target is the log of the mean validation error. A value of a grid or of words counts as much as any other that
    was tried; a range, in `PARTS` parts, counts evenly on its scale, which may be a log one. The same data give the
    same numbers.
    """
    found = []
    for family in sorted({c.family for c in configurations}):
        own = sorted((c for c in configurations if c.family == family), key=lambda c: c.name)
        varied = [axis for axis in axes if axis.name != "model.family" and _varies(own, axis.name)]
        if len(own) < FEWEST or len(varied) < 2 or len({c.validation.mean for c in own}) < 2:
            continue
        if len(own) > MOST:
            chosen = np.random.default_rng(SEED).choice(len(own), MOST, replace=False)
            own = [own[place] for place in sorted(chosen.tolist())]
        columns = tuple((axis.name, axis.continuous, axis.log) for axis in varied)
        rows = tuple(tuple(_plain(c.fields.get(axis.name)) for axis in varied) for c in own)
        errors = tuple(math.log(c.validation.mean) for c in own)
        found.append(_of(family, columns, rows, errors))
    return found


def importance_sentences(found: Iterable[Importances]) -> list[str]:
    """One a family: what explains the variance, what no more than chance does, what the best have in common."""
    return [_sentence(each) for each in found]


def _sentence(found: Importances) -> str:
    known = [axis for axis in found.axes if axis.variance is not None]
    clear = [f"the {axis_name(axis.axis)} {axis.variance:.2f}" for axis in known if (axis.variance or 0) > found.chance]
    dull = [f"the {axis_name(axis.axis)}" for axis in known if (axis.variance or 0) <= found.chance]
    partly = [f"the {axis_name(axis.axis)}" for axis in found.axes if axis.variance is None]
    said = []
    if clear:
        also = "" if found.rest < 0.005 else f"; {found.rest:.2f} is what they do together, or chance"
        said.append(f"of the variance over {found.n} configurations, by itself, {listing(clear)}{also}.")
    if dull:
        said.append(
            f"{capital(listing(dull))} {'explains' if len(dull) == 1 else 'explain'} no more than chance would."
        )
    if partly:
        said.append(f"{capital(listing(partly))} {'is' if len(partly) == 1 else 'are'} not in all configurations.")
    best = max(found.axes, key=lambda axis: axis.best)
    said.append(f"The {found.top} best stand out most by the {axis_name(best.axis)}.")
    return f"{capital(family_name(found.family))}: {' '.join(said)}"


def _varies(configurations: Iterable[Configuration], name: str) -> bool:
    return len({_plain(c.fields.get(name)) for c in configurations} - {None}) > 1


def _plain(value: Any) -> Value:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return str(value)


@functools.lru_cache(maxsize=32)  # a report asks more than once
def _of(
    family: str, columns: tuple[tuple[str, bool, bool], ...], rows: tuple[Row, ...], errors: tuple[float, ...]
) -> Importances:
    """columns: each axis's name, whether it is a range, and whether that is a log one."""
    coded = {
        name: _coded([row[place] for row in rows], continuous, log)
        for place, (name, continuous, log) in enumerate(columns)
    }
    everywhere = {name: column for name, column in coded.items() if None not in column[1]}
    random, forests = np.random.default_rng(SEED), []
    for _ in range(SHUFFLES if everywhere else 0):
        order = random.permutation(len(rows))
        shuffled = {f"shuffled {name}": (kind, [at[i] for i in order]) for name, (kind, at) in everywhere.items()}
        forests.append(_fanova(everywhere | shuffled, errors))
    variances = {name: float(np.mean([forest[name] for forest in forests])) for name in everywhere}
    chance = max((share for forest in forests for name, share in forest.items() if name not in everywhere), default=0.0)
    top = max(round(TOP * len(rows)), TOP_LEAST)
    best = _ped_anova(coded, errors, top / len(rows))
    axes = [Importance(name, variances.get(name), best.get(name, 0.0)) for name in coded]
    axes.sort(key=lambda axis: (-(axis.variance if axis.variance is not None else -1.0), -axis.best, axis.axis))
    return Importances(family, len(rows), top, tuple(axes), chance)


def _coded(values: Sequence[Value], continuous: bool, log: bool) -> tuple[BaseDistribution, list[int | None]]:
    """The axis as Optuna knows it: places of the values in their order, of a range those of its `PARTS`, or words."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    there = [value for value in values if value is not None]
    numbers = [value for value in there if not isinstance(value, str)]
    if len(numbers) < len(there):
        words = sorted({str(value) for value in there})
        places = [None if value is None else words.index(str(value)) for value in values]
        return CategoricalDistribution(range(len(words))), places
    if continuous:
        scaled = [None if value is None else math.log(value) if log else float(value) for value in values]  # type: ignore[arg-type]
        low, high = (end(value for value in scaled if value is not None) for end in (min, max))
        places = [None if v is None else min(int(PARTS * (v - low) / (high - low)), PARTS - 1) for v in scaled]
        return IntDistribution(0, PARTS - 1), places
    order = sorted(set(numbers))
    return IntDistribution(0, len(order) - 1), [None if v is None else order.index(v) for v in values]  # type: ignore[arg-type]


Columns = Mapping[str, "tuple[BaseDistribution, list[int | None]]"]
"""By name, an axis as Optuna knows it, and its value in each configuration."""


def _fanova(columns: Columns, errors: Sequence[float]) -> dict[str, float]:
    from optuna.importance import FanovaImportanceEvaluator

    return _evaluate(columns, errors, FanovaImportanceEvaluator(n_trees=TREES, seed=SEED), normalize=False)


def _ped_anova(columns: Columns, errors: Sequence[float], share: float) -> dict[str, float]:
    from optuna.importance import PedAnovaImportanceEvaluator

    return _evaluate(columns, errors, PedAnovaImportanceEvaluator(target_quantile=share), normalize=True)


def _evaluate(columns: Columns, errors: Sequence[float], evaluator: Any, normalize: bool) -> dict[str, float]:
    """Optuna's answer about a study in memory, one trial a configuration. An axis that one lacks is none of its."""
    import optuna
    from optuna.importance import get_param_importances

    study = _quiet_study(optuna)
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={name: values[place] for name, (_, values) in columns.items() if values[place] is not None},
                distributions={name: dist for name, (dist, values) in columns.items() if values[place] is not None},
                value=error,
            )
            for place, error in enumerate(errors)
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `normalize` is called experimental
        found = get_param_importances(study, evaluator=evaluator, normalize=normalize)
    return {name: float(value) for name, value in found.items()}


def _quiet_study(optuna: Any) -> Any:
    """A study in memory, whose creation Optuna does not announce."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=SEED))
    finally:
        optuna.logging.set_verbosity(before)
