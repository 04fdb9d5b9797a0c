"""What the verdict claims beyond its answer: the best family at each budget, what equal quality takes, in sentences;
and what makes these claims weak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np

from hyperbudget.analyze.axes import Axis
from hyperbudget.analyze.budgets import ALONE, BASELINE, BETTER, WORSE, BudgetEntry
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.convergence import Convergence
from hyperbudget.analyze.draws import Draws
from hyperbudget.analyze.gap import Gap
from hyperbudget.analyze.health import Weakness
from hyperbudget.analyze.membership import SURE
from hyperbudget.analyze.targets import TargetEntry
from hyperbudget.analyze.words import capital, family_name, listing, named, probability, target_text
from hyperbudget.study.results.metrics import Metric

_CLEAR = (BETTER, WORSE)
NAMED = 2
"""So many configurations with the same weakness are named, more are counted."""
SAME = 0.05
"""Counts that differ by a smaller share are the same: no two networks hit a budget exactly."""
OFTEN = 2
"""A family that was tried so many times as often as another has the advantage of it."""


def best_families(entries: Sequence[BudgetEntry], draws: Draws | None) -> list[str]:
    """Which family validation prefers within each budget that holds at least two, and how sure that is.

    draws: of the test error; the odds are the share of them in which the family that is named has the lowest one of all
    families' best. So they may say that the test contradicts the validation.
    """
    found: list[tuple[str, int, float | None]] = []
    for budget, group in groupby(entries, key=lambda e: e.budget):
        rivals = sorted((e.configuration for e in group), key=lambda c: c.selection_key)
        if len(rivals) > 1:
            odds = None if draws is None else _lowest(rivals[0], rivals, draws)
            found.append((rivals[0].family, budget, odds))
    said = []
    for family, steps in groupby(found, key=lambda each: each[0]):
        budgets = [f"{budget:,}{'' if odds is None else f' ({probability(odds)})'}" for _, budget, odds in steps]
        said.append(f"the {family_name(family)} at ≤ {listing(budgets)}")
    if not said:
        return []
    how = "; in brackets how likely it is the best on the test split" if draws else ""
    return [f"Of all families validation selects {listing(said)}{how}."]


def equal_quality_sentences(
    targets: Iterable[TargetEntry], rivals: Iterable[str], baseline: str, metric: Metric
) -> list[str]:
    """Of each rival what the best quality that it and the baseline both reach takes, and whether that saves parameters.

    Of several targets the hardest that both surely reach, else the hardest whose ratio has an interval, else the
    hardest that both reach.
    """
    entries = list(targets)
    sentences = []
    for family in rivals:
        both = [e for e in entries if e.family == family and e.ratio is not None]
        if not both:
            continue
        known = [e for e in both if e.ratio is not None and e.ratio.low is not None]
        reference = {e.target: e for e in entries if e.family == baseline}
        surely = [e for e in known if _surely(e, reference[e.target])]
        entry = min(surely or known or both, key=lambda e: e.target)
        theirs = reference[entry.target]
        assert entry.ratio is not None
        assert entry.configuration is not None
        assert theirs.configuration is not None
        said = f"× {entry.ratio.mean:.2f}"
        if entry.ratio.low is not None and entry.ratio.high is not None:
            said += f" [{entry.ratio.low:.2f}, {entry.ratio.high:.2f}]"
        needs = f"{entry.configuration.parameters:,} parameters{_odds(entry, ' (reached in {} of draws)')}"
        others = f"{theirs.configuration.parameters:,}{_odds(theirs, ' ({})')}"
        sentences.append(
            f"For a validation {metric.short} of at most {target_text(entry.target, metric)} the {family_name(family)} "
            f"needs {needs}, the {family_name(baseline)} {others}: {said}, {_saving(entry, theirs)}."
        )
    return sentences


def weak_points(
    entries: Sequence[BudgetEntry],
    weaknesses: Mapping[str, Sequence[Weakness]],
    configurations: Sequence[Configuration],
    axes: Sequence[Axis],
    growth: Convergence | None,
    gap: Gap | None,
) -> list[str]:
    """What makes the comparisons of `entries` weak: in the configurations that are compared, in how many were tried of
    each family, in what was tuned, in the search, in the selection."""
    budgets = {e.budget for e in entries if e.ratio is not None}
    within = [e.configuration for e in entries if e.budget in budgets and e.word != ALONE]
    compared = list({c.name: c for c in within}.values())
    same: dict[str, list[Configuration]] = {}
    for c in compared:
        for weakness in weaknesses.get(c.name, ()):
            same.setdefault(weakness.sentence, []).append(c)
    found = []
    for sentence, those in same.items():
        many = f"{len(those)} of the {len(compared)} configurations that are compared"
        who = many if len(those) > NAMED else listing([f"the {named(c)}" for c in those])
        found.append(f"{capital(who)}: {sentence}.")
    found += _uneven(entries, configurations)
    if compared and not any(_varies(configurations, axis.name) for axis in axes if axis.role == "nuisance"):
        found.append("Nothing was tuned beside the question’s axes: what is fixed may suit one family better.")
    if compared and growth is not None and not growth.settled:
        found.append("The front was still growing with the last configurations: more may change the comparison.")
    if compared and gap is not None and gap.flatters:
        found.append("Selecting on validation flatters what it selects: see the ratio of test to validation below.")
    return found


def _uneven(entries: Sequence[BudgetEntry], configurations: Sequence[Configuration]) -> list[str]:
    """Where the family that a claim prefers was tried much more often than the other, and families with one try."""
    tried = Counter(c.family for c in configurations)
    baseline = next((e.family for e in entries if e.word == BASELINE), "")
    pairs = [(e.family, baseline) if e.word == BETTER else (baseline, e.family) for e in entries if e.word in _CLEAR]
    found = [
        f"{tried[better]} configurations of the {family_name(better)} were tried, {tried[worse]} of the "
        f"{family_name(worse)}: more chances of a lucky one."
        for better, worse in dict.fromkeys(pairs)
        if tried[better] >= OFTEN * tried[worse]
    ]
    alone = sorted({f for pair in pairs for f in pair if tried[f] == 1})
    if alone:
        names = listing([f"the {family_name(family)}" for family in alone])
        found.append(
            f"Of {names} one configuration{' each' if len(alone) > 1 else ''} was tried: the best is that one."
        )
    return found


def _varies(configurations: Sequence[Configuration], name: str) -> bool:
    return len({str(c.fields.get(name)) for c in configurations}) > 1


def _lowest(chosen: Configuration, rivals: Sequence[Configuration], draws: Draws) -> float:
    logs = np.stack([draws.logs[c.name] for c in rivals])
    return float((draws.logs[chosen.name] <= logs.min(axis=0)).mean())


def _odds(entry: TargetEntry, phrase: str) -> str:
    return "" if entry.reached is None else phrase.format(probability(entry.reached))


def _surely(*entries: TargetEntry) -> bool:
    return all(entry.reached is not None and entry.reached >= SURE for entry in entries)


def _saving(entry: TargetEntry, theirs: TargetEntry) -> str:
    ratio = entry.ratio
    assert ratio is not None
    if entry.reached is None:
        return "one seed, so no interval"
    if ratio.low is None or ratio.high is None:
        return "no interval, as both reach it in less than half of the draws"
    if ratio.high < 1 - SAME:
        least, most = f"{1 - ratio.high:.0%}", f"{1 - ratio.low:.0%}"
        where = "" if _surely(entry, theirs) else " in the draws in which both reach it"
        return f"{least if least == most else f'{least} to {most}'} saved{where}"
    return "more are needed" if ratio.low > 1 + SAME else "no saving found"
