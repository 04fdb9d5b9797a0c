"""The answer in sentences, computed from the data and no more certain than they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hyperbudget.analyze.budgets import ALONE, BETTER, SAME, UNKNOWN, WORSE, BudgetEntry
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import capital, count, family_name, interval, listing

_FIRST = ("hyper",)
_LONG = {
    BETTER: "the best {name} has a lower test error than the best {rival}",
    WORSE: "the best {name} has a higher test error than the best {rival}",
    SAME: "no difference was found between the best {name} and the best {rival}",
    UNKNOWN: "one seed gives no interval, so the best {name} cannot be told from the best {rival}",
}
_SHORT = {
    BETTER: "it has the lower one",
    WORSE: "it has the higher one",
    SAME: "no difference was found",
    UNKNOWN: "one seed gives no interval",
}


@dataclass(frozen=True)
class Verdict:
    """`answer`: one sentence a rival family, or why there is none. `evidence`: what it rests on, with its numbers."""

    answer: tuple[str, ...]
    evidence: tuple[str, ...] = ()


def verdict(
    configurations: Sequence[Configuration], entries: Sequence[BudgetEntry], baseline: str | None, runs: int
) -> Verdict:
    """The answer and its evidence at up to three budgets and at none.

    runs: how many the study has, failed ones included.
    """
    if not configurations:
        what = f"None of {count(runs, 'run')} finished" if runs else "No run has finished yet"
        return Verdict((f"{what}, so the question has no answer.",))
    families = {c.family for c in configurations}
    if len(families) == 1:
        return Verdict((_alone(configurations), "There is no other family to compare it with."))
    if baseline not in families:
        named = f"no {family_name(baseline)}, the baseline" if baseline else "no baseline family"
        return Verdict((_alone(configurations), f"The study has {named}, so the families are not compared."))
    assert baseline is not None
    rivals = sorted({e.family for e in entries if e.ratio is not None}, key=lambda f: (f not in _FIRST, f))
    if not rivals:
        return Verdict((_alone(configurations), f"No budget holds both a {family_name(baseline)} and a rival."))
    leads = [_lead(f, [e for e in entries if e.family == f and e.word != ALONE], baseline) for f in rivals]
    return Verdict(tuple(leads), (*_details(rivals[0], entries, baseline), _unlimited(configurations)))


def _unlimited(configurations: Sequence[Configuration]) -> str:
    best = min(configurations, key=lambda c: c.selection_key)
    return f"With no limit on parameters validation selects the {_named(best)}: {interval(best.test)} test error."


def _alone(configurations: Sequence[Configuration]) -> str:
    best = min(configurations, key=lambda c: c.selection_key)
    return (
        f"The configuration selected on validation, {_named(best)}, reaches {interval(best.test)} test error"
        f"{' with one seed' if best.n == 1 else ''}."
    )


def _lead(family: str, entries: Sequence[BudgetEntry], baseline: str) -> str:
    rival = family_name(baseline)
    name = family_name(family)
    groups = [(word, [e.budget for e in group]) for word, group in groupby(entries, key=lambda e: e.word)]
    if len(groups) == 1 and len(entries) > 1:
        word, budgets = groups[0]
        which = "both" if len(budgets) == 2 else f"each of {len(budgets)}"
        span = f"{budgets[0]:,} {'and' if len(budgets) == 2 else 'to'} {budgets[-1]:,} parameters"
        return f"At {which} budgets, {span}, {_LONG[word].format(name=name, rival=rival)}."
    clauses: list[str] = []
    for word, budgets in groups:
        phrase = _SHORT[word] if clauses and groups[0][0] in (BETTER, WORSE, SAME) else _LONG[word]
        if word in (BETTER, WORSE) and groups[0][0] == SAME:
            phrase = _LONG[word]
        unit = " parameters" if not clauses else ""
        clauses.append(f"at {_within(budgets)}{unit} {phrase.format(name=name, rival=rival)}")
    return f"{capital('; '.join(clauses))}."


def _within(budgets: Sequence[int]) -> str:
    return f"≤ {listing([f'{budget:,}' for budget in budgets])}"


def _details(family: str, entries: Sequence[BudgetEntry], baseline: str) -> list[str]:
    """A sentence for up to three budgets: the smallest, the middle one, the largest."""
    own = [e for e in entries if e.family == family and e.ratio is not None]
    if len(own) > 3:
        own = [own[0], own[len(own) // 2], own[-1]]
    sentences = []
    for entry in own:
        rival = next(e.configuration for e in entries if e.budget == entry.budget and e.family == baseline)
        ours = entry.configuration
        word = "one seed, so no interval" if entry.word == UNKNOWN else entry.word
        sentences.append(
            f"At ≤ {entry.budget:,} parameters the {_named(ours)} reaches {interval(ours.test)} test error against "
            f"{interval(rival.test)} for the {_kind(rival, ours)}{_named(rival)}: {word}."
        )
    return sentences


def _named(configuration: Configuration) -> str:
    return f"{family_name(configuration.family)} ({configuration.short_label}; {configuration.parameters:,})"


def _kind(rival: Configuration, ours: Configuration) -> str:
    """``narrower`` or ``shallower``, where the fields say so."""
    for field, word in (("model.width", "narrower "), ("model.depth", "shallower ")):
        theirs, mine = rival.fields.get(field), ours.fields.get(field)
        if isinstance(theirs, int) and isinstance(mine, int) and theirs < mine:
            return word
    return ""
