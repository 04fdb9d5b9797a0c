"""What makes a claim weak: failed, pruned and refused runs, few seeds, optima at the edge of what was tried."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from hyperbudget.analyze.axes import Axis, tuned
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import axis_name, count, short_axis_name, value_text


def health(frame: pd.DataFrame, configurations: Sequence[Configuration], axes: Sequence[Axis]) -> list[str]:
    """Sentences for the reader, the gravest first."""
    return [
        *_failures(frame, configurations),
        *_pruned(frame, configurations),
        *_seeds(frame, configurations),
        *edges(configurations, axes),
        *_refused(frame),
    ]


def edges(configurations: Sequence[Configuration], axes: Sequence[Axis]) -> list[str]:
    """For each numeric nuisance axis, how often the best value by validation is the smallest or largest tried."""
    science = [axis.name for axis in axes if axis.role == "science"]
    sentences = []
    for axis in axes:
        values = _tried(configurations, axis)
        if axis.role != "nuisance" or len(values) < 2:
            continue
        name = axis_name(axis.name)
        if len(values) == 2:
            sentences.append(
                f"Only two values of the {name} were tried ({value_text(values[0])} and {value_text(values[1])}), so "
                f"every optimum lies at an edge: another value may be better for one family than for another."
            )
            continue
        best = [_edge(group[0].fields[axis.name], values, axis) for group in _chosen(configurations, axis, science)]
        for edge in _EDGES:
            share = best.count(edge)
            if 4 * share > len(best):
                sentences.append(
                    f"The best {name} is {_place(edge, values, axis)}, in {share} of {len(best)} settings: a wider "
                    f"range may change the comparison."
                )
    return sentences


@dataclass(frozen=True)
class Weakness:
    """Of one configuration, what makes a claim about it weak: in a sentence (``its learning rate is the largest
    tried``) and in a table (``lr at the edge``)."""

    sentence: str
    short: str


def weaknesses(configurations: Sequence[Configuration], axes: Sequence[Axis]) -> dict[str, tuple[Weakness, ...]]:
    """By the name of each configuration that has any: failed seeds, fewer seeds than others, tuned to an edge."""
    science = [axis.name for axis in axes if axis.role == "science"]
    most = max((c.n for c in configurations), default=0)
    found: dict[str, list[Weakness]] = {}
    for c in configurations:
        if c.failed:
            runs = f"{c.failed} of its {c.n + c.failed} runs failed"
            found.setdefault(c.name, []).append(Weakness(runs, f"{c.failed} failed"))
        elif c.n < most:
            few = f"it has {count(c.n, 'seed')}, others {most}"
            found.setdefault(c.name, []).append(Weakness(few, count(c.n, "seed")))
    for axis in axes:
        values = _tried(configurations, axis)
        if axis.role != "nuisance" or len(values) < 3:
            continue
        for group in _chosen(configurations, axis, science):
            if edge := _edge(group[0].fields[axis.name], values, axis):
                sentence = f"its {axis_name(axis.name)} is {_place(edge, values, axis)}"
                short = f"{short_axis_name(axis.name)} at the edge"
                found.setdefault(group[0].name, []).append(Weakness(sentence, short))
    return {name: tuple(each) for name, each in found.items()}


_EDGES = ("smallest", "largest")
_NEAR = 0.1
"""The share of a range, on its scale, that is its edge: no two values drawn from it are the same."""


def _tried(configurations: Iterable[Configuration], axis: Axis) -> list[float]:
    """The numbers of an axis that were tried, in order."""
    values = {c.fields.get(axis.name) for c in configurations}
    return sorted(v for v in values if isinstance(v, int | float) and not isinstance(v, bool))


def _chosen(configurations: Sequence[Configuration], axis: Axis, science: Sequence[str]) -> list[list[Configuration]]:
    """The settings of the science axes that have several values of `axis`, each one's best by validation first."""
    groups = tuned(configurations, science).values()
    return [g for g in groups if len({c.fields.get(axis.name) for c in g}) > 1 and axis.name in g[0].fields]


def _edge(value: float, values: Sequence[float], axis: Axis) -> str:
    """At which of `_EDGES` of all `values` it is; empty for neither."""
    low, high = values[0], values[-1]
    if axis.continuous and axis.log and low > 0:
        value, low, high = math.log(value), math.log(low), math.log(high)
    room = _NEAR * (high - low) if axis.continuous else 0.0
    return _EDGES[0] if value <= low + room else _EDGES[1] if value >= high - room else ""


def _place(edge: str, values: Sequence[float], axis: Axis) -> str:
    low = edge == _EDGES[0]
    end = value_text(values[0] if low else values[-1])
    if not axis.continuous:
        return f"the {edge} tried, {end}"
    return f"in the {'lowest' if low else 'highest'} tenth of the range tried, {'from' if low else 'to'} {end}"


