"""What a comparison of studies found, in sentences that are no more certain than it is."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

from hyperbudget.analyze.compare.intervals import Overall
from hyperbudget.analyze.compare.records import Comparison, Pair
from hyperbudget.analyze.intervals import LEVEL, Interval
from hyperbudget.analyze.words import count, listing
from hyperbudget.study.results.metrics import Metric

VERBS = {"finished": "finished", "failed": "failed", "pruned": "stopped early"}
"""How runs end, by their status."""
SAME, LOWER, HIGHER, OPEN, LONE = "identical", "lower", "higher", "no difference", "one seed"


def pair_word(pair: Pair) -> str:
    """What is told of one configuration: the word in the last column of its row."""
    if pair.identical:
        return SAME
    if pair.p is None:
        return LONE
    if not pair.clear:
        return OPEN
    return (LOWER if pair.ratio.mean < 1 else HIGHER) + ("" if pair.differs else ", by itself")


def answer(found: Comparison, metric: Metric) -> list[str]:
    """The verdict: one or two sentences."""
    first, other, pairs = found.first.name, found.other.name, found.pairs
    if not pairs:
        return [_nothing(found)]
    runs, same = sum(p.runs for p in pairs), sum(p.same for p in pairs)
    if 0 < same == runs:
        return [
            f"{other} has the same numbers as {first}, to the last bit, in all {count(runs, 'run')} that both have."
        ]
    sentences = []
    if found.overall is not None:
        sentences.append(_overall(found, found.overall, metric))
    if found.tests > 1:
        sentences.append(_differing(found))
    return sentences


def ratio_text(value: Interval, decimals: int) -> str:
    """``× 0.98 [0.95, 1.02]``."""
    return f"× {value.mean:.{decimals}f}{' ' if value.low is not None else ''}{ends_text(value, decimals)}"


def ends_text(value: Interval, decimals: int) -> str:
    """``[0.95, 1.02]``; empty where there is no interval."""
    return "" if value.low is None or value.high is None else f"[{value.low:.{decimals}f}, {value.high:.{decimals}f}]"


def fine(value: Interval, metric: Metric) -> int:
    """The decimals of a ratio over configurations: as many as its ends need to differ by two digits, at most 7."""
    least = 3 + metric.finer
    if value.low is None or value.high is None or value.high <= value.low:
        return least
    return min(max(least, 1 - math.floor(math.log10(value.high - value.low))), 7)


def _overall(found: Comparison, overall: Overall, metric: Metric) -> str:
    first, other, all_of = found.first.name, found.other.name, len(found.pairs)
    if overall.configurations < all_of:
        which = f"{overall.configurations} of the {all_of} configurations that both have ({_seeds(overall)})"
    else:
        which = "the configuration that both have" if all_of == 1 else f"the {all_of} configurations that both have"
    value = overall.ratio
    verb = "are" if metric.plural else "is"
    return (
        f"Over {which}, the test {metric.title} of {other} {verb} {ratio_text(value, fine(value, metric))} "
        f"{metric.pronoun} of {first}: {_certainty(found, overall)}."
    )


def _seeds(overall: Overall) -> str:
    mine, theirs = (f"seed{'' if len(s) == 1 else 's'} {listing([str(each) for each in s])}" for s in
                    (overall.seeds, overall.other_seeds))  # fmt: skip
    return f"{mine} in both" if overall.paired else f"{mine} in the first and {theirs} in the other"


def _certainty(found: Comparison, overall: Overall) -> str:
    value = overall.ratio
    if value.low is None or value.high is None:
        ratios = [pair.ratio.mean for pair in found.pairs]
        lower, higher = sum(ratio < 1 for ratio in ratios), sum(ratio > 1 for ratio in ratios)
        tally = f", lower in {lower} and higher in {higher} of them" if len(ratios) > 1 else ""
        return f"without two seeds there is no interval, and this may be chance{tally}"
    if value.low <= 1 <= value.high:
        return "no difference found"
    where = "" if len(found.pairs) == 1 else " on the whole"
    return f"{'lower' if value.high < 1 else 'higher'}{where}"


def _nothing(found: Comparison) -> str:
    sentence = f"No configuration has finished runs in both {found.first.name} and {found.other.name}"
    for side in (found.first, found.other):
        if not side.configurations:
            ends = side.frame["status"].value_counts().to_dict()
            all_of = f"all {count(len(side.frame), 'run')} of {side.name} " if len(ends) == 1 else f"of {side.name} "
            sentence += f" ({all_of}{_tally(ends)})"
    return f"{sentence}, so nothing is compared."


def _tally(ends: Mapping[Hashable, int]) -> str:
    verbs = {VERBS.get(str(end), str(end)): number for end, number in ends.items()}
    return next(iter(verbs)) if len(verbs) == 1 else listing([f"{number:,} {verb}" for verb, number in verbs.items()])


def _differing(found: Comparison) -> str:
    """How many configurations differ, and how many would by chance."""
    clear = [pair for pair in found.pairs if pair.clear]
    sure = sum(pair.differs for pair in clear)
    chance = (1 - LEVEL) * found.tests
    if not clear:
        of = f"{found.tests} configurations"
        of = of if found.tests == len(found.pairs) else f"the {of} that have an interval"
        return f"None of {of} differs by its own 95% interval."
    lower = sum(pair.ratio.mean < 1 for pair in clear)
    ways: Sequence[str] = [
        f"{number} {way}" for way, number in ((LOWER, lower), (HIGHER, len(clear) - lower)) if number
    ]
    kept = f"{sure or 'none'} of them {'stands' if sure < 2 else 'stand'}"
    return (
        f"Of {found.tests} configurations {len(clear)} {'differs' if len(clear) == 1 else 'differ'} by "
        f"{'its' if len(clear) == 1 else 'their'} own 95% interval ({listing(ways)}), where about {chance:.1f} would "
        f"by chance alone; {kept} with all comparisons in view (Holm, 5%)."
    )
