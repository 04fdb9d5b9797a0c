"""Where pages end, and how tall the figures on them are, so that none ends half empty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

BLANK = 0.18
"""The share of a page that may be blank at its foot; more is costly."""
SPLIT = 0.02
"""The cost of a page that begins within a list, a table or a text in columns: that of one that is a seventh blank."""


@dataclass(frozen=True)
class Block:
    """What no page break divides. Lengths are in CSS pixels.

    top, bottom: its edges on an endless page. place: of the element that it begins, among all; None in the middle of
    one. bound: it stays on the page of the block before it. within: it goes on with what began before it. head: of what
    is repeated above it where it is the first on its page, a table's head. figure: the name of a figure that may be
    lower by `shrink` or taller by `grow`.
    """

    top: float
    bottom: float
    place: int | None = None
    bound: bool = False
    within: bool = False
    head: float = 0.0
    figure: str = ""
    shrink: float = 0.0
    grow: float = 0.0


@dataclass(frozen=True)
class Page:
    """From the block `first` to the one before `last`. ratio: how far its figures go, from -1, as low as they may be,
    over 0, as they were drawn, to 1, as tall as they may be.
    """

    first: int
    last: int
    ratio: float


def pages(blocks: Sequence[Block], height: float) -> list[Page]:
    """The pages, each at most `height` tall, that together are best.

    As Knuth & Plass (1981) break paragraphs into lines, with figures for the glue.
    """
    shrink = [0.0, *accumulate(block.shrink for block in blocks)]
    grow = [0.0, *accumulate(block.grow for block in blocks)]
    best: list[tuple[float, list[Page]]] = [(0.0, [])]
    for last in range(1, len(blocks) + 1):
        found: tuple[float, list[Page]] = (math.inf, [])
        for first in range(last - 1, -1, -1):
            if last < len(blocks) and blocks[last].bound:
                break
            cost, before = best[first]
            natural = blocks[last - 1].bottom - blocks[first].top + blocks[first].head
            lower, taller = shrink[last] - shrink[first], grow[last] - grow[first]
            if natural - lower > height and math.isfinite(found[0]):
                break
            ratio = _ratio(height - natural, lower, 0.0 if last == len(blocks) else taller)
            full = (natural + ratio * (taller if ratio > 0 else lower)) / height
            cost += _cost(full, ratio, last == len(blocks)) + SPLIT * blocks[first].within
            if cost < found[0]:
                found = (cost, [*before, Page(first, last, ratio)])
        best.append(found)
    return best[-1][1]


def _ratio(room: float, shrink: float, grow: float) -> float:
    """What fills a page that has `room` left, as far as it may."""
    most = grow if room > 0 else shrink
    return max(-1.0, min(room / most, 1.0)) if most else 0.0


def _cost(full: float, ratio: float, last: bool) -> float:
    """full: the share of the page's height that is used."""
    if full > 1.001:
        return 10.0 * full
    if last:
        return 0.05 * (full < 0.1)
    blank = 1 - full
    return blank**2 + 4 * max(0.0, blank - BLANK) + (0.06 if ratio < 0 else 0.01) * ratio**2
