"""Has the search converged: the hypervolume of the front over the configurations tried."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from hyperbudget.analyze.convergence import Convergence
from hyperbudget.figures.points import evenly, tell
from hyperbudget.figures.style import INK, MUTED, theme

COLOR = "#0072b2"


def convergence_figure(found: Convergence | None) -> Figure | None:
    """Line: in the order of the trials. Band: random orders. None for None."""
    if found is None:
        return None
    with theme():
        figure = Figure(figsize=(5.4, 2.5))
        ax = figure.add_axes((0.105, 0.18, 0.875, 0.68))
        number = np.arange(1, len(found.tried) + 1)
        ax.fill_between(number, found.low, found.high, step="post", color=MUTED, alpha=0.22, linewidth=0, zorder=2)
        ax.step(number, found.tried, where="post", color=COLOR, linewidth=1.8, zorder=3)
        ax.set_xlim(1, len(number))
        ax.set_ylim(0, 1.03)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        grown = [i for i in range(len(number)) if i == 0 or found.tried[i] > found.tried[i - 1]]
        chosen = sorted({*(grown[i] for i in evenly(len(grown))), len(number) - 1})
        texts = [
            f"{number[i]} of {len(number)} configurations tried: {found.tried[i]:.2f} of the final hypervolume; in "
            f"random order {found.low[i]:.2f} to {found.high[i]:.2f}"
            for i in chosen
        ]
        tell(ax, number[chosen], found.tried[chosen], texts)
        ax.set_xlabel("configurations tried")
        ax.set_ylabel("hypervolume")
        figure.legend(
            handles=[
                Line2D([], [], color=COLOR, linewidth=1.8, label="as tried"),
                Patch(facecolor=MUTED, alpha=0.22, linewidth=0, label="in random order"),
            ],
            loc="upper left", bbox_to_anchor=(0.105, 0.985), ncols=2, handlelength=2.2, columnspacing=2.2,
            handletextpad=0.7, borderpad=0, borderaxespad=0, labelcolor=INK,
        )  # fmt: skip
    return figure
