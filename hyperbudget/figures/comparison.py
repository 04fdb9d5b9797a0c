"""Several studies in one figure: colour and dashes say which study, the marker which family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperbudget.analyze.compare import Comparison, Side, TaskComparison
from hyperbudget.analyze.compare.words import pair_word, ratio_text
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import family_legend
from hyperbudget.figures.points import describe_configuration, tell
from hyperbudget.figures.scales import alike, close_ticks, error_axis, log_ticks, parameter_axis, shortest
from hyperbudget.figures.style import INK, MUTED, PAPER, FamilyStyle, family_styles, in_order, theme
from hyperbudget.study.results.metrics import Metric

_STYLES = (
    FamilyStyle("#0072b2", "s", 1.0, ()),
    FamilyStyle("#d55e00", "s", 1.0, (5, 1.8)),
    FamilyStyle("#009e73", "s", 1.0, (1.2, 1.4)),
    FamilyStyle("#cc79a7", "s", 1.0, (5, 1.5, 1.2, 1.5)),
    FamilyStyle("#e69f00", "s", 1.0, (8, 2)),
    FamilyStyle("#56b4e9", "s", 1.0, (3, 1.2)),
)
MOST = len(_STYLES)
"""Studies that can be told apart."""


def study_styles(studies: Sequence[str]) -> dict[str, FamilyStyle]:
    """A colour and dashes for each of at most `MOST` studies, in their order."""
    return dict(zip(studies, _STYLES, strict=False))


def trade_offs(found: TaskComparison, colors: Mapping[str, FamilyStyle]) -> Figure | None:
    """Test error against learnable parameters, both axes log. Full markers with their intervals and step lines: the
    front of each study over all its families; pale hollow markers: seed means off it. colors: as `study_styles`."""
    everything = [c for side in found.sides for c in side.configurations]
    if not everything:
        return None
    styles, families = {side.name: colors[side.name] for side in found.sides}, _families(everything)
    metric = found.metric
    with theme():
        figure, ax = _framed(styles, families, 3.74)
        right = _limits(ax, found, metric)
        for rank, side in enumerate(found.sides):
            shift = _apart(ax, rank, len(styles))
            _front(ax, side, styles[side.name], families, metric, right, 10 * (rank + 1), shift)
        ax.set_xlabel("learnable parameters")
        ax.set_ylabel(f"test {metric.title}")
    return figure


def ratios(found: TaskComparison, colors: Mapping[str, FamilyStyle]) -> Figure | None:
    """The ratio of each configuration's test error to that in the first study, with its 95% interval, against its
    parameters. Full markers: intervals that leave out 1; the same numbers have none. A band and its line: the ratio
    over all configurations and its interval. colors: as `study_styles`."""
    comparisons = [each for each in found.comparisons if each.pairs]
    if not comparisons:
        return None
    styles = {each.other.name: colors[each.other.name] for each in comparisons}
    families = _families([pair.first for each in comparisons for pair in each.pairs])
    metric = found.metric
    with theme():
        figure, ax = _framed(styles, families, 2.38)
        counts = [pair.first.parameters for each in comparisons for pair in each.pairs]
        pad = max((max(counts) / min(counts)) ** 0.05, 1.15)
        parameter_axis(ax, min(counts) / pad, max(counts) * pad)
        _ratio_axis(ax, comparisons, metric)
        ax.axhline(1, color=INK, linewidth=1, zorder=2)
        for each in comparisons:
            _band(ax, each, styles[each.other.name])
        for rank, each in enumerate(comparisons):
            shift = _apart(ax, rank, len(comparisons))
            _ratios(ax, each, styles[each.other.name], families, metric, shift)
        ax.set_xlabel("learnable parameters")
        ax.set_ylabel(f"ratio of test {metric.short}")
    return figure


def _apart(ax: Axes, rank: int, of: int) -> float:
    """What the parameters of one of several studies are multiplied by, lest equal ones hide each other."""
    left, right = ax.get_xlim()
    return float((right / left) ** (0.008 * (rank - (of - 1) / 2)))


def _front(
    ax: Axes,
    side: Side,
    style: FamilyStyle,
    families: dict[str, FamilyStyle],
    metric: Metric,
    right: float,
    layer: int,
    shift: float,
) -> None:
    dashes = style.dashes or (None, None)
    names = {c.name for c in side.front}
    ends = [*(c.parameters for c in side.front), right][1:]
    for configuration, end in zip(side.front, ends, strict=True):
        ax.plot(
            [configuration.parameters, end], [configuration.test.mean] * 2, color=style.color, linewidth=1.8,
            dashes=dashes, dash_capstyle="butt", zorder=layer,
        )  # fmt: skip
        test = configuration.test
        if test.low is not None and test.high is not None:
            x = shift * configuration.parameters
            ax.plot([x, x], [test.low, test.high], color=style.color, linewidth=1.1, zorder=layer + 1)
    for before, after in pairwise(side.front):
        xs, ys = [after.parameters] * 2, [before.test.mean, after.test.mean]
        ax.plot(xs, ys, color=style.color, linewidth=1.8, alpha=0.3, zorder=layer, solid_capstyle="butt")
    for family, marker in families.items():
        for on in (False, True):
            members = [c for c in side.configurations if c.family == family and (c.name in names) is on]
            if members:
                places = [shift * c.parameters for c in members]
                errors = [c.test.mean for c in members]
                ax.plot(
                    places, errors, marker.marker, color=style.color, markersize=(6.6 if on else 4.2) * marker.scale,
                    alpha=1 if on else 0.55, markerfacecolor=style.color if on else "none",
                    markeredgecolor=PAPER if on else style.color, markeredgewidth=0.8, zorder=layer + 2 if on else 3,
                )  # fmt: skip
                texts = [f"{side.name}, {describe_configuration(c, metric)}" for c in members]
                tell(ax, places, errors, texts, rank=0 if on else 1)


def _ratios(
    ax: Axes, found: Comparison, style: FamilyStyle, families: dict[str, FamilyStyle], metric: Metric, shift: float
) -> None:
    marks: list[tuple[float, float, str]] = []
    for pair in found.pairs:
        ratio, marker, x = pair.ratio, families[pair.first.family], shift * pair.first.parameters
        if ratio.low is not None and ratio.high is not None:
            ax.plot([x, x], [ratio.low, ratio.high], color=style.color, linewidth=1.0, alpha=0.7, zorder=3)
        ax.plot(
            x, ratio.mean, marker.marker, color=style.color, markersize=5.4 * marker.scale,
            markerfacecolor=style.color if pair.clear else PAPER, markeredgewidth=1.1, zorder=4,
        )  # fmt: skip
        name = f"{found.other.name}, {family_legend(pair.first.family)} {pair.first.short_label}"
        marks.append((x, ratio.mean, f"{name}: {ratio_text(ratio, 2 + metric.finer)}, {pair_word(pair)}"))
    if marks:
        tell(ax, *zip(*marks, strict=True))


def banded(found: Comparison) -> bool:
    """Whether there is an interval of several configurations together."""
    return len(found.pairs) > 1 and found.overall is not None and found.overall.ratio.low is not None


def _band(ax: Axes, found: Comparison, style: FamilyStyle) -> None:
    ratio = found.overall.ratio if found.overall is not None and banded(found) else None
    if ratio is not None and ratio.low is not None and ratio.high is not None:
        ax.axhspan(ratio.low, ratio.high, color=style.color, alpha=0.13, linewidth=0, zorder=1)
        ax.axhline(ratio.mean, color=style.color, dashes=style.dashes or (None, None), linewidth=1.2, zorder=2)


def _limits(ax: Axes, found: TaskComparison, metric: Metric) -> float:
    means = [c.test.mean for side in found.sides for c in side.configurations]
    drawn = [c.test for side in found.sides for c in side.front]
    ends = [end for test in drawn for end in (test.low, test.high) if end is not None]
    room = 3**metric.grain  # an interval of two seeds must not squeeze all the rest
    low, high = max(min([*means, *ends]), min(means) / room), min(max([*means, *ends]), max(means) * room)
    margin = max((high / low) ** 0.06, 1.08**metric.grain)
    error_axis(ax, low / margin, high * margin, metric)
    counts = [c.parameters for side in found.sides for c in side.configurations]
    pad = max((max(counts) / min(counts)) ** 0.05, 1.15)
    parameter_axis(ax, min(counts) / pad, max(counts) * pad)
    return float(max(counts) * pad)


def _ratio_axis(ax: Axes, comparisons: Sequence[Comparison], metric: Metric) -> None:
    found = [pair.ratio for each in comparisons for pair in each.pairs]
    means = [1.0, *(ratio.mean for ratio in found)]
    ends = [end for ratio in found for end in (ratio.low, ratio.high) if end is not None]
    room = 2**metric.grain
    low = min(max(min([*means, *ends]), min(means) / room) / 1.04**metric.grain, 0.9**metric.grain)
    high = max(min(max([*means, *ends]), max(means) * room) * 1.04**metric.grain, 1.1**metric.grain)
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ticks = close_ticks(low, high) if high / low < 4 else sorted({*log_ticks(low, high, most=7), 1.0})
    write = alike(ticks) if high / low < 4 else shortest
    ax.set_yticks(ticks, [f"× {write(tick)}" for tick in ticks])
    ax.minorticks_off()


def _families(found: Sequence[Configuration]) -> dict[str, FamilyStyle]:
    return family_styles(in_order({c.family for c in found}))


def _framed(
    studies: Mapping[str, FamilyStyle], families: Mapping[str, FamilyStyle], high: float
) -> tuple[Figure, Axes]:
    """A figure with axes that are `high` inches, and above them the studies by colour and the families by marker, in as
    many rows as they need."""
    lines = [
        Line2D([], [], color=style.color, linewidth=2.2, dashes=style.dashes or (None, None), label=name)
        for name, style in studies.items()
    ]
    marks = [
        Line2D([], [], color=MUTED, marker=style.marker, markersize=6 * style.scale, linewidth=0,
               label=family_legend(family))
        for family, style in families.items()
    ]  # fmt: skip
    rows = [*_rows(lines), *_rows(marks)]
    width, under, row = 8.4, 0.48, 0.22
    height = under + high + row * len(rows) + 0.14
    figure = Figure(figsize=(width, height))
    for number, handles in enumerate(rows):
        figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0.075, 1 - (0.06 + row * number) / height),
            ncols=len(handles), handlelength=2.6, columnspacing=2.0, handletextpad=0.7, borderpad=0, borderaxespad=0,
            labelcolor=INK,
        )  # fmt: skip
    return figure, figure.add_axes((0.075, under / height, 0.9, high / height))


def _rows(handles: Sequence[Line2D]) -> list[list[Line2D]]:
    """Those that fit beside each other."""
    rows: list[list[Line2D]] = []
    room = 0.0
    for handle in handles:
        needed = 0.62 + 0.072 * len(str(handle.get_label()))
        if needed > room:
            rows.append([])
            room = 7.7
        rows[-1].append(handle)
        room -= needed
    return rows
