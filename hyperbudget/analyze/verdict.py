"""The answer in sentences, computed from the data and no more certain than they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hyperbudget.analyze.budgets import ALONE, BETTER, SAME, UNKNOWN, WORSE, BudgetEntry
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import capital, count, family_name, interval, listing, named
from hyperbudget.study.results.metrics import Metric

_FIRST = ("hyper", "hyper_lstm", "ln_hyper_lstm", "hyper_rnn")
_LONG = {
    BETTER: "the best {name} has {lower} than the best {rival}",
    WORSE: "the best {name} has {higher} than the best {rival}",
    SAME: "no difference was found between the best {name} and the best {rival}",
    UNKNOWN: "one seed gives no interval, so the best {name} cannot be told from the best {rival}",
}
_SHORT = {
    BETTER: "it has {lower_again}",
    WORSE: "it has {higher_again}",
    SAME: "no difference was found",
    UNKNOWN: "one seed gives no interval",
}

_KINDS = {
    "model.width": "narrower ",
    "model.hidden_size": "narrower ",
    "model.depth": "shallower ",
    "model.num_layers": "shallower ",
}


@dataclass(frozen=True)
class Verdict:
    """`answer`: one sentence a rival family, or why there is none. `evidence`: what it rests on, with its numbers.
    `weak`: what makes it weaker than its intervals say."""

    answer: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()


def verdict(
    configurations: Sequence[Configuration],
    entries: Sequence[BudgetEntry],
    baseline: str | None,
    runs: int,
    metric: Metric,
) -> Verdict:
    """The answer and its evidence at up to three budgets and at none.

    runs: how many the study has, failed ones included. metric: what its errors are.
    """
    if not configurations:
        only = "The only run did not finish" if runs == 1 else f"None of {count(runs, 'run')} finished"
        what = only if runs else "No run has finished yet"
        return Verdict((f"{what}, so the question has no answer.",))
    families = {c.family for c in configurations}
    if len(families) == 1:
        return Verdict((_alone(configurations, metric), "There is no other family to compare it with."))
    if baseline not in families:
        named = f"no {family_name(baseline)}, the baseline" if baseline else "no baseline family"
        return Verdict((_alone(configurations, metric), f"The study has {named}, so nothing is compared with it."))
    assert baseline is not None
    rivals = sorted({e.family for e in entries if e.ratio is not None}, key=lambda f: (f not in _FIRST, f))
    if not rivals:
        return Verdict((_alone(configurations, metric), f"No budget holds both a {family_name(baseline)} and a rival."))
    leads = [_lead(f, [e for e in entries if e.family == f and e.word != ALONE], baseline, metric) for f in rivals]
    return Verdict(tuple(leads), (*_details(rivals[0], entries, baseline, metric), _unlimited(configurations, metric)))


def _unlimited(configurations: Sequence[Configuration], metric: Metric) -> str:
    best = min(configurations, key=lambda c: c.selection_key)
    return f"With no limit on parameters validation selects the {named(best)}: {_reached(best, metric)}."


def _alone(configurations: Sequence[Configuration], metric: Metric) -> str:
    best = min(configurations, key=lambda c: c.selection_key)
    return (
        f"The configuration selected on validation, {named(best)}, reaches {_reached(best, metric)}"
        f"{' with one seed' if best.n == 1 else ''}."
    )


def _lead(family: str, entries: Sequence[BudgetEntry], baseline: str, metric: Metric) -> str:
    def said(phrase: str) -> str:
        return phrase.format(
            name=family_name(family), rival=family_name(baseline), lower=metric.lower("test"),
            higher=metric.higher("test"), lower_again=metric.lower_again, higher_again=metric.higher_again,
        )  # fmt: skip

    groups = [(word, [e.budget for e in group]) for word, group in groupby(entries, key=lambda e: e.word)]
    if len(groups) == 1 and len(entries) > 1:
        word, budgets = groups[0]
        which = "both" if len(budgets) == 2 else f"each of {len(budgets)}"
        span = f"{budgets[0]:,} {'and' if len(budgets) == 2 else 'to'} {budgets[-1]:,} parameters"
        return f"At {which} budgets, {span}, {said(_LONG[word])}."
    clauses: list[str] = []
    for word, budgets in groups:
        phrase = _SHORT[word] if clauses and groups[0][0] in (BETTER, WORSE, SAME) else _LONG[word]
        if word in (BETTER, WORSE) and groups[0][0] == SAME:
            phrase = _LONG[word]
        unit = " parameters" if not clauses else ""
        clauses.append(f"at {_within(budgets)}{unit} {said(phrase)}")
    return f"{capital('; '.join(clauses))}."


def _within(budgets: Sequence[int]) -> str:
    return f"≤ {listing([f'{budget:,}' for budget in budgets])}"


def _details(family: str, entries: Sequence[BudgetEntry], baseline: str, metric: Metric) -> list[str]:
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
            f"At ≤ {entry.budget:,} parameters the {named(ours)} reaches {_reached(ours, metric)} against "
            f"{interval(rival.test, metric)} for the {_kind(rival, ours)}{named(rival)}: {word}."
        )
    return sentences


def _reached(configuration: Configuration, metric: Metric) -> str:
    return f"{interval(configuration.test, metric)} test {metric.title}"


def _kind(rival: Configuration, ours: Configuration) -> str:
    """``narrower`` or ``shallower``, where the fields say so: of the same kind of network alone."""
    if rival.fields.get("model.network") != ours.fields.get("model.network"):
        return ""
    for field, word in _KINDS.items():
        theirs, mine = rival.fields.get(field), ours.fields.get(field)
        if isinstance(theirs, int) and isinstance(mine, int) and theirs < mine:
            return word
    return ""