def _failures(frame: pd.DataFrame, configurations: Sequence[Configuration]) -> list[str]:
    failed = frame[frame["status"] == "failed"]
    if failed.empty:
        return []
    texts = failed["reason"] if "reason" in failed.columns else pd.Series([None] * len(failed))
    reasons = _reasons(texts)
    named = "; ".join(f"{reason} ({n})" if len(reasons) > 1 else reason for reason, n in reasons.most_common(5))
    rest = f"; and {len(reasons) - 5} other reasons" if len(reasons) > 5 else ""
    sentences = [f"{len(failed):,} of {count(len(frame), 'run')} failed: {named}{rest}."]
    partly = sum(c.failed > 0 for c in configurations)
    if partly:
        sentences.append(
            f"{count(partly, 'configuration')} {'is' if partly == 1 else 'are'} judged by the seeds that finished "
            f"alone, which may flatter {'it' if partly == 1 else 'them'}."
        )
    wholly = len(set(failed["configuration"]) - {c.name for c in configurations})
    if wholly:
        sentences.append(
            f"{count(wholly, 'configuration')} finished no run and {'is' if wholly == 1 else 'are'} absent."
        )
    return sentences


def _reasons(texts: Iterable[object]) -> Counter[str]:
    """How often each is given, by its first line; those that differ in a number alone are one, with … in its place."""
    kinds: dict[str, list[str]] = {}
    for text in texts:
        line = text.strip().splitlines()[0] if isinstance(text, str) and text.strip() else "no reason recorded"
        kinds.setdefault(re.sub(r"\d[\d,.]*", "…", line), []).append(line)
    return Counter({lines[0] if len(set(lines)) == 1 else kind: len(lines) for kind, lines in kinds.items()})


def _pruned(frame: pd.DataFrame, configurations: Sequence[Configuration]) -> list[str]:
    pruned = frame[frame["status"] == "pruned"]
    if pruned.empty:
        return []
    pruner = (frame.attrs["study"].get("pruning") or {}).get("pruner")
    by = f" by the pruner {pruner}" if pruner and pruner != "none" else ""
    sentences = [
        f"{len(pruned):,} of {count(len(frame), 'run')} {'was' if len(pruned) == 1 else 'were'} stopped early{by}: "
        f"they have no result, count as no failure, and are in no comparison."
    ]
    wholly = len(set(pruned["configuration"]) - {c.name for c in configurations})
    if wholly:
        sentences.append(
            f"{count(wholly, 'configuration')} {'was' if wholly == 1 else 'were'} stopped before any seed finished and "
            f"{'is' if wholly == 1 else 'are'} absent: how good {'it' if wholly == 1 else 'they'} would have been is "
            f"not known."
        )
    return sentences


def promotion(frame: pd.DataFrame, configurations: Sequence[Configuration]) -> str:
    """That not all configurations were to get all seeds; empty for a study in which they were, or all got them."""
    pruning = frame.attrs["study"].get("pruning") or {}
    few = [c for c in configurations if c.n <= (pruning.get("first") or 1)]
    if pruning.get("promote") is None or not 0 < len(few) < len(configurations):
        return ""
    first = pruning.get("first") or 1
    seeds = "one seed" if first == 1 else f"{first} seeds"
    alone = "no interval" if first == 1 else "wide intervals"
    return (
        f"{len(few)} of {len(configurations)} configurations have {seeds}, and {alone}, by design: only the best "
        f"{pruning['promote']:g} of them after {'that' if first == 1 else 'those'} got the others. What was promoted "
        f"was chosen by it, so its first seed{'' if first == 1 else 's'} may flatter it."
    )


def _seeds(frame: pd.DataFrame, configurations: Sequence[Configuration]) -> list[str]:
    if not configurations:
        return []
    said = promotion(frame, configurations)
    if said:
        return [said]
    sizes = Counter(c.n for c in configurations)
    if len(sizes) > 1 and min(sizes) > 1:
        few = ", ".join(f"{n} for {sizes[n]}" for n in sorted(sizes))
        return [f"Seeds a configuration differ: {few}. Those with fewer are known less well than they look."]
    if set(sizes) == {1}:
        return ["One seed a configuration: there is no interval, and no difference can be told from chance."]
    if min(sizes) == 1:
        return [
            f"{count(sizes[1], 'configuration')} of {len(configurations)} ran with one seed: no interval for those."
        ]
    if max(sizes) == 2:
        return ["Two seeds a configuration: the intervals are honest but very wide."]
    return []


def _refused(frame: pd.DataFrame) -> list[str]:
    refused = int(frame.attrs["study"].get("refused") or 0)
    proposed = refused + frame["configuration"].nunique()
    return [f"The budget refused {refused:,} of {count(proposed, 'configuration')} before training."] if refused else []
