"""Which configurations, and which runs, of two studies are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from hyperbudget.analyze.configurations import finished_runs

FIELDS = ("model.", "training.")
EXACT = ("test_error", "validation_error", "best_step", "curve.validation_error", "curve.train_loss")
"""What is equal, to the last bit, in runs that are said to have the same numbers."""
KEYS = ["configuration", "seed"]


def match(reference: pd.DataFrame, other: pd.DataFrame) -> dict[str, str]:
    """Name of a configuration in `reference` -> its name in `other`, failed ones included.

    The same name is the same configuration. Where names differ, as between versions of the code, the values of all
    fields that both frames have decide, if they leave no choice.
    """
    names = [str(name) for name in reference["configuration"].unique()]
    others = {str(name) for name in other["configuration"].unique()}
    found = {name: name for name in names if name in others}
    columns = sorted(c for c in {*reference.columns} & {*other.columns} if c.startswith(FIELDS))
    mine = _identities(reference, columns, set(found))
    theirs = {identity: name for name, identity in _identities(other, columns, set(found)).items()}
    found |= {name: theirs[identity] for name, identity in mine.items() if identity in theirs}
    return {name: found[name] for name in names if name in found}


def matched_runs(first: pd.DataFrame, other: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """One row a configuration that both have, by its name in `first`, and seed that either has.

    Columns: ``configuration``, ``seed``, ``label``, ``family``, ``same`` (whether both runs have the same numbers), and
    for each side (``_first``, ``_other``) ``status`` (missing: no such run), ``reason``, ``done`` and ``test``.
    """
    back = {theirs: mine for mine, theirs in names.items()}
    mine = first.assign(configuration=first["configuration"].astype(str))
    mine = mine[mine["configuration"].isin(names)].drop_duplicates(KEYS).set_index(KEYS)
    theirs = other.assign(configuration=other["configuration"].astype(str).map(back))
    theirs = theirs.dropna(subset=["configuration"]).drop_duplicates(KEYS).set_index(KEYS)
    both = mine.index.intersection(theirs.index)
    index = mine.index.union(theirs.index, sort=False)
    found = pd.DataFrame(index=index)
    for column, source in (("label", "label"), ("family", "model.family")):
        found[column] = mine[source].reindex(index).fillna(theirs[source].reindex(index))
    for name, frame in (("first", mine), ("other", theirs)):
        found[f"done_{name}"] = index.isin(finished_runs(frame).index)
        found[f"status_{name}"] = frame["status"].reindex(index)
        found[f"reason_{name}"] = frame["reason"].reindex(index) if "reason" in frame.columns else None
        found[f"test_{name}"] = frame["test_error"].astype(float).reindex(index)
    same = same_numbers(mine.loc[both], theirs.loc[both])
    found["same"] = np.asarray(same.reindex(index, fill_value=False), dtype=bool)
    return found.reset_index()


def same_numbers(one: pd.DataFrame, other: pd.DataFrame) -> pd.Series[bool]:
    """Whether each run of `one` measured what the run in the same row of `other` did, bit by bit, where both tell."""
    same = pd.Series(True, index=one.index)
    for name in EXACT:
        if name in one.columns and name in other.columns:
            pairs = zip(one[name].map(comparable), other[name].map(comparable), strict=True)
            same &= pd.Series([a == b or a is None or b is None for a, b in pairs], index=one.index, dtype=bool)
    return same


def comparable(value: Any) -> Hashable:
    """A value of a frame, whichever way it was stored: lists and arrays to tuples, whole floats to integers."""
    if isinstance(value, str) or value is None:
        return value
    if hasattr(value, "__len__"):
        return tuple(comparable(each) for each in value)
    if pd.isna(value):
        return None
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _identities(frame: pd.DataFrame, columns: list[str], known: set[str]) -> dict[str, tuple[Hashable, ...]]:
    """Configuration -> the values of `columns`, of those that are not `known` and that no other has."""
    first = frame.drop_duplicates("configuration")
    found = {
        str(record["configuration"]): tuple(comparable(record[name]) for name in columns)
        for record in first.to_dict("records")
        if str(record["configuration"]) not in known
    }
    times = Counter(found.values())
    return {name: identity for name, identity in found.items() if times[identity] == 1}
