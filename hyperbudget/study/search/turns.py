"""Which seeds of a configuration are trained when: all at once, the first ones first, or one after the other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from hyperbudget.config import Study
from hyperbudget.study.search.candidates import Candidate
from hyperbudget.study.search.fronts import front
from hyperbudget.study.search.pruning import Group, group


def turns(study: Study, *, promoted: bool) -> list[tuple[int, ...]]:
    """The seeds that a configuration gets, in turns: a turn begins when the one before has ended well.

    Without a pruner all of a round begin at once. A pruner that watches trainings watches the first seed, and one that
    compares seeds wants them one by one. `promoted`: the second round has begun for the configuration.
    """
    search = study.search
    first = search.at_first
    rounds = [first, search.seeds[len(first) :] if promoted else ()]
    if search.pruner == "wilcoxon":
        rounds = [(seed,) for seeds in rounds for seed in seeds]
    elif search.pruner != "none":
        rounds = [first[:1], first[1:], rounds[1]]
    return [seeds for seeds in rounds if seeds]


def due(turns: Iterable[tuple[int, ...]], results: Mapping[int, Mapping[str, Any]]) -> tuple[int, ...]:
    """The seeds to train next, given the results by seed; none when all are there, or an earlier turn went wrong."""
    for seeds in turns:
        missing = tuple(seed for seed in seeds if seed not in results)
        if missing:
            return missing
        if any(results[seed]["status"] != "finished" for seed in seeds):
            return ()
    return ()


def promoted(study: Study, errors: Mapping[int, tuple[Candidate, float]]) -> list[int]:
    """The trials of the second round, given every trial's error after the first: (its configuration, the error).

    Of each group of `hyperbudget.study.search.pruning.group` the best `search.promote` of them, at least one; where
    parameters are an objective also the whole front of its kind, by parameters and error.
    """
    share = study.search.promote
    if share is None:
        return []
    groups: dict[Group, list[tuple[float, int]]] = {}
    kinds: dict[tuple[str, ...], list[tuple[int, float, int]]] = {}
    for number, (chosen, error) in errors.items():
        kind, band = group(study, chosen)
        groups.setdefault((kind, band), []).append((error, number))
        kinds.setdefault(kind, []).append((chosen.anatomy.learnable, error, number))
    found: set[int] = set()
    for competing in groups.values():
        found.update(number for _, number in sorted(competing)[: math.ceil(share * len(competing) - 1e-9)])
    if "learnable_parameters" in study.objectives:
        for members in kinds.values():
            found.update(number for _, _, number in front(members, key=lambda member: member))
    return sorted(found)
