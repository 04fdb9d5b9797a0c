"""Where the budget goes: the groups of each configuration's parameters as parts of a bar."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hyperbudget.analyze.anatomy import groups_of, present
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.words import family_legend, group_name
from hyperbudget.figures.points import Box, tell_boxes
from hyperbudget.figures.style import INK, MUTED, PAPER, theme
from hyperbudget.study.results.metrics import percent

COLORS = {
    "stem": "#5b6675", "kernels": "#0072b2", "generator": "#009e73", "embeddings": "#e69f00", "recurrent": "#0072b2",
    "hyper_cell": "#009e73", "projections": "#e69f00", "shortcuts": "#8a6d00", "biases": "#6b4fa0", "norms": "#cc79a7",
    "head": "#56b4e9",
}  # fmt: skip
"""The same in every figure. A recurrent group has the colour of what it is among kernels: no network has both."""
ALPHA = 0.55
"""So pale that what is written on them can be read on light pages and dark ones."""
ROW, HEAD, ABOVE, UNDER = 0.235, 0.3, 0.3, 0.46
"""Inches of a bar's row, of a family's heading, above and below all."""
TOTALS, LETTER = 0.75, 0.063
"""Inches for the totals on the right; of a letter at the size of the labels."""
LONGEST = 46
"""Letters of a configuration's name; what is longer is cut."""


def anatomy_bars(configurations: Sequence[Configuration]) -> Figure | None:
    """One bar a configuration, as long as all others; its number of learnable parameters at the end. None for none.

    configurations: family by family, as of `hyperbudget.analyze.anatomy.shown`.
    """
    if not configurations:
        return None
    names = [_name(c) for c in configurations]
    left = min(max(1.3, LETTER * max(map(len, names)) + 0.2), 3.2)
    families = [configuration.family for configuration in configurations]
    rows: list[float] = []
    headings: dict[str, float] = {}
    y = 0.0
    for place, family in enumerate(families):
        if place == 0 or family != families[place - 1]:
            headings[family] = y + HEAD - 0.09
            y += HEAD
        rows.append(y + ROW / 2)
        y += ROW
    with theme():
        width, height = 8.4, ABOVE + y + UNDER
        figure = Figure(figsize=(width, height))
        inches = width - left - TOTALS
        ax = figure.add_axes((left / width, UNDER / height, inches / width, y / height))
        for at, configuration in zip(rows, configurations, strict=True):
            _bar(ax, at, configuration, inches)
        ax.set_ylim(y, 0)
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        ax.set_yticks(rows, names)
        ax.tick_params(axis="y", labelsize=8, labelcolor=INK)
        ax.set_xlabel("share of the learnable parameters")
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        for family, at in headings.items():
            ax.annotate(
                family_legend(family), (0, at), xytext=(-4, 0), textcoords="offset points", fontsize=8.5,
                fontweight="bold", color=INK, ha="right", va="baseline", annotation_clip=False,
            )  # fmt: skip
        groups = present(configurations)
        start = left if left + sum(0.36 + LETTER * len(group_name(group)) for group in groups) < width else 0.12
        figure.legend(
            handles=[
                Patch(facecolor=COLORS[group], alpha=ALPHA, linewidth=0, label=group_name(group)) for group in groups
            ],
            loc="upper left", bbox_to_anchor=(start / width, 1 - 0.06 / height), ncols=len(groups), handlelength=1.1,
            columnspacing=1.1, handletextpad=0.45, borderpad=0, borderaxespad=0, labelcolor=INK, fontsize=8,
        )  # fmt: skip
    return figure


def _name(configuration: Configuration) -> str:
    name = configuration.short_label
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"


def _bar(ax: Axes, place: float, configuration: Configuration, inches: float) -> None:
    left = 0.0
    boxes: list[Box] = []
    texts: list[str] = []
    for group, count in groups_of(configuration).items():
        share = count / configuration.parameters
        ax.barh(
            place, share, 0.8 * ROW, left=left, color=COLORS[group], alpha=ALPHA, edgecolor=PAPER, linewidth=0.6,
            zorder=2,
        )  # fmt: skip
        name = group_name(group)
        if share * inches > LETTER * len(name) + 0.08:
            ax.text(left + share / 2, place, name, fontsize=7, color=INK, ha="center", va="center", zorder=4)
        boxes.append((left, place - 0.4 * ROW, share, 0.8 * ROW))
        texts.append(
            f"{family_legend(configuration.family)} {configuration.short_label}, {name}: {count:,} of "
            f"{configuration.parameters:,} parameters, {percent(share)}"
        )
        left += share
    tell_boxes(ax, boxes, texts)
    ax.annotate(
        f"{configuration.parameters:,}", (1, place), xytext=(5, 0), textcoords="offset points", fontsize=8,
        color=MUTED, ha="left", va="center", annotation_clip=False,
    )  # fmt: skip
