"""How far the units of recurrent cells saturate: a histogram of phi(c_t) a family (figure 5)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hyperbudget.analyze.dynamics import Saturation
from hyperbudget.analyze.words import family_legend
from hyperbudget.figures.heading import EDGE, draw_heading, fitted, heading_height
from hyperbudget.figures.points import tell_boxes
from hyperbudget.figures.style import MUTED, FamilyStyle, family_styles, in_order, theme
from hyperbudget.nn.cells import PHI_BINS, SATURATED
from hyperbudget.study.results.metrics import percent

NOTE = "φ(c) is the tanh in h. Over characters and units of the last layer."
ACROSS = 4
HIGH, ABOVE, UNDER = 1.5, 0.5, 0.46
"""Of a panel, of its title and of its axis, in inches."""


def saturation(found: Mapping[str, Saturation], words: Sequence[str] | None = None) -> Figure | None:
    """One panel a family; bins beyond `SATURATED` are full, the others pale. None for no family.

    words: paragraphs for a heading; None: no heading, as inside a page.
    """
    if not found:
        return None
    styles = family_styles(in_order(set(found)))
    columns = min(ACROSS, len(styles))
    rows = math.ceil(len(styles) / columns)
    with theme():
        width = 8.4 if columns > 2 else 5.4
        heading = None if words is None else fitted([*words, NOTE], width)
        top = 0.0 if heading is None else heading_height(heading)
        height = top + rows * (ABOVE + HIGH + UNDER)
        figure = Figure(figsize=(width, height))
        if heading is not None:
            draw_heading(figure, "Where the units of the main cell are", heading)
        left = 0.63
        grid = figure.add_gridspec(
            rows, columns, left=left / width, right=1 - EDGE / width, top=1 - (top + ABOVE) / height,
            bottom=UNDER / height, wspace=0.12, hspace=(ABOVE + UNDER) / HIGH,
        )  # fmt: skip
        highest = max(each.shares.max() for each in found.values())
        for place, (family, style) in enumerate(styles.items()):
            ax = figure.add_subplot(grid[divmod(place, columns)])
            _panel(ax, found[family], style, highest)
            _tell(ax, found[family], family_legend(family))
            ax.set_title(family_legend(family), pad=18)
            ax.annotate(
                f"{percent(found[family].saturated)} saturated", (0, 1), xycoords="axes fraction", xytext=(0, 5),
                textcoords="offset points", fontsize=8, color=MUTED,
            )  # fmt: skip
            ax.set_xlabel(f"φ(c); saturated beyond ±{SATURATED:g}")
            if place % columns:
                ax.tick_params(labelleft=False)
            else:
                ax.set_ylabel("share of units")
    return figure


def _panel(ax: Axes, found: Saturation, style: FamilyStyle, highest: float) -> None:
    edges = np.linspace(-1, 1, PHI_BINS + 1)
    shares = found.shares
    outer = np.abs(edges[:-1] + edges[1:]) / 2 > SATURATED
    for chosen, alpha in ((outer, 1.0), (~outer, 0.38)):
        ax.bar(
            edges[:-1][chosen], shares[chosen], width=2 / PHI_BINS, align="edge", color=style.color, alpha=alpha,
            linewidth=0, zorder=3,
        )  # fmt: skip
    ax.set_xlim(-1, 1)
    ax.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "", "0", "", "1"])
    ax.set_ylim(0, 1.06 * highest)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    ax.grid(visible=False, axis="x")
    ax.spines["left"].set_visible(False)


def _tell(ax: Axes, found: Saturation, name: str) -> None:
    edges, wide = np.linspace(-1, 1, PHI_BINS + 1).tolist(), 2 / PHI_BINS
    tell_boxes(
        ax,
        [(left, 0, wide, float(share)) for left, share in zip(edges, found.shares, strict=False)],
        [
            f"{name}, φ(c) from {_signed(left)} to {_signed(left + wide)}: {percent(float(share))} of units"
            for left, share in zip(edges, found.shares, strict=False)
        ],
    )


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
