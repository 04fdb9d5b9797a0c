"""What a reader of a comparison should know besides its verdict, in sentences."""

from __future__ import annotations

import math

from hyperbudget.analyze.compare.notes import one_sided
from hyperbudget.analyze.compare.records import Comparison
from hyperbudget.analyze.compare.words import VERBS, ends_text, fine, ratio_text
from hyperbudget.analyze.words import capital, count, family_legend, listing
from hyperbudget.study.results.metrics import Metric


def evidence(found: Comparison, metric: Metric) -> list[str]:
    """What else a reader should know, one sentence each."""
    return [
        *_assumed(found, metric),
        *_extremes(found, metric),
        *_runs(found, metric),
        *_times(found),
        *_ends(found),
        *one_sided(found),
    ]


def _assumed(found: Comparison, metric: Metric) -> list[str]:
    """What the interval of the whole rests on, and what it would be under a milder assumption."""
    overall = found.overall
    if overall is None or overall.ratio.low is None or len(found.pairs) < 2 or not found.tests:
        return []
    seeds = count(len(overall.seeds), "seed")
    if not overall.paired:
        seeds = f"{seeds} of {found.first.name} and {len(overall.other_seeds)} of {found.other.name}"
    said = f"That interval is over {seeds}, as what a seed shifts in one configuration it may shift in all"
    if overall.apart == overall.ratio:
        said += "; their means agree so well that it is as wide as the spread of single runs makes it"
    elif overall.apart is not None:
        decimals = max(fine(overall.ratio, metric), fine(overall.apart, metric))
        said += f"; if it shifted each by itself, the interval would be {ends_text(overall.apart, decimals)}"
    return [f"{said}."]


def _extremes(found: Comparison, metric: Metric) -> list[str]:
    """The largest rise and the deepest fall of those that stand."""
    sure = sorted((pair for pair in found.pairs if pair.differs), key=lambda pair: pair.ratio.mean)
    if not sure or found.tests < 2:
        return []
    ends = {"the largest rise": sure[-1], "the deepest fall": sure[0]}
    said = [
        f"{what} that stands is {ratio_text(pair.ratio, 2 + metric.finer)} ({family_legend(pair.first.family)} "
        f"{pair.first.short_label})"
        for what, pair in ends.items()
        if (pair.ratio.mean > 1) is (what == "the largest rise")
    ]
    return [f"{capital(listing(said))}."]


def _runs(found: Comparison, metric: Metric) -> list[str]:
    """Whether runs of the same configuration and seed have the same numbers, and how far the others moved."""
    runs, same = sum(p.runs for p in found.pairs), sum(p.same for p in found.pairs)
    if not runs:
        return ["No seed is in both, so that configurations are compared over different seeds."] if found.pairs else []
    if same == runs:
        return []
    of = f"of {count(runs, 'run')} of the same configuration and seed"
    said = (
        f"The same numbers, to the last bit, in {same:,} {of}" if same else
        f"None {of} has the same numbers to the last bit"
    )  # fmt: skip
    moved = found.movement
    if moved.equal:
        said += f"; {moved.equal:,} of the others {'has' if moved.equal == 1 else 'have'} the same test {metric.title}"
    if moved.median is not None and moved.largest is not None:
        where = "in those that changed " if moved.equal else "in those that differ " if same else ""
        by, most = _times_text(moved.median, metric), _times_text(moved.largest, metric)
        by = by if by == most else f"{by} in the median, up or down, and by at most {most}"
        said += f"; {where}the test {metric.title} change{'' if metric.plural else 's'} by {by}"
    return [f"{said}."]


def _times_text(value: float, metric: Metric) -> str:
    """A factor of at least 1, with the digits that tell it from 1: ``× 1.04``, ``× 1.0000003``."""
    if value - 1 < 1e-9:
        return "less than a billionth"
    decimals = max(2 + metric.finer, -math.floor(math.log10(value - 1)))
    return f"× {value:.{decimals}f}"


def _times(found: Comparison) -> list[str]:
    if found.time is None:
        return []
    time = found.time
    spread = f" (× {time.low:.2f} to × {time.high:.2f}, by configuration)" if time.high > time.low else ""
    return [
        f"A run in {found.other.name} takes × {time.mean:.2f} the time that it takes in {found.first.name}{spread}, "
        "evaluations included."
    ]


def _ends(found: Comparison) -> list[str]:
    """What ended otherwise, and what is counted otherwise."""
    tally: dict[tuple[str, str], int] = {}
    for change in found.statuses:
        if change.before in VERBS and change.after in VERBS:
            key = (change.before, change.after)
            tally[key] = tally.get(key, 0) + len(change.seeds)
    sentences = [
        f"{capital(count(number, 'run'))} {VERBS[before]} in {found.first.name} and {VERBS[after]} in "
        f"{found.other.name}."
        for (before, after), number in tally.items()
    ]
    if found.counts:
        of = f"{capital(count(len(found.counts), 'configuration'))} {'has' if len(found.counts) == 1 else 'have'}"
        sentences.append(f"{of} other parameter counts in {found.other.name} than in {found.first.name}.")
    return sentences
