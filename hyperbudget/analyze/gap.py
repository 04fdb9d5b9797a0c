"""Validation beside test: whether they agree, and whether selecting on validation flatters what it selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.intervals import Interval, mean_interval, ratio_interval
from hyperbudget.study.results.metrics import Metric

FEWEST = 4
"""Of fewer configurations, or fewer on a front or off it, nothing is said."""
_STEP = 1e-12
"""Ratios are not rounded to samples."""


@dataclass(frozen=True)
class Gap:
    """`ratio`: test over validation error, geometric mean over all configurations. `rank`: Spearman's correlation of
    the two. `flattery`: that ratio on the families' fronts over that off them, None where either are few; above 1 the
    selected look better on validation than they are."""

    ratio: Interval
    rank: float
    flattery: Interval | None
    selected: int

    @property
    def flatters(self) -> bool:
        """Whether the selected surely look better on validation than they are."""
        return self.flattery is not None and self.flattery.low is not None and self.flattery.low > 1


def gap(configurations: Sequence[Configuration], fronts: Mapping[str, Sequence[Configuration]]) -> Gap | None:
    """None for fewer than `FEWEST` configurations, and where all are alike."""
    if len(configurations) < FEWEST:
        return None
    chosen = {c.name for members in fronts.values() for c in members}
    ratios = {c.name: c.test.mean / c.validation.mean for c in configurations}
    on = [ratio for name, ratio in ratios.items() if name in chosen]
    off = [ratio for name, ratio in ratios.items() if name not in chosen]
    splits = [[getattr(c, split).mean for c in configurations] for split in ("validation", "test")]
    if any(len(set(values)) < 2 for values in splits):
        return None
    return Gap(
        ratio=mean_interval(list(ratios.values()), _STEP),
        rank=float(stats.spearmanr(*splits).statistic),
        flattery=ratio_interval(on, off, _STEP) if min(len(on), len(off)) >= FEWEST else None,
        selected=len(on),
    )


def gap_sentences(found: Gap | None, metric: Metric) -> list[str]:
    """What a reader should know of it."""
    if found is None:
        return []
    sentences = [
        f"Over {found.ratio.n} configurations the ratio of test to validation {metric.title} is "
        f"{_written(found.ratio, metric)}; the two order them with a rank correlation of {found.rank:.2f}."
    ]
    if found.flattery is not None and found.flattery.low is not None:
        open_ = "which leaves open whether selecting on validation flatters them"
        none = open_ if found.flattery.mean > 1 else "no sign that selecting on validation flatters them"
        what = "selecting on validation flatters them" if found.flatters else none
        sentences.append(
            f"For the {found.selected} on their family’s front that ratio is × {_written(found.flattery, metric)} that "
            f"of the others: {what}."
        )
    return sentences


def _written(value: Interval, metric: Metric) -> str:
    if value.low is None or value.high is None:
        return metric.ratio(value.mean)
    return f"{metric.ratio(value.mean)} [{metric.ratio(value.low)}, {metric.ratio(value.high)}]"
