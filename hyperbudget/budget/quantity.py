"""Quantities as people write them: ``100k``, ``1.5M``, ``2%``, ``30min``."""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def parse_count(text: str) -> int:
    """``100k`` is 100,000 and ``1.5M`` 1,500,000; ``97,000`` and ``2e5`` are numbers too. Raises ValueError."""
    match = re.fullmatch(r"([0-9][0-9,_]*(?:\.[0-9]+)?|\.[0-9]+)(e[0-9]{1,2})?([kmg]?)", text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is not a count such as 97000, 100k or 1.5M")
    number, exponent, unit = match.groups()
    count = Fraction(re.sub("[,_]", "", number) + (exponent or "")) * _UNITS[unit]
    if count.denominator != 1:
        raise ValueError(f"{text!r} is {float(count):g}: not a whole number")
    if count < 1:
        raise ValueError(f"{text!r} is less than 1")
    return int(count)


def parse_share(text: str) -> float:
    """``2%`` and ``0.02`` are both 0.02. Raises ValueError outside 0 <= share < 1."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(%?)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a share such as 2% or 0.02")
    share = float(match[1]) / (100 if match[2] else 1)
    if share >= 1:
        hint = "" if match[2] else f"; for {match[1]}% write the sign"
        raise ValueError(f"{text!r} is not below 100%{hint}")
    return share


_SECONDS = {"d": 86400, "h": 3600, "min": 60, "s": 1}


def parse_duration(text: str) -> float:
    """Seconds: ``30min`` is 1800; ``90s``, ``1.5h``, ``2d`` and ``1h30min`` are durations too. Raises ValueError."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)\s*(d|h|min|s)\s*", text.strip().lower())
    if "".join(number + unit for number, unit in parts) != re.sub(r"\s", "", text.lower()) or not parts:
        raise ValueError(f"{text!r} is not a duration such as 90s, 30min or 2h")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds <= 0:
        raise ValueError(f"{text!r} is not more than 0")
    return seconds


def show_duration(seconds: float) -> str:
    """As people write it, in the largest unit that it is a multiple of: ``30 min``, ``90 min``, ``0.5 s``."""
    unit = next((unit for unit, size in _SECONDS.items() if seconds % size == 0), "s")
    return f"{seconds / _SECONDS[unit]:g} {unit}"
