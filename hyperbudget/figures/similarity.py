"""How much a network's kernels have in common, pair by pair."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from hyperbudget.figures.heading import EDGE, Runs, draw_heading, heading_height, shared_basic, wrapped
from hyperbudget.figures.style import GRID, INK, MUTED, PAPER, theme
from hyperbudget.nn.sharing.similarity import Comparison, Similarity, compare

_BLUES = [PAPER, "#86ccf3", "#0072b2", "#00263d"]
SHARED = LinearSegmentedColormap.from_list("hyperbudget shared", _BLUES).with_extremes(bad=GRID)
SIDES = {1: 4.2, 2: 3.1}
"""Inches of a panel, by how many there are."""
LEFT, ABOVE, UNDER = 0.55, 0.45, 0.5
WRITTEN = 8
"""For up to so many parts, the numbers stand in the cells."""


def similarity_matrices(runs: Runs) -> Figure | None:
    """One panel a run: |cosine| between the parts of its network, measured below the diagonal, by chance above it.

    All of it is defined in `hyperbudget.nn.sharing.similarity`. None where no two parts can be compared.
    """
    compared = {name: compare(k.arrays, k.family, k.basic or shared_basic(runs)) for name, k in runs.items()}
    if all(each.found.overall is None for each in compared.values()):
        return None
    side = SIDES[len(runs)]
    with theme():
        width = EDGE + len(runs) * (side + LEFT) + 0.75
        what = " and ".join(dict.fromkeys(each.of for each in compared.values()))
        lines = wrapped(runs, [_note(what)], width)
        top = heading_height(lines) + ABOVE
        height = top + side + UNDER
        figure = Figure(figsize=(width, height))
        draw_heading(figure, f"|cosine| between {what}", lines)
        for place, (name, each) in enumerate(compared.items()):
            left = EDGE + LEFT + place * (side + LEFT)
            ax = figure.add_axes((left / width, UNDER / height, side / width, side / height), label=name)
            image = _panel(ax, each.found)
            ax.set_xlabel(each.of.removesuffix("s"))
            if place == 0:
                ax.set_ylabel(each.of.removesuffix("s"))
            overall, chance = levels(each)
            ax.set_title(f"{name}: {overall}", pad=18)
            ax.annotate(chance, (0, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points",
                        fontsize=8, color=MUTED)  # fmt: skip
        bar = figure.add_axes(((left + side + 0.2) / width, UNDER / height, 0.13 / width, side / height), label="scale")
        figure.colorbar(image, cax=bar).outline.set_visible(False)
        bar.tick_params(length=0)
    return figure


def levels(compared: Comparison) -> tuple[str, str]:
    """The similarity over all pairs, and what chance gives: ``0.47``, ``by chance 0.036, in its 5 dimensions 0.45``."""
    overall, chance, within = compared.found.overall, compared.found.chance, compared.chance_within
    if overall is None or chance is None:
        return "nothing to compare", ""
    confined = "" if within is None else f", in its {compared.dimensions} dimensions {within:.2g}"
    return f"{overall:.2g}", f"by chance {chance:.2g}{confined}"


def _note(what: str) -> str:
    return (
        f"Below the diagonal: measured; 1 is the same up to scale, 0 orthogonal. Above it: expected of {what} with the "
        "same singular values that have nothing to do with each other. Over the panel: root mean squares."
    )


def _panel(ax: Axes, found: Similarity) -> AxesImage:
    count = len(found.measured)
    shown = np.where(np.tri(count, k=-1, dtype=bool), found.measured, found.expected)
    image = ax.imshow(shown, cmap=SHARED, vmin=0, vmax=1, interpolation="none")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.plot([-0.5, count - 0.5], [-0.5, count - 0.5], color=MUTED, linewidth=0.6)
    step = next(step for step in (1, 2, 5, 10, 20, count) if count <= 13 * step)
    ticks = sorted({0, *range(step - 1, count, step)})
    ax.set_xticks(ticks, [str(tick + 1) for tick in ticks])
    ax.set_yticks(ticks, [str(tick + 1) for tick in ticks])
    ax.tick_params(length=0)
    if count <= WRITTEN:
        for row, column in np.argwhere(~np.isnan(shown)):
            value = shown[row, column]
            color = PAPER if value > 0.55 else INK
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=color)
    return image
