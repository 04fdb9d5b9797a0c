"""What differs between studies beside their results: settings, seeds, data, devices, versions, hardware."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from hyperbudget.analyze.compare.match import FIELDS, comparable
from hyperbudget.analyze.words import axis_name, capital, listing, value_text

UNKNOWN = "–"
_RUNS = {"seed": "seeds", "data_digest": "data checksum", "device": "device", "host": "hosts"}
_MOST, _NAMED = 8, 4
"""Values that are written out in a table, and settings that a sentence names."""


@dataclass(frozen=True)
class Difference:
    """A thing that the studies have different values of, `values` in their order. `kind`: ``settings``, ``runs``,
    ``versions`` or ``hardware``. `disjoint`: whether no two studies have a value in common. `known`: whether two have
    different ones; else what some have is not recorded of the others, or these have not got it."""

    kind: str
    name: str
    values: tuple[str, ...]
    disjoint: bool
    known: bool


def differences(frames: Mapping[str, pd.DataFrame]) -> list[Difference]:
    """Of the studies by name: their settings, then their runs, versions and hardware."""
    found = [_of_columns("settings", axis_name(column), column, frames) for column in _fields(frames.values())]
    found += [_of_columns("runs", name, column, frames) for column, name in _RUNS.items()]
    for kind in ("versions", "hardware"):
        said = [frame.attrs.get(kind) or {} for frame in frames.values()]
        for key in sorted({key for values in said for key in values}):
            values = [frozenset([str(each[key])] if key in each else []) for each in said]
            found.append(_difference(kind, "commit" if key == "git" else str(key), values))
    return [each for each in found if each is not None]


def difference_sentences(found: Sequence[Difference], frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """What may explain a difference of results, one sentence each."""
    sentences = []
    known = [each for each in found if each.known]
    names = {each.name for each in known}
    if "data checksum" in names:
        sentences.append("The checksums of their data differ: a difference need not be the code’s.")
    settings = [each.name for each in known if each.kind == "settings"]
    if settings:
        rest = len(settings) - _NAMED
        more = [f"{rest} more settings"] if rest > 0 else []
        sentences.append(f"The studies tried different values of {listing(settings[:_NAMED] + more)}.")
    for kind, verb, alike in (("versions", "differ", "are the same"), ("hardware", "differs", "is the same")):
        unlike = [each.name for each in known if each.kind == kind]
        silent = [name for name, frame in frames.items() if not frame.attrs.get(kind)]
        if unlike:
            sentences.append(f"{capital(kind)} that {verb}: {listing(unlike)}.")
        elif silent:
            sentences.append(f"The {kind} of {listing(silent)} {'are' if verb == 'differ' else 'is'} not recorded.")
        else:
            sentences.append(f"The {kind} {alike}.")
    if "device" in names:
        sentences.append("They trained on different devices, so that times do not compare the code alone.")
    return sentences


def _fields(frames: Iterable[pd.DataFrame]) -> list[str]:
    """The fields of any frame, in the order of the first that has them."""
    return list(dict.fromkeys(column for frame in frames for column in frame.columns if column.startswith(FIELDS)))


def _of_columns(kind: str, name: str, column: str, frames: Mapping[str, pd.DataFrame]) -> Difference | None:
    values = [
        frozenset(_shown(column, value) for each in frame[column] if (value := comparable(each)) is not None)
        if column in frame.columns
        else frozenset[Hashable]()
        for frame in frames.values()
    ]
    return _difference(kind, name, values)


def _shown(column: str, value: Hashable) -> Hashable:
    """A checksum by its beginning, and a device as one version of the code calls it, whichever recorded it."""
    if column == "data_digest":
        return str(value)[:12]
    return str(value).replace(", 1 threads", ", 1 thread") if column == "device" else value


def _difference(kind: str, name: str, values: Sequence[frozenset[Hashable]]) -> Difference | None:
    if len(set(values)) < 2:
        return None
    together = sum(len(each) for each in values)
    disjoint = all(values) and together == len(frozenset().union(*values))
    return Difference(kind, name, tuple(map(_text, values)), disjoint, len(set(filter(None, values))) > 1)


def _text(values: frozenset[Hashable]) -> str:
    """``0.01, 0.03``; ``40 values, 0.001 to 0.01``."""
    if not values:
        return UNKNOWN
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(values) <= _MOST:
        ordered = sorted(numbers) if len(numbers) == len(values) else sorted(values, key=str)
        return ", ".join(value_text(value) for value in ordered)
    if len(numbers) == len(values):
        return f"{len(values)} values, {value_text(min(numbers))} to {value_text(max(numbers))}"
    return f"{len(values)} values"
