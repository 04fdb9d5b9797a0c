"""Everything a report says about a frame, in one record."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from hyperbudget.analyze.axes import Axis, Effect, axes_of, effects
from hyperbudget.analyze.budgets import BudgetEntry, choose_budgets, equal_budget
from hyperbudget.analyze.configurations import Configuration, configurations
from hyperbudget.analyze.convergence import Convergence, convergence, convergence_sentence
from hyperbudget.analyze.draws import Draws, draw_means
from hyperbudget.analyze.exchange import ExchangeRate, exchange_rates
from hyperbudget.analyze.fronts import front, fronts
from hyperbudget.analyze.gap import gap, gap_sentences
from hyperbudget.analyze.health import health, promotion
from hyperbudget.analyze.importance import Importances, importances
from hyperbudget.analyze.intervals import Resolution, resolution
from hyperbudget.analyze.membership import Member, members
from hyperbudget.analyze.paper import PaperMatch, paper_matches
from hyperbudget.analyze.targets import TargetEntry, choose_targets, equal_quality
from hyperbudget.analyze.verdict import Verdict, verdict
from hyperbudget.study.results.frame import metric_of
from hyperbudget.study.results.metrics import Metric

_BASELINES = ("free", "lstm", "rnn")
"""Compared with unless the study names another: the first of these that it has."""


@dataclass(frozen=True)
class Analysis:
    """What `analyze` finds. `front` is over all families, `fronts` one a family; `entries` are at equal budget,
    `targets` at equal quality. `draws`: of the validation error, None with one seed a configuration; `members`: of the
    front and near it."""

    metric: Metric
    baseline: str | None
    resolution: Resolution
    axes: list[Axis]
    configurations: list[Configuration]
    front: list[Configuration]
    fronts: dict[str, list[Configuration]]
    entries: list[BudgetEntry]
    draws: Draws | None
    members: list[Member]
    targets: list[TargetEntry]
    rates: list[ExchangeRate]
    convergence: Convergence | None
    effects: list[Effect]
    paper: list[PaperMatch]
    verdict: Verdict
    health: list[str]

    @cached_property
    def importances(self) -> list[Importances]:
        """Of each family's axes; see `hyperbudget.analyze.importance.importances`."""
        return importances(self.configurations, self.axes)


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
    growth = convergence(frame, found)
    answer = verdict(found, entries, baseline, len(frame), metric)
    if said := promotion(frame, found):
        answer = dataclasses.replace(answer, evidence=(*answer.evidence, said))
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
        members=members(found, draws) if draws and len(found) > 1 else [],
        targets=equal_quality(by_family, choose_targets(by_family), baseline, draws),
        rates=exchange_rates(by_family, draw_means(found, "test", steps.test)),
        convergence=growth,
        effects=effects(found, axes),
        paper=paper_matches(found),
        verdict=answer,
        health=[
            *health(frame, found, axes),
            *gap_sentences(gap(found, by_family), metric),
            *convergence_sentence(growth),
        ],
    )
