"""The tables that say how sure the others are: the front, the parameters that a quality needs, the exchange rate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.draws import DRAWS
from hyperbudget.analyze.intervals import Interval
from hyperbudget.analyze.membership import SURE
from hyperbudget.analyze.summary import Analysis
from hyperbudget.analyze.words import count, family_legend, listing, probability, target_text
from hyperbudget.report.tables import family_cell, interval_text, remarks, tuning

MOST = 24
"""Configurations that the table of the front shows."""


def certainty(analysis: Analysis) -> dict[str, Any]:
    """Rows of text for the template, and the words beside them; what the study has no data for is empty."""
    spread = analysis.draws.spread if analysis.draws else None
    return {
        "sentence": front_sentence(analysis),
        "front": front_rows(analysis),
        "weights": any("params.generated" in m.configuration.counts for m in analysis.members),
        "files": any(m.configuration.compact_bytes is not None for m in analysis.members),
        "draws": f"{DRAWS:,}",
        "spread": f"{math.exp(math.sqrt(spread.variance)):.{2 + analysis.metric.finer}f}" if spread else "",
        "left": max(0, len(analysis.members) - MOST),
        "tried": tried(analysis.configurations),
        "families": len(analysis.fronts),
        "targets": target_rows(analysis),
        "ratios": any(entry.ratio for entry in analysis.targets),
        "rates": rate_rows(analysis),
    }


def front_sentence(analysis: Analysis) -> str:
    """How many of the front are surely on it; empty for fewer than two configurations."""
    if len(analysis.configurations) < 2:
        return ""
    if not analysis.members:
        return "One seed a configuration shows no spread, so nothing says how sure the front is."
    on = [m for m in analysis.members if m.on_front]
    near = len(analysis.members) - len(on)
    also = f" {near} off it may belong there instead." if near else ""
    counts = [c.parameters for c in analysis.configurations]
    alone = counts.count(min(counts)) == 1  # then it is there whatever its error
    open_ = on[1:] if alone else on
    sure = sum(m.probability >= SURE for m in open_)
    if not open_:
        return f"The front is the smallest configuration alone, which is there whatever its error.{also}"
    many = "all" if sure == len(open_) > 1 else sure or "none"
    which = f"Of the {len(open_)} others" if alone and len(open_) > 1 else f"Of {count(len(open_), 'configuration')}"
    which = f"The other one is{'' if sure else ' not'}" if alone and len(open_) == 1 else (
        f"{which} on the front {many} {'is' if sure < 2 else 'are'}"
    )  # fmt: skip
    first = "The smallest configuration is on the front whatever its error. " if alone else ""
    return f"{first}{which} there in at least nine of ten draws.{also}"


def front_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """One row a configuration on the front of all or near it, the likeliest `MOST`, from few parameters to many."""
    likeliest = sorted(analysis.members, key=lambda m: -m.probability)[:MOST]
    metric, rows = analysis.metric, []
    for member in sorted(likeliest, key=lambda m: m.configuration.parameters):
        c = member.configuration
        generated = c.counts.get("params.generated")
        rows.append(
            {
                **family_cell(c.family),
                "label": c.short_label,
                "tuned": tuning(analysis, c),
                "parameters": f"{c.parameters:,}",
                "weights": f"{generated / c.parameters:.1f} ×" if generated else "",
                "file": f"{c.compact_bytes:,}" if c.compact_bytes else "",
                "validation": metric.number(c.validation.mean),
                "validation_interval": interval_text(c.validation, metric),
                "test": metric.number(c.test.mean),
                "test_interval": interval_text(c.test, metric),
                "chance": probability(member.probability),
                "width": round(100 * member.probability),
                "on": member.on_front,
            }
        )
    return rows


def target_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """One group a target with one row a family."""
    groups, metric = [], analysis.metric
    for target, entries in groupby(analysis.targets, key=lambda e: e.target):
        rows = []
        for entry in entries:
            c = entry.configuration
            rows.append(
                {
                    **family_cell(entry.family),
                    "label": c.short_label if c else "",
                    "tuned": remarks(analysis, c) if c else "",
                    "parameters": f"{c.parameters:,}" if c else "",
                    "ratio": f"{entry.ratio.mean:.2f}" if entry.ratio else "",
                    "ratio_interval": _ratios(entry.ratio),
                    "baseline": entry.family == analysis.baseline,
                    "reached": "" if entry.reached is None else probability(entry.reached),
                    "test": metric.number(c.test.mean) if c else "",
                    "interval": interval_text(c.test, metric) if c else "",
                }
            )
        groups.append({"target": target_text(target, metric), "rows": rows})
    return groups


def rate_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """One row a family whose front is long enough."""
    ratio = analysis.metric.ratio
    return [
        {
            **family_cell(rate.family),
            "factor": f"× {ratio(rate.factor.mean)}",
            "interval": "" if rate.factor.low is None or rate.factor.high is None else
            f"[{ratio(rate.factor.low)}, {ratio(rate.factor.high)}]",
            "members": str(len(rate.members)),
            "span": f"{rate.members[0].parameters:,} to {rate.members[-1].parameters:,}",
            "off": "" if rate.off is None else f"× {rate.off:.{2 + analysis.metric.finer}f}",
        }
        for rate in analysis.rates
    ]  # fmt: skip


def tried(configurations: Sequence[Configuration]) -> str:
    """How many configurations of each family: ``hypernetwork 15, free kernels 7``."""
    sizes: Mapping[str, int] = Counter(c.family for c in configurations)
    return listing([f"{family_legend(family)} {n}" for family, n in sorted(sizes.items(), key=lambda i: (-i[1], i[0]))])


def _ratios(value: Interval | None) -> str:
    return "" if value is None or value.low is None or value.high is None else f"[{value.low:.2f}, {value.high:.2f}]"
