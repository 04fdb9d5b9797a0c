"""Everything a report says about a frame, in one record."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from hyperbudget.analyze.axes import Axis, Effect, axes_of, effects
from hyperbudget.analyze.budgets import BudgetEntry, choose_budgets, equal_budget
from hyperbudget.analyze.claims import best_families, equal_quality_sentences, weak_points
from hyperbudget.analyze.configurations import Configuration, configurations
from hyperbudget.analyze.convergence import Convergence, convergence, convergence_sentence
from hyperbudget.analyze.draws import SEED, Draws, draw_means
from hyperbudget.analyze.exchange import AxisRate, ExchangeRate, axis_rates, exchange_rates
from hyperbudget.analyze.fronts import front, fronts
from hyperbudget.analyze.gap import Gap, gap, gap_sentences
from hyperbudget.analyze.health import Weakness, health, promotion, weaknesses
from hyperbudget.analyze.importance import Importances, importances
from hyperbudget.analyze.intervals import Resolution, resolution
from hyperbudget.analyze.membership import Member, front_probabilities, members
from hyperbudget.analyze.paper import PaperMatch, paper_matches
from hyperbudget.analyze.targets import TargetEntry, choose_targets, equal_quality
from hyperbudget.analyze.unsaid import unsaid
from hyperbudget.analyze.verdict import Verdict, verdict
from hyperbudget.study.results.frame import metric_of
from hyperbudget.study.results.metrics import Metric

_BASELINES = ("free", "lstm", "rnn")
"""Compared with unless the study names another: the first of these that it has."""


@dataclass(frozen=True)
class Analysis:
    """What `analyze` finds. `front` is over all families, `fronts` one a family; `entries` are at equal budget,
    `targets` at equal quality. `draws`: of the validation error, None with one seed a configuration; `probabilities`:
    by a configuration's name that of being on the front, empty without draws; `members`: of the front and near it."""

    metric: Metric
    baseline: str | None
    resolution: Resolution
    axes: list[Axis]
    configurations: list[Configuration]
    front: list[Configuration]
    fronts: dict[str, list[Configuration]]
    entries: list[BudgetEntry]
    draws: Draws | None
    probabilities: dict[str, float]
    members: list[Member]
    targets: list[TargetEntry]
    rates: list[ExchangeRate]
    axis_rates: list[AxisRate]
    convergence: Convergence | None
    effects: list[Effect]
    paper: list[PaperMatch]
    verdict: Verdict
    weaknesses: dict[str, tuple[Weakness, ...]]
    health: list[str]
    gap: Gap | None

    @cached_property
    def importances(self) -> list[Importances]:
        """Of each family's axes; see `hyperbudget.analyze.importance.importances`."""
        return importances(self.configurations, self.axes)

    @property
    def unsaid(self) -> list[str]:
        """What the study has no data for; see `hyperbudget.analyze.unsaid.unsaid`."""
        return unsaid(
            self.configurations, self.fronts, self.targets, self.rates, self.effects, self.importances,
            self.convergence, self.gap,
        )  # fmt: skip


def analyze(frame: pd.DataFrame) -> Analysis:
    """The numbers of a frame (`hyperbudget.study.results.frame`), whose runs are all measured alike."""
    study = frame.attrs["study"]
    found = configurations(frame)
    families = {c.family for c in found}
    metric = metric_of(frame)
    baseline = study.get("baseline") or next((family for family in _BASELINES if family in families), None)
    steps = resolution(frame)
    given = [int(budget) for budget in (study.get("budgets") or [])]
    entries = equal_budget(found, given or choose_budgets(found, baseline), baseline, steps.test)
    axes = axes_of(study)
    by_family = fronts(found)
    draws = draw_means(found, "validation", steps.validation)
    tested = draw_means(found, "test", steps.test, seed=SEED + 1)
    probabilities = front_probabilities(found, draws) if draws and len(found) > 1 else {}
    targets = equal_quality(by_family, choose_targets(by_family), baseline, draws)
    growth, splits, weak = convergence(frame, found), gap(found, by_family), weaknesses(found, axes)
    answer = verdict(found, entries, baseline, len(frame), metric)
    further = [*answer.evidence]
    if baseline not in families or len(families) > 2:
        further += best_families(entries, tested)
    if baseline in families:
        further += equal_quality_sentences(targets, sorted(families - {baseline}), baseline, metric)
    if said := promotion(frame, found):
        further.append(said)
    doubts = weak_points(entries, weak, found, axes, growth, splits)
    found_effects = effects(found, axes)
    return Analysis(
        metric=metric,
        baseline=baseline,
        resolution=steps,
        axes=axes,
        configurations=found,
        front=front(found),
        fronts=by_family,
        entries=entries,
        draws=draws,
        probabilities=probabilities,
        members=members(found, probabilities) if probabilities else [],
        targets=targets,
        rates=exchange_rates(by_family, tested),
        axis_rates=axis_rates(found_effects, tested),
        convergence=growth,
        effects=found_effects,
        paper=paper_matches(found),
        verdict=dataclasses.replace(answer, evidence=tuple(further), weak=tuple(doubts)),
        weaknesses=weak,
        health=[*health(frame, found, axes), *gap_sentences(splits, metric), *convergence_sentence(growth)],
        gap=splits,
    )
