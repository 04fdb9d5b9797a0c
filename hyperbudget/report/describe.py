"""What each figure finds, in words: its alt text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hyperbudget.analyze.anatomy import anatomy_sentences
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.convergence import Convergence
from hyperbudget.analyze.dynamics import Saturation, Spread, WeightChanges
from hyperbudget.analyze.importance import Importances
from hyperbudget.analyze.learning import LearningCurve
from hyperbudget.analyze.sharing import Sharing
from hyperbudget.analyze.summary import Analysis
from hyperbudget.analyze.words import (
    axis_name,
    capital,
    change,
    count,
    duration,
    family_name,
    interval,
    listing,
    operations,
    value_text,
)
from hyperbudget.figures.points import curve_name
from hyperbudget.nn.cells import SATURATED
from hyperbudget.study.results.metrics import Metric, percent


def describe_trade_off(analysis: Analysis) -> str:
    """Where each family's front begins and ends."""
    parts = [f"{count(len(analysis.configurations), 'configuration')} on log axes."]
    metric = analysis.metric
    for family, members in analysis.fronts.items():
        first, last = members[0], members[-1]
        name = capital(family_name(family))
        if first is last:
            parts.append(f"{name}: {_point(first, metric)}.")
        else:
            ends = f"from {_point(first, metric)} to {_point(last, metric)}"
            parts.append(f"{name}: along its front of {len(members)} {ends}.")
    return " ".join(parts)


def describe_ratios(analysis: Analysis) -> str:
    """The word of every mark."""
    parts, ratio = [], analysis.metric.ratio
    for entry in analysis.entries:
        if entry.ratio is not None:
            value = entry.ratio
            ends = "" if value.low is None or value.high is None else f" [{ratio(value.low)}, {ratio(value.high)}]"
            parts.append(
                f"{capital(family_name(entry.family))} at {entry.budget:,}: {ratio(value.mean)}{ends}, {entry.word}."
            )
    return " ".join(parts)


def describe_effects(analysis: Analysis) -> str:
    """From one end of each axis to the other."""
    parts, metric = [], analysis.metric
    for effect in analysis.effects:
        name = f"{capital(axis_name(effect.axis.name))}, {family_name(effect.family)}"
        ends = effect.end_to_end()
        if ends:
            ratio, fell, lines, _ = ends
            first, last = value_text(effect.values[0]), value_text(effect.values[-1])
            found = f"test {metric.title} {change(ratio, metric)}, lower in {fell} of {lines}"
            parts.append(f"{name}: from {first} to {last} {found}.")
        else:
            parts.append(f"{name}: {len(effect.values)} values, no setting has them all.")
    return " ".join(parts)


def describe_learning(curves: Sequence[LearningCurve], metric: Metric) -> str:
    """Where each line begins and ends."""
    return " ".join(
        f"{capital(curve_name(curve))}: from {metric.full(curve.mean[0])} at step {curve.steps[0]:,.0f} to "
        f"{metric.full(curve.mean[-1])} at step {curve.steps[-1]:,.0f}."
        for curve in curves
    )


def describe_changes(found: WeightChanges | None) -> str:
    """What the strips say on the whole."""
    if found is None:
        return ""
    means = listing([f"{gate} {changes.mean():.2g}" for gate, changes in found.changes.items()])
    largest = max(float(changes.max()) for changes in found.changes.values())
    return (
        f"Over {count(len(found.symbols), 'character')} the norm of the change of a gate’s weights is on average "
        f"{means}; the largest is {largest:.2g}."
    )


def describe_saturation(found: Mapping[str, Saturation]) -> str:
    """The share of every panel."""
    return " ".join(
        f"{capital(family_name(family))}: {percent(each.saturated)} of all φ(c) beyond {SATURATED:g} on either side."
        for family, each in found.items()
    )


def describe_convergence(found: Convergence | None) -> str:
    """What half of the trials had found."""
    if found is None:
        return ""
    half = (len(found.tried) + 1) // 2
    return (
        f"After the first {half} of {count(len(found.tried), 'configuration')} the front has "
        f"{found.tried[half - 1]:.2f} of its final hypervolume; in random order {found.middle[half - 1]:.2f} (median)."
    )


def describe_importances(found: Sequence[Importances]) -> str:
    """Both numbers of every axis."""
    parts = []
    for each in found:
        said = [
            f"{axis_name(axis.axis)} {'not known' if axis.variance is None else f'{axis.variance:.2f}'} and "
            f"{axis.best:.2f}"
            for axis in each.axes
        ]
        parts.append(
            f"{capital(family_name(each.family))}, {each.n} configurations, by fANOVA and PED-ANOVA: {listing(said)}; "
            f"by chance {each.chance:.2f} (fANOVA)."
        )
    return " ".join(parts)


def describe_anatomy(shown: Sequence[Configuration]) -> str:
    """From the smallest to the largest of each family."""
    return f"{count(len(shown), 'configuration')}. {' '.join(anatomy_sentences(shown))}"


def describe_costs(curves: Sequence[LearningCurve], metric: Metric) -> str:
    """Where each line ends."""
    parts = []
    for curve in curves:
        cost = [] if curve.seconds is None else [duration(float(curve.seconds[:, -1].mean()))]
        cost += [] if curve.operations is None else [f"{operations(float(curve.operations[-1]))} operations"]
        if cost:
            parts.append(f"{capital(curve_name(curve))}: {metric.full(curve.mean[-1])} after {listing(cost)}.")
    return " ".join(parts)


def describe_sharing(found: Sequence[Sharing]) -> str:
    """The similarity of every panel."""
    return " ".join(
        f"{capital(family_name(each.configuration.family))}, {count(len(each.parts), each.of.removesuffix('s'))}: root "
        f"mean square {each.overall:.2f}, by chance {each.chance:.2f}."
        for each in found
    )


def describe_shapes(found: Sequence[Sharing]) -> str:
    """The ranks, and where most of the embeddings' variance is."""
    parts = []
    for each in found:
        name = capital(family_name(each.configuration.family))
        if len(each.ranks) > 1:
            shares = [rank / most for rank, most in each.ranks]
            parts.append(f"{name}: effective ranks of {min(shares):.2f} to {max(shares):.2f} of what they can be.")
        if each.embedded is not None:
            axes = "one number" if len(each.embedded.shares) == 1 else (
                f"principal axes with {listing([f'{share:.2f}' for share in each.embedded.shares])} of the variance"
            )  # fmt: skip
            parts.append(f"{name}: {count(len(each.embedded.places), 'embedding')}, {axes}.")
    return " ".join(parts)


def describe_spread(found: Sequence[Spread]) -> str:
    """The mean of every mark."""
    return " ".join(
        f"{capital(family_name(each.configuration.family))}, standard deviation of d_{vector} by gate: "
        f"{listing([f'{gate} {seeds.mean():.3g}' for gate, seeds in gates.items()])}."
        for each in found
        for vector, gates in each.vectors.items()
    )


def _point(configuration: Configuration, metric: Metric) -> str:
    return f"{interval(configuration.test, metric)}{metric.unit} with {configuration.parameters:,} parameters"
