"""What a comparison of studies found, in sentences that are no more certain than it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from hyperbudget.analyze.compare import Comparison, Pair, TaskComparison
from hyperbudget.analyze.intervals import LEVEL, Interval
from hyperbudget.analyze.words import capital, count, listing
from hyperbudget.study.results.metrics import Metric

SAME, LOWER, HIGHER, OPEN, LONE = "the same numbers", "lower", "higher", "no difference", "one seed"


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
        return [f"No configuration has finished runs in both {first} and {other}, so nothing is compared."]
    runs, same = sum(p.runs for p in pairs), sum(p.same for p in pairs)
    both = "the configuration" if len(pairs) == 1 else f"the {len(pairs)} configurations"
    if 0 < same == runs:
        return [
            f"{other} has the same numbers as {first}, to the last bit, in all {count(runs, 'run')} that both have."
        ]
    sentences = []
    if found.overall is not None:
        value = found.overall
        what = f"over {both} that both have, the test {metric.title} of {other} {'are' if metric.plural else 'is'} "
        sentences.append(
            capital(f"{what}{ratio_text(value, 3 + metric.finer)} {metric.pronoun} of {first}: {_overall(value)}.")
        )
    if found.tests > 1:
        sentences.append(_differing(found))
    return sentences


def evidence(found: Comparison, metric: Metric) -> list[str]:
    """What else a reader should know, one sentence each."""
    first, other, pairs = found.first.name, found.other.name, found.pairs
    runs, same = sum(p.runs for p in pairs), sum(p.same for p in pairs)
    sentences = []
    if runs and same < runs:
        of = f"of {count(runs, 'run')} of the same configuration and seed"
        sentences.append(f"The same numbers, to the last bit, in {same:,} {of}." if same else
                         f"None {of} has the same numbers to the last bit.")  # fmt: skip
    if not runs and pairs:
        sentences.append("No seed is in both, so that configurations are compared over different seeds.")
    if found.seconds is not None:
        sentences.append(
            f"A run in {other} takes {ratio_text(found.seconds, 2)} the time that it takes in {first}, evaluations "
            "included."
        )
    for number, begun, ended in ((found.broken, first, other), (found.mended, other, first)):
        if number:
            sentences.append(f"{capital(count(number, 'run'))} finished in {begun} and failed in {ended}.")
    for name, configurations in ((first, found.only_first), (other, found.only_other)):
        if configurations:
            sentences.append(f"{capital(count(len(configurations), 'configuration'))} finished in {name} only.")
    return sentences


def differences(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """What else differs between the studies, by which a difference of results might be explained."""
    sentences = []
    digests = {name: _values(frame, "data_digest") for name, frame in frames.items()}
    if len(set(digests.values())) > 1:
        sentences.append("The checksums of their data differ: a difference need not be the code’s.")
    for what, alike in (("versions", "The versions are the same."), ("hardware", "The hardware is the same.")):
        said = {name: frame.attrs.get(what) or {} for name, frame in frames.items()}
        keys = sorted({key for values in said.values() for key in values})
        unlike = [key for key in keys if len({str(values.get(key)) for values in said.values()}) > 1]
        if unlike:
            each = listing(
                [f"{key} ({', '.join(str(values.get(key, 'unknown')) for values in said.values())})" for key in unlike]
            )
            sentences.append(f"{capital(what)} that differ: {each}.")
        elif keys:
            sentences.append(alike)
    return sentences


def paired_words(found: TaskComparison) -> str:
    """How the configurations were compared, for the notes."""
    pairs = [pair for each in found.comparisons for pair in each.pairs]
    paired = sum(pair.paired for pair in pairs)
    return "all" if paired == len(pairs) else "none" if not paired else f"{paired} of {len(pairs)}"


def ratio_text(value: Interval, decimals: int) -> str:
    """``× 0.98 [0.95, 1.02]``."""
    ends = "" if value.low is None or value.high is None else f" [{value.low:.{decimals}f}, {value.high:.{decimals}f}]"
    return f"× {value.mean:.{decimals}f}{ends}"


def _overall(value: Interval) -> str:
    if value.low is None or value.high is None:
        return "one configuration gives no interval" if value.n == 1 else "the same in each"
    if value.low <= 1 <= value.high:
        return "no difference found"
    return "lower on the whole" if value.high < 1 else "higher on the whole"


def _differing(found: Comparison) -> str:
    """How many configurations differ, and how many would by chance."""
    clear = [pair for pair in found.pairs if pair.clear]
    sure = sum(pair.differs for pair in clear)
    chance = (1 - LEVEL) * found.tests
    if not clear:
        return f"None of {found.tests} configurations differs by its own 95% interval."
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


def _values(frame: pd.DataFrame, column: str) -> tuple[str, ...]:
    return tuple(sorted({str(value) for value in frame[column].dropna()})) if column in frame.columns else ()
