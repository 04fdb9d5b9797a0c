"""The inverse of the closed form: every configuration of every family that lands on a budget of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyperbudget.budget.closed_form import Anatomy, anatomy
from hyperbudget.budget.flops import forward_flops
from hyperbudget.budget.grids import Grid, Values, grid, known
from hyperbudget.budget.vector import Table, tabulate
from hyperbudget.budget.vector_families import FAMILY_FORMS
from hyperbudget.nn.spec import NETWORKS, ImageNetwork, ModelSpec, Shape, SpecError, families_of

CHUNK = 1 << 18
"""Configurations at once: what stays in a processor's cache."""
SCALAR_LIMIT = 10_000
"""Configurations of a network and family counted one at a time, where the family has no vectorised form."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Solution:
    """A configuration on the budget, with its exact anatomy and its forward FLOPs for one image or symbol."""

    model: ModelSpec
    anatomy: Anatomy
    flops: int

    @property
    def ratio(self) -> float:
        """Kernel or recurrent weights in use for each learnable parameter."""
        return self.anatomy.generated / self.anatomy.learnable


@dataclass(frozen=True)
class Solved:
    """What `solve` found.

    `solutions` stand by family, each family's with the highest `Solution.ratio` first; `found` is how
    many configurations of each family are on the budget, shown or not; `nearest` is the nearest of each family that
    has any configuration at all, on the budget or off it; `searched` counts the configurations looked at, and
    `thinned` names the families of which only a part was (see `SCALAR_LIMIT`).
    """

    solutions: list[Solution]
    found: dict[str, int]
    nearest: dict[str, Solution]
    searched: int
    thinned: tuple[str, ...]


@dataclass(frozen=True)
class _Hits:
    """Configurations of one network and family on the budget; arrays of one entry each."""

    networks: Grid
    families: Grid
    network: Ints
    family: Ints
    learnable: Ints

    def solution(self, index: int, shape: Shape) -> Solution:
        """A hit, counted again by the scalar closed form."""
        spec = ModelSpec(self.networks.at(int(self.network[index])), self.families.at(int(self.family[index])))
        counts = anatomy(spec, **shape)
        if counts.learnable != self.learnable[index]:
            raise AssertionError(f"{spec}: {counts.learnable} parameters, but {self.learnable[index]} vectorised")
        return Solution(spec, counts, forward_flops(spec, **shape))


def solve(
    params: int,
    tolerance: float = 0.02,
    *,
    networks: Iterable[str] | None = None,
    families: Iterable[str] | None = None,
    ranges: Mapping[str, Values] | None = None,
    limit: int | None = None,
    **shape: int,
) -> Solved:
    """All configurations with `params` learnable parameters, up to a share `tolerance` more or fewer.

    For data of a shape: ``channels=3, size=32, classes=10``, or ``symbols=50`` of a text; a network made for images of
    one size is tried for these alone. All `networks` that take such data are tried, and all `families` that these can
    have, unless some are given. `ranges` are the values to try by field (``embedding_size``, ``depth``), for every
    network and family that has it; `hyperbudget.budget.grids.RANGES` says what is tried where nothing is given. `limit`
    is the most solutions of each family: the nearest of each main network first, then the second nearest of each, so
    that few solutions still differ. Every solution has been counted a second time by the scalar closed form.

    Raises SpecError for a range of a field that none of the networks and families has, or a value that it cannot have.
    """
    ranges = dict(ranges or {})
    text = "symbols" in shape
    network_classes = [NETWORKS[name] for name in dict.fromkeys(networks or NETWORKS)]
    network_classes = [owner for owner in network_classes if issubclass(owner, ImageNetwork) != text]
    able = {name: owner for network in network_classes for name, owner in families_of(network).items()}
    family_classes = [owner for name, owner in able.items() if families is None or name in set(families)]
    known(ranges, [*network_classes, *family_classes])
    if not text:
        ranges = {"image_channels": [shape["channels"]], "image_size": [shape["size"]]} | ranges
    tables: list[tuple[Grid, Table | None]] = [
        (grid(owner, ranges), None) if text else tabulate(grid(owner, ranges), **shape) for owner in network_classes
    ]
    slack = int(params * tolerance + 1e-9)
    solutions: list[Solution] = []
    found: dict[str, int] = {}
    nearest: dict[str, Solution] = {}
    searched, thinned = 0, []
    for owner in family_classes:
        settings = grid(owner, ranges)
        hits: list[_Hits] = []
        best: list[_Hits] = []
        for kept, table in tables:
            if table is not None and owner.name in FAMILY_FORMS:
                on, near, count = _vectorised(kept, table, settings, params, slack)
            else:
                on, near, count = _one_by_one(kept, settings, params, slack, shape)
                if count < len(kept) * len(settings):
                    thinned.append(owner.name)
            searched += count
            hits.append(on)
            best.append(near)
        found[owner.name] = sum(on.learnable.size for on in hits)
        chosen = [on.solution(index, shape) for on, index in _choose(hits, params, limit)]
        solutions += sorted(chosen, key=lambda s: (-s.ratio, abs(s.anatomy.learnable - params)))
        for near, index in _choose(best, params, 1):
            nearest[owner.name] = near.solution(index, shape)
    return Solved(solutions, found, nearest, searched, tuple(dict.fromkeys(thinned)))


def _vectorised(networks: Grid, table: Table, families: Grid, params: int, slack: int) -> tuple[_Hits, _Hits, int]:
    """The hits, the nearest configuration as hits of at most one entry, and how many were looked at."""
    form = FAMILY_FORMS[families.owner.name]
    step = max(1, CHUNK // len(families))
    width = min(len(families), CHUNK)
    rows: list[tuple[Ints, Ints, Ints]] = []
    near: tuple[int, int, int] | None = None
    for start in range(0, len(networks), step):
        stop = min(start + step, len(networks))
        slots = [slot.column(start, stop) for slot in table.slots]
        rest = table.rest[start:stop, None]
        for left in range(0, len(families), width):
            part = families.part(left, left + width)
            own, fits = form(part.arrays, slots)
            learnable = np.broadcast_to(rest + own, (stop - start, len(part)))
            off = np.where(fits, np.abs(learnable - params), np.iinfo(np.int64).max)
            row, column = np.unravel_index(int(off.argmin()), off.shape)
            if off[row, column] < (abs(near[2] - params) if near else np.iinfo(np.int64).max):
                near = (start + int(row), left + int(column), int(learnable[row, column]))
            at = np.nonzero(off <= slack)
            rows.append((at[0] + start, at[1] + left, learnable[at]))
    hits = _Hits(networks, families, *_columns(rows))
    return hits, _Hits(networks, families, *_columns([] if near is None else [near])), len(networks) * len(families)


def _one_by_one(networks: Grid, families: Grid, params: int, slack: int, shape: Shape) -> tuple[_Hits, _Hits, int]:
    """As `_vectorised`, by the scalar closed form; at most `SCALAR_LIMIT` combinations, evenly spread."""
    total = len(networks) * len(families)
    looked: Ints = np.unique(np.linspace(0, max(total - 1, 0), min(total, SCALAR_LIMIT)).astype(np.int64))
    counted: list[tuple[int, int, int]] = []
    for index in looked:
        row, column = divmod(int(index), len(families))
        try:
            spec = ModelSpec(networks.at(row), families.at(column))
        except SpecError:
            continue
        counted.append((row, column, anatomy(spec, **shape).learnable))
    on = [entry for entry in counted if abs(entry[2] - params) <= slack]
    near = [min(counted, key=lambda entry: abs(entry[2] - params))] if counted else []
    return _Hits(networks, families, *_columns(on)), _Hits(networks, families, *_columns(near)), len(looked)


def _columns(rows: Iterable[tuple[Ints, Ints, Ints] | tuple[int, int, int]]) -> tuple[Ints, Ints, Ints]:
    entries = [tuple(np.atleast_1d(np.asarray(part, dtype=np.int64)) for part in row) for row in rows]
    none = np.zeros(0, dtype=np.int64)
    first, second, third = (np.concatenate([none, *(entry[part] for entry in entries)]) for part in range(3))
    return first, second, third


def _choose(hits: list[_Hits], params: int, limit: int | None) -> list[tuple[_Hits, int]]:
    """At most `limit` of all `hits`: the nearest of each main network, then the second nearest of each, ..."""
    which = np.concatenate([np.full(on.learnable.size, i) for i, on in enumerate(hits)]).astype(np.int64)
    if which.size == 0:
        return []
    index = np.concatenate([np.arange(on.learnable.size) for on in hits])
    network = np.concatenate([on.network for on in hits])
    off = np.abs(np.concatenate([on.learnable for on in hits]) - params)
    order = np.lexsort((index, off, network, which))
    new = np.diff(which[order], prepend=-1) != 0
    new |= np.diff(network[order], prepend=-1) != 0
    position = np.arange(order.size)
    rank = np.empty_like(position)
    rank[order] = position - np.maximum.accumulate(np.where(new, position, 0))
    chosen = np.lexsort((index, network, which, off, rank))[:limit]
    return [(hits[which[i]], int(index[i])) for i in chosen]
