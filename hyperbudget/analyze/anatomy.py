"""Where the budget goes: learnable parameters by group, of the configurations on the families' fronts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import capital, family_name, group_name, listing
from hyperbudget.budget.closed_form import GROUPS

MOST = 24
"""Configurations that are shown; of more, each family's are thinned out evenly."""
LARGE = 0.1
"""The least share of a group that a sentence names."""


def groups_of(configuration: Configuration) -> dict[str, int]:
    """Its parameters by group, those that it has, in the order of the data's way through the network.

    Empty where the groups are not stored, or do not add up to the learnable parameters.
    """
    counts = {group: configuration.counts.get(f"params.{group}", 0) for group in GROUPS}
    if sum(counts.values()) != configuration.parameters:
        return {}
    return {group: count for group, count in counts.items() if count}


def present(configurations: Sequence[Configuration]) -> list[str]:
    """The groups that any of them has, in their order."""
    found = {group for configuration in configurations for group in groups_of(configuration)}
    return [group for group in GROUPS if group in found]


def shown(fronts: Mapping[str, Sequence[Configuration]]) -> list[Configuration]:
    """Those whose anatomy is known on each family's front, family by family; `MOST` at most."""
    known = {family: [c for c in members if groups_of(c)] for family, members in fronts.items()}
    known = {family: members for family, members in known.items() if members}
    total = sum(map(len, known.values()))
    if total > MOST:
        room = {family: max(1, MOST * len(members) // total) for family, members in known.items()}
        known = {family: _thinned(members, room[family]) for family, members in known.items()}
    return [configuration for members in known.values() for configuration in members]


def _thinned(members: Sequence[Configuration], most: int) -> list[Configuration]:
    if most == 1:
        return [members[-1]]
    return [members[round(i * (len(members) - 1) / (most - 1))] for i in range(min(most, len(members)))]


def anatomy_sentences(configurations: Sequence[Configuration]) -> list[str]:
    """For each family what its largest groups are, from its smallest configuration to its largest."""
    families: dict[str, list[Configuration]] = {}
    for configuration in configurations:
        families.setdefault(configuration.family, []).append(configuration)
    return [
        f"{capital(family_name(family))}{_span(members[0], members[-1])}: {_shares(members[0], members[-1])}."
        for family, members in families.items()
    ]


def _span(first: Configuration, last: Configuration) -> str:
    if first is last:
        return f" of {first.parameters:,} parameters"
    return f", from {first.parameters:,} to {last.parameters:,} parameters"


def _shares(first: Configuration, last: Configuration) -> str:
    ends = [{group: count / c.parameters for group, count in groups_of(c).items()} for c in (first, last)]
    named = [group for group in GROUPS if max(end.get(group, 0.0) for end in ends) >= LARGE]
    return listing(
        [
            f"{group_name(group)} {ends[0].get(group, 0.0):.2f}"
            + ("" if first is last else f" → {ends[1].get(group, 0.0):.2f}")
            for group in named
        ]
    )
