"""Budgets as people write them: ``100k``, ``1.5M``, ``2%``."""

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
