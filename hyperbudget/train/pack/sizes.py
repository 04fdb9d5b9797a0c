"""How large packs are. Imports no torch."""

from __future__ import annotations


def size_for(runs: int) -> int:
    """The smallest size of a pack, 1, 2, 3, 4, 6, 8, 12, 16, 24 ..., that `runs` runs fit into.

    Few sizes, so that a pack that shrinks run by run is made anew only now and then. Raises ValueError below 1.
    """
    if runs < 1:
        raise ValueError(f"runs: {runs} is below 1")
    power = 1 << (runs - 1).bit_length()
    smaller = power * 3 // 4
    return smaller if power > 2 and runs <= smaller else power
