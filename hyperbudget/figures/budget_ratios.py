"""At equal budget: each family's error on the test split over the baseline's."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from hyperbudget.analyze.summary import analyze
from hyperbudget.analyze.words import family_name
from hyperbudget.figures.legend import family_legend_row
from hyperbudget.figures.points import describe_ratio, tell
from hyperbudget.figures.scales import alike, close_ticks, log_ticks, shortest
from hyperbudget.figures.style import INK, MUTED, PAPER, family_styles, in_order, theme


def budget_ratios(frame: pd.DataFrame) -> Figure | None:
    """One row a budget, one mark a family: the ratio of mean errors and its 95% interval, log axis.

    Left of 1 the family is better than the baseline; full marks where the interval leaves out 1, hollow ones else.
    """
    analysis = analyze(frame)
    entries = [entry for entry in analysis.entries if entry.ratio is not None]
    if not entries or analysis.baseline is None:
        return None
    budgets = sorted({entry.budget for entry in entries}, reverse=True)
    styles = family_styles(in_order({entry.family for entry in entries}))
    metric = analysis.metric
    with theme():
        height = 0.8 + len(budgets) * (0.15 + 0.135 * len(styles))
        figure = Figure(figsize=(8.4, height))
        ax = figure.add_axes((0.135, 0.45 / height, 0.855, 1 - 0.8 / height))
        ends = [1.0]
        step = min(0.3, 0.9 / len(styles))  # of all marks of a budget, which are one row
        for row, budget in enumerate(budgets):
            marks: list[tuple[float, float, str]] = []
            for place, (family, style) in enumerate(styles.items()):
                entry = next((e for e in entries if e.budget == budget and e.family == family), None)
                if entry is None or entry.ratio is None:
                    continue
                ratio = entry.ratio
                y = row - (place - (len(styles) - 1) / 2) * step
                ends.append(ratio.mean)
                clear = ratio.low is not None and ratio.high is not None and not ratio.low <= 1 <= ratio.high
                if ratio.low is not None and ratio.high is not None:
                    ax.plot([ratio.low, ratio.high], [y, y], color=style.color, linewidth=1.5, dashes=style.dashes or
                            (None, None), zorder=3)  # fmt: skip
                    ends += [ratio.low, ratio.high]
                ax.plot(
                    ratio.mean, y, style.marker, color=style.color, markersize=6.4 * style.scale, zorder=4,
                    markerfacecolor=style.color if clear else PAPER, markeredgewidth=1.2,
                )  # fmt: skip
                marks.append((ratio.mean, y, describe_ratio(entry, metric)))
            if marks:
                tell(ax, *zip(*marks, strict=True), rank=-row)  # the upper row first
        margin = 1.08**metric.grain
        low, high = max(min(ends), 0.05) / margin, min(max(ends), 20.0) * margin
        ax.set_xscale("log")
        ax.set_xlim(min(low, 0.8**metric.grain), max(high, 1.25**metric.grain))
        if metric.finer:
            ticks = close_ticks(*ax.get_xlim(), most=9)  # 1 is among them
            write = alike(ticks)
        else:
            ticks = sorted({*(t for t in log_ticks(*ax.get_xlim(), most=9) if abs(t - 1) > 0.12), 1.0})
            write = shortest
        ax.set_xticks(ticks, [f"× {write(tick)}" for tick in ticks])
        ax.minorticks_off()
        ax.axvline(1, color=INK, linewidth=1, zorder=2)
        ax.grid(visible=False, axis="y")
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(budgets) - 0.4)
        ax.set_yticks(range(len(budgets)), [f"≤ {budget:,}" for budget in budgets])
        ax.set_xlabel(
            f"test {metric.title} over {metric.pronoun} of the best {family_name(analysis.baseline)}; below 1 is better"
        )
        for label in ax.get_yticklabels():
            label.set_color(INK)
        ax.xaxis.label.set_color(MUTED)
        family_legend_row(figure, styles, 0.135, 1 - 0.08 / height)
    return figure
