"""Pareto fronts of error against learnable parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Point = TypeVar("Point")


def front(points: Iterable[Point], key: Callable[[Point], tuple[Any, ...]]) -> list[Point]:
    """Those that no other beats with as few parameters, from few parameters to many; the errors fall strictly.

    key: of a point its parameters and its error, and what else decides between equal ones.
    """
    found: list[Point] = []
    least = math.inf
    for point in sorted(points, key=key):
        error = key(point)[1]
        if error < least:
            least = error
            found.append(point)
    return found
