"""At equal budget: the best configuration of each family within a number of learnable parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.fronts import fronts
from hyperbudget.analyze.intervals import Interval, probability_lower, ratio_interval

BETTER, WORSE, SAME, UNKNOWN, BASELINE = "better", "worse", "no difference found", "no interval", "baseline"
ALONE = "no rival fits"


@dataclass(frozen=True)
class BudgetEntry:
    """A family at a budget: its best configuration within it by validation, against the baseline family's.

    `ratio` is its test error over the baseline's, None where there is no baseline within the budget. `word` is
    ``better`` or ``worse`` only where the ratio's 95% interval leaves out 1. `beats` is the probability that its mean
    test error is below the baseline's, of the same t distribution; None without an interval.
    """

    budget: int
    configuration: Configuration
    ratio: Interval | None
    word: str
    beats: float | None = None

    @property
    def family(self) -> str:
        return self.configuration.family


def at_budget(configurations: Iterable[Configuration], budget: int) -> dict[str, Configuration]:
    """The best configuration of each family with at most `budget` learnable parameters, by validation."""
    best: dict[str, Configuration] = {}
    for configuration in configurations:
        if configuration.parameters <= budget:
            rival = best.get(configuration.family)
            if rival is None or configuration.selection_key < rival.selection_key:
                best[configuration.family] = configuration
    return dict(sorted(best.items()))


def choose_budgets(configurations: Sequence[Configuration], baseline: str | None, limit: int = 6) -> list[int]:
    """Budgets for a study that names none, at most `limit`.

    The parameter counts along the fronts of the families other than the baseline, and the largest count on any front,
    so that no family is cut short; rounded up to two digits, where the baseline and another family have a
    configuration (any two families, where there is no baseline). If there are more than `limit`, evenly spaced ones.
    """
    by_family = fronts(configurations)
    counts = {round_up(c.parameters) for family, members in by_family.items() if family != baseline for c in members}
    counts |= {round_up(max(members[-1].parameters for members in by_family.values()))} if by_family else set()
    fits = {budget: at_budget(configurations, budget) for budget in sorted(counts)}
    needed = baseline if baseline in by_family else None
    budgets = [budget for budget, best in fits.items() if len(best) > 1 and (needed is None or needed in best)]
    if len(budgets) <= limit:
        return budgets
    return [budgets[round(i * (len(budgets) - 1) / (limit - 1))] for i in range(limit)]


def equal_budget(
    configurations: Sequence[Configuration], budgets: Iterable[int], baseline: str | None, step: float
) -> list[BudgetEntry]:
    """Every family at every budget, the baseline first. step: one test sample as a share."""
    entries = []
    for budget in sorted(set(budgets)):
        best = at_budget(configurations, budget)
        reference = best.get(baseline) if baseline else None
        for family, configuration in sorted(best.items(), key=lambda item: (item[0] != baseline, item[0])):
            ratio, word, beats = None, ALONE, None
            if family == baseline:
                word = BASELINE
            elif reference is not None:
                ratio = ratio_interval(configuration.test_errors, reference.test_errors, step)
                word = _word(ratio)
                beats = probability_lower(configuration.test_errors, reference.test_errors, step)
            entries.append(BudgetEntry(budget, configuration, ratio, word, beats))
    return entries


def round_up(count: int, digits: int = 2) -> int:
    """`count` rounded up to its first `digits` digits: 1,410 to 1,500."""
    unit: int = 10 ** max(0, len(str(count)) - digits)
    return math.ceil(count / unit) * unit


def _word(ratio: Interval) -> str:
    if ratio.low is None or ratio.high is None:
        return UNKNOWN
    return BETTER if ratio.high < 1 else WORSE if ratio.low > 1 else SAME
