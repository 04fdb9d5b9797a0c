"""The embeddings z of a hypernetwork's tiles, in two dimensions."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hyperbudget.figures.heading import EDGE, Runs, draw_heading, heading_height, wrapped
from hyperbudget.figures.style import INK, MUTED, PAPER, FamilyStyle, family_styles, theme
from hyperbudget.nn.sharing.matrices import Array, principal_axes
from hyperbudget.nn.spec import KERNELS, Hyper
from hyperbudget.study.results.kernels import Kernels

STYLES = list(family_styles([*KERNELS, "another"]).values())
"""Eight colours with a marker each."""
SIDE, LEFT, KEY, ABOVE, UNDER = 3.5, 0.75, 2.1, 0.25, 0.5


def embedding_map(runs: Runs) -> Figure | None:
    """One panel a hypernetwork, one mark a tile: N_z = 1 on a line, 2 as they stand, more on two principal axes.

    Marked by kernel, or by the kernels' output channels (the groups of a residual network) where there are many. None
    where no run has two embeddings.
    """
    drawn = {name: kernels for name, kernels in runs.items() if mapped(kernels)}
    if not drawn:
        return None
    with theme():
        keys = {label: None for kernels in drawn.values() for label in members(kernels)}
        styles = {label: STYLES[place % len(STYLES)] for place, label in enumerate(keys)}
        width = max(EDGE + len(drawn) * (LEFT + SIDE) + KEY, 6.2)
        lines = wrapped(drawn, ["One mark a tile: the z that it is generated from."], width)
        line = all(len(places(kernels)[1]) == 1 for kernels in drawn.values())
        tall = 0.4 * max(2, len(styles)) if line else SIDE
        top = heading_height(lines) + (ABOVE if len(drawn) > 1 else 0.05)
        height = top + tall + UNDER
        figure = Figure(figsize=(width, height))
        draw_heading(figure, "Embeddings", lines)
        for place, (name, kernels) in enumerate(drawn.items()):
            left = EDGE + LEFT + place * (LEFT + SIDE)
            ax = figure.add_axes((left / width, UNDER / height, SIDE / width, tall / height), label=name)
            _panel(ax, kernels, styles)
            if len(drawn) > 1:
                ax.set_title(name)
        handles = [
            Line2D([], [], color=s.color, marker=s.marker, markersize=6 * s.scale, markeredgecolor=PAPER, linewidth=0,
                   label=label)
            for label, s in styles.items()
        ]  # fmt: skip
        figure.legend(
            handles=handles, loc="upper left", borderpad=0, borderaxespad=0, handlelength=1.2, labelcolor=INK,
            bbox_to_anchor=((EDGE + len(drawn) * (LEFT + SIDE) + 0.2) / width, 1 - top / height),
        )  # fmt: skip
    return figure


def mapped(kernels: Kernels) -> bool:
    """Whether there is something to draw: two embeddings or more."""
    return kernels.embeddings is not None and len(kernels.embeddings) > 1


def members(kernels: Kernels) -> dict[str, list[int]]:
    """The rows of the embeddings by what the legend says of them."""
    assert isinstance(kernels.family, Hyper)
    grouped = len(kernels.shapes) > len(STYLES)
    found: dict[str, list[int]] = {}
    start = 0
    for number, shape in enumerate(kernels.shapes, start=1):
        label = f"{shape.out_channels} output channels" if grouped else f"kernel {number}"
        rows = range(start, start + kernels.family.tiles(shape))
        found.setdefault(label, []).extend(rows)
        start = rows.stop
    return found


def places(kernels: Kernels) -> tuple[Array, list[str]]:
    """Where the marks lie, shape (tiles, 1 or 2), and what each axis is."""
    embeddings = kernels.embeddings
    assert embeddings is not None
    if embeddings.shape[1] <= 2:
        return embeddings, ["z"] if embeddings.shape[1] == 1 else ["first number of z", "second number of z"]
    points, shares = principal_axes(embeddings)
    names = zip(("first", "second"), shares, strict=False)
    return points, [f"{name} principal axis ({share:.0%} of variance)" for name, share in names]


def _panel(ax: Axes, kernels: Kernels, styles: dict[str, FamilyStyle]) -> None:
    points, axes = places(kernels)
    size = 5.5 if len(points) <= 100 else 4.2
    for row, (label, rows) in enumerate(members(kernels).items()):
        x = points[rows, 0]
        y = points[rows, 1] if len(axes) > 1 else np.full(len(rows), -float(row))
        style = styles[label]
        if len(axes) == 1:
            ax.axhline(-row, color=MUTED, linewidth=0.5, zorder=1)
        ax.plot(
            x, y, style.marker, color=style.color, markersize=size * style.scale, alpha=0.85, markeredgecolor=PAPER,
            markeredgewidth=0.5, zorder=3 + 1 / len(rows),
        )  # fmt: skip
    ax.set_xlabel(axes[0])
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6))
    if len(axes) > 1:
        ax.set_ylabel(axes[1])
        ax.yaxis.set_major_locator(MaxNLocator(nbins=6))
        ax.set_aspect("equal", adjustable="datalim")
        ax.axhline(0, color=MUTED, linewidth=0.5, zorder=1)
        ax.axvline(0, color=MUTED, linewidth=0.5, zorder=1)
        return
    ax.set_ylim(-len(members(kernels)) + 0.4, 0.6)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
