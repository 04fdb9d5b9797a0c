"""What makes a claim weak: failed runs, refused configurations, few seeds, optima at the edge of what was tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from hyperbudget.analyze.axes import Axis, tuned
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import axis_name, count, value_text


def health(frame: pd.DataFrame, configurations: Sequence[Configuration], axes: Sequence[Axis]) -> list[str]:
    """Sentences for the reader, the gravest first."""
    return [
        *_failures(frame, configurations),
        *_seeds(configurations),
        *edges(configurations, axes),
        *_refused(frame),
    ]


def edges(configurations: Sequence[Configuration], axes: Sequence[Axis]) -> list[str]:
    """For each numeric nuisance axis, how often the best value by validation is the smallest or largest tried."""
    science = [axis.name for axis in axes if axis.role == "science"]
    sentences = []
    for axis in axes:
        values = sorted({v for c in configurations if isinstance(v := c.fields.get(axis.name), int | float)})
        if axis.role != "nuisance" or len(values) < 2:
            continue
        name = axis_name(axis.name)
        best = [
            group[0].fields[axis.name]
            for group in tuned(configurations, science).values()
            if len({c.fields.get(axis.name) for c in group}) > 1 and axis.name in group[0].fields
        ]
        tried = f"{', '.join(map(value_text, values[:-1]))} and {value_text(values[-1])}"
        if len(values) == 2:
            sentences.append(
                f"Only two values of the {name} were tried ({tried}), so every optimum lies at an edge: another value "
                f"may be better for one family than for another."
            )
            continue
        for edge, word in ((values[0], "smallest"), (values[-1], "largest")):
            share = best.count(edge)
            if 4 * share > len(best):
                sentences.append(
                    f"The best {name} is the {word} tried, {value_text(edge)}, in {share} of {len(best)} settings: "
                    f"a wider range may change the comparison."
                )
    return sentences


def _failures(frame: pd.DataFrame, configurations: Sequence[Configuration]) -> list[str]:
    failed = frame[frame["status"] == "failed"]
    if failed.empty:
        return []
    texts = failed["reason"] if "reason" in failed.columns else pd.Series([None] * len(failed))
    reasons = Counter(
        str(text).strip().splitlines()[0] if isinstance(text, str) and text.strip() else "no reason recorded"
        for text in texts
    )
    named = "; ".join(f"{reason} ({n})" if len(reasons) > 1 else reason for reason, n in reasons.most_common(5))
    rest = f"; and {len(reasons) - 5} other reasons" if len(reasons) > 5 else ""
    sentences = [f"{len(failed):,} of {count(len(frame), 'run')} failed: {named}{rest}."]
    partly = sum(c.failed > 0 for c in configurations)
    if partly:
        sentences.append(
            f"{count(partly, 'configuration')} {'is' if partly == 1 else 'are'} judged by the seeds that finished "
            f"alone, which may flatter {'it' if partly == 1 else 'them'}."
        )
    wholly = failed["configuration"].nunique() - partly
    if wholly:
        sentences.append(
            f"{count(wholly, 'configuration')} finished no run and {'is' if wholly == 1 else 'are'} absent."
        )
    return sentences


def _seeds(configurations: Sequence[Configuration]) -> list[str]:
    if not configurations:
        return []
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
    return [f"The budget refused {count(refused, 'configuration')} before training."] if refused else []
