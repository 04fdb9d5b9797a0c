"""Numbers and names in words, the same in text, tables and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hyperbudget.analyze.intervals import Interval

_FAMILIES = {
    "free": "free net",
    "shared": "shared-kernel net",
    "hyper": "hypernetwork",
    "low_rank": "low-rank net",
    "dct": "DCT net",
    "coordinate": "coordinate net",
    "hashed": "hashed net",
}
_LEGEND = {
    "free": "free kernels",
    "shared": "shared kernel",
    "hyper": "hypernetwork",
    "low_rank": "low rank",
    "dct": "DCT coefficients",
    "coordinate": "coordinate network",
    "hashed": "hashed weights",
}
_AXES = {
    "model.embedding_size": "embedding size N_z",
    "model.generator_hidden": "generator hidden size d",
    "model.kernel_size": "kernel size",
    "model.basic_in": "basic kernel, input channels",
    "model.basic_out": "basic kernel, output channels",
    "model.coefficient_share": "share of DCT coefficients",
    "training.l2": "L2",
}


def family_name(family: str) -> str:
    """A member of the family, as a noun: ``hypernetwork``."""
    return _FAMILIES.get(family, f"{family.replace('_', ' ')} net")


def family_legend(family: str) -> str:
    """The family in a legend or a table."""
    return _LEGEND.get(family, family.replace("_", " "))


def axis_name(name: str) -> str:
    """An axis in words: ``model.embedding_size`` is ``embedding size N_z``."""
    return _AXES.get(name, name.rpartition(".")[2].replace("_", " "))


def short_axis_name(name: str) -> str:
    """An axis in a narrow place: ``training.learning_rate`` is ``lr``."""
    return {"training.learning_rate": "lr", "training.batch_size": "batch"}.get(name) or axis_name(name)


def percent(share: float) -> str:
    """A share to two significant digits, at most two decimals: 0.0212 is ``2.1%``, 0.00724 ``0.72%``."""
    value = 100 * share
    decimals = 2 if value < 0.995 else 1 if value < 9.95 else 0
    return f"{value:.{decimals}f}%"


def interval(value: Interval) -> str:
    """``2.1% [1.7, 2.6]``, or the bare value where there is no interval."""
    if value.low is None or value.high is None:
        return percent(value.mean)
    return f"{percent(value.mean)} [{percent(value.low)[:-1]}, {percent(value.high)[:-1]}]"


def count(number: int, noun: str) -> str:
    """``1 run``, ``2,000 runs``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ratio(value: float) -> str:
    """``× 0.42``; two significant digits."""
    return f"× {value:.{max(0, 1 - math.floor(math.log10(value)))}f}" if value > 0 else "× 0"


def duration(seconds: float) -> str:
    """``41 s``, ``12 min``, ``3.2 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def listing(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def value_text(value: Any) -> str:
    """An axis's value: 0.003, 16, free."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def capital(sentence: str) -> str:
    """With a capital first letter."""
    return sentence[:1].upper() + sentence[1:]
