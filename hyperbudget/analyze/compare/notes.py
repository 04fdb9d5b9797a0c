"""What of several studies is not compared, and what the comparison rests on, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from hyperbudget.analyze.compare.differences import Difference
from hyperbudget.analyze.compare.records import Comparison, LeftOut, TaskComparison
from hyperbudget.analyze.words import capital, count, listing


def one_sided(found: Comparison) -> list[str]:
    """What is in one of the two alone, and so not compared."""
    sentences = []
    sides = (
        (found.first.name, found.other.name, found.only_first, found.barren[0], found.lone_seeds[0]),
        (found.other.name, found.first.name, found.only_other, found.barren[1], found.lone_seeds[1]),
    )
    for name, missing, configurations, barren, seeds in sides:
        if configurations:
            tried = sum(c.name in found.tried for c in configurations)
            those = (
                "it" if len(configurations) == 1 else "them all" if tried == len(configurations) else f"{tried} of them"
            )
            but = f", which tried {those}" if tried else ""
            number = capital(count(len(configurations), "configuration"))
            sentences.append(f"{number} finished in {name} and not in {missing}{but}.")
        if barren:
            sentences.append(f"{capital(count(barren, 'configuration'))} that only {name} has finished no run.")
        if seeds:
            which = f"seed{'' if len(seeds) == 1 else 's'} {listing([str(seed) for seed in seeds])}"
            runs = sum(seeds.values())
            sentences.append(
                f"{capital(count(runs, 'finished run'))} of {name} ({which}) {'has' if runs == 1 else 'have'} no "
                f"counterpart: {missing} has the configuration{'' if runs == 1 else 's'}, not the seed."
            )
    return sentences


def left_out_words(left_out: Sequence[LeftOut]) -> list[str]:
    """One sentence a study's task that is in no comparison."""
    return [
        f"Left out: {each.task} of {each.study}, {count(each.configurations, 'configuration')} and "
        f"{count(each.runs, 'run')}, as {each.why}."
        for each in left_out
    ]


def explained(found: Sequence[Difference]) -> str:
    """Which settings keep studies from having any configuration in common; empty where none does."""
    apart = [each for each in found if each.kind == "settings" and each.disjoint]
    if not apart:
        return ""
    shown = listing([f"{each.name} ({'; '.join(each.values)})" for each in apart[:3]])
    rest = f" and {len(apart) - 3} more settings" if len(apart) > 3 else ""
    return f"They have no value in common of {shown}{rest}."


def paired_words(found: TaskComparison) -> str:
    """How the configurations were compared, for the notes."""
    pairs = [pair for each in found.comparisons for pair in each.pairs]
    paired = sum(pair.paired for pair in pairs)
    return "all" if paired == len(pairs) else "none" if not paired else f"{paired} of {len(pairs)}"
