"""What a report cannot say of a study, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hyperbudget.analyze.axes import Effect
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.convergence import FEWEST, Convergence
from hyperbudget.analyze.exchange import SPAN, ExchangeRate
from hyperbudget.analyze.gap import FEWEST as FEWEST_OF_GAP
from hyperbudget.analyze.gap import Gap
from hyperbudget.analyze.importance import FEWEST as FEWEST_OF_A_FAMILY
from hyperbudget.analyze.importance import Importances
from hyperbudget.analyze.targets import TargetEntry


def unsaid(
    configurations: Sequence[Configuration],
    fronts: Mapping[str, Sequence[Configuration]],
    targets: Sequence[TargetEntry],
    rates: Sequence[ExchangeRate],
    effects: Sequence[Effect],
    importances: Sequence[Importances],
    convergence: Convergence | None,
    gap: Gap | None,
) -> list[str]:
    """One clause each, beginning with what is missing."""
    if not configurations:
        return ["anything about quality, fronts, budgets or axes: no run has a result"]
    found = []
    if all(c.n == 1 for c in configurations):
        found.append("how far a repetition would be off: every configuration has one seed")
    if len(fronts) < 2:
        found.append("which family is better: there is one")
    if not targets:
        found.append("what a quality takes: no family’s front has two configurations")
    if not rates:
        found.append(f"what a doubling of the parameters buys: no family’s front covers a factor of {SPAN:.1f}")
    if not effects:
        found.append("what an axis buys: none has two values within a family")
    if not importances:
        found.append(
            f"which axes decide: no family has {FEWEST_OF_A_FAMILY} configurations of several qualities and axes"
        )
    if convergence is None:
        found.append(
            f"whether the search has converged: fewer than {FEWEST} configurations finished, or in an unknown order"
        )
    if gap is None:
        found.append(f"whether selection flatters: fewer than {FEWEST_OF_GAP} configurations finished, or all alike")
    return found
