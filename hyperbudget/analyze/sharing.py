"""How much the kernels of image networks share, from what their runs store (`hyperbudget.train.sharing`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hyperbudget.analyze.configurations import Configuration, finished_runs
from hyperbudget.analyze.dynamics import stored
from hyperbudget.nn.sharing.matrices import Array

PREFIX = "sharing."


@dataclass(frozen=True)
class Embedded:
    """The embeddings on their principal axes. places: shape (m, 1 or 2); kernels: of each, its kernel's number and
    output channels; shares: of the variance, shape (1,) or (2,)."""

    places: Array
    kernels: tuple[tuple[int, int], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Sharing:
    """Of one run. `of`: what is compared; `parts`: their numbers; cosines: |cosine| of every two, shape (n, n), nan on
    the diagonal and where two cannot be compared; `overall`, `chance`: root mean squares of them and of what chance
    gives. `ranks`: effective rank of each kernel and what it can be at most; `tiles`: the same of all tiles together.
    """

    configuration: Configuration
    seed: int
    of: str
    parts: tuple[int, ...]
    cosines: Array
    overall: float
    chance: float
    ranks: tuple[tuple[float, int], ...]
    tiles: tuple[float, int] | None
    embedded: Embedded | None

    @classmethod
    def of_run(cls, configuration: Configuration, row: Mapping[str, Any]) -> Sharing | None:
        """From a row of the frame; None where nothing was stored or compared."""
        found = {key.removeprefix(PREFIX): value for key, value in stored(row).items() if key.startswith(PREFIX)}
        if "cosine" not in found:
            return None
        parts = tuple(int(part) for part in found["part"])
        cosines = np.full((len(parts), len(parts)), np.nan)
        below = np.tril_indices(len(parts), -1)
        cosines[below] = [np.nan if value is None else float(value) for value in found["cosine"]]
        cosines[below[::-1]] = cosines[below]
        pairs = zip(found.get("rank", ()), found.get("most", ()), strict=True)
        return cls(
            configuration=configuration,
            seed=int(row["seed"]),
            of=str(found["of"][0]),
            parts=parts,
            cosines=cosines,
            overall=float(found["overall"]),
            chance=float(found["chance"]),
            ranks=tuple((float(rank), int(most)) for rank, most in pairs),
            tiles=(float(found["tile_rank"]), int(found["tile_most"])) if "tile_rank" in found else None,
            embedded=_embedded(found, parts),
        )


def sharings(frame: pd.DataFrame, configurations: Sequence[Configuration]) -> list[Sharing]:
    """One a family, by its name: the best run by validation of its best configuration that stored any."""
    if f"dynamics.{PREFIX}cosine" not in frame.columns:
        return []
    columns = [name for name in frame.columns if name.startswith(f"dynamics.{PREFIX}")]
    runs = finished_runs(frame)[["configuration", "seed", "validation_error", *columns]]
    best: dict[str, Sharing] = {}
    for configuration in sorted(configurations, key=lambda c: c.selection_key):
        if configuration.family in best:
            continue
        rows = runs[runs["configuration"] == configuration.name].sort_values(["validation_error", "seed"])
        for row in rows.to_dict("records"):
            made = Sharing.of_run(configuration, {str(key): value for key, value in row.items()})
            if made is not None:
                best[configuration.family] = made
                break
    return [best[family] for family in sorted(best)]


def _embedded(found: Mapping[str, Any], parts: Sequence[int]) -> Embedded | None:
    if "x" not in found:
        return None
    places = np.array([list(found[axis]) for axis in "xy" if axis in found], np.float64).T
    widths = dict(zip(parts, map(int, found["channels"]), strict=True)) if "channels" in found else {}
    owners = [int(owner) for owner in found["kernel"]]
    nearest = {owner: min(widths, key=lambda part: abs(part - owner), default=owner) for owner in set(owners)}
    kernels = tuple((owner, widths.get(nearest[owner], 0)) for owner in owners)
    return Embedded(places, kernels, tuple(float(share) for share in found["axes"]))
