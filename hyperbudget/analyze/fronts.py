"""Pareto fronts of error against learnable parameters."""

from __future__ import annotations

from collections.abc import Iterable

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.study.search import fronts as fronts_of


def front(configurations: Iterable[Configuration]) -> list[Configuration]:
    """Those that no other beats with as few parameters, by validation error, from few parameters to many.

    The validation errors along it fall strictly. The test errors need not: they had no say in who is on it.
    """
    return fronts_of.front(configurations, key=lambda c: (c.parameters, c.validation.mean, c.label))


def fronts(configurations: Iterable[Configuration]) -> dict[str, list[Configuration]]:
    """The front of every family, by its name."""
    families: dict[str, list[Configuration]] = {}
    for configuration in configurations:
        families.setdefault(configuration.family, []).append(configuration)
    return {family: front(members) for family, members in sorted(families.items())}
