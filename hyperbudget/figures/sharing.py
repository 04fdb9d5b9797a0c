"""How much kernels share: maps of |cosine|, effective ranks, embeddings in two dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from hyperbudget.analyze.sharing import Embedded, Sharing
from hyperbudget.analyze.words import family_legend
from hyperbudget.figures.legend import family_legend_row
from hyperbudget.figures.points import FEW, leave_out, tell, tell_boxes
from hyperbudget.figures.style import INK, MUTED, PAPER, family_styles, in_order, theme
from hyperbudget.nn.spec import KERNELS

COLOR, LEVELS = "#0072b2", 20
"""Opacities of the one colour, so that a map is as faint as the page where little is shared, on any page."""
ACROSS, WIDE = 5, 8.4
ABOVE, UNDER, LEFT, SCALE = 0.5, 0.46, 0.4, 0.42
"""Inches of a panel's title, below it and on its left, and of the scale of all."""
WRITTEN = 6
"""For up to so many parts the numbers stand in the cells."""
STYLES = list(family_styles([*KERNELS, "another"]).values())
"""Eight colours with a marker each."""


def sharing_maps(found: Sequence[Sharing]) -> Figure | None:
    """One panel a family: |cosine| between every two of its parts, below the diagonal. None for no family."""
    if not found:
        return None
    order = in_order({each.configuration.family for each in found})
    found = sorted(found, key=lambda each: order.index(each.configuration.family))
    rows = math.ceil(len(found) / ACROSS)
    columns = max(2, math.ceil(len(found) / rows))
    with theme():
        few = cells(found) <= FEW
        side = min(WIDE / columns - LEFT - 0.12, 2.3)
        width = columns * (side + LEFT + 0.12)
        height = rows * (ABOVE + side + UNDER) + SCALE
        figure = Figure(figsize=(width, height))
        for place, each in enumerate(found):
            row, column = divmod(place, columns)
            left = LEFT + column * (side + LEFT + 0.12)
            bottom = height - (row + 1) * (ABOVE + side + UNDER) + UNDER
            box = (left / width, bottom / height, side / width, side / height)
            _map(figure.add_axes(box, label=each.configuration.family), each, few)
        _scale(figure)
    return figure


def cells(found: Sequence[Sharing]) -> int:
    """Of all maps: each has a text where there are at most `FEW`, else each of their rows."""
    return sum(len(each.parts) * (len(each.parts) - 1) // 2 for each in found)


def _map(ax: Axes, found: Sharing, few: bool) -> None:
    count = len(found.parts)
    cells: dict[int, list[Path]] = {}
    for row in range(count):
        for column in range(row):
            value = found.cosines[row, column]
            if not math.isnan(value):
                cells.setdefault(math.ceil(value * LEVELS), []).append(_box(column, row, 1, 1))
                if count <= WRITTEN:
                    ax.text(column + 0.5, row + 0.5, f"{value:.2f}", fontsize=8, color=INK, ha="center", va="center",
                            zorder=3)  # fmt: skip
    for level, paths in sorted(cells.items()):
        if level:
            ax.add_patch(_patch(Path.make_compound_path(*paths), level, 0.55 if count <= WRITTEN else 1.0))
    _tell(ax, found, few)
    ax.plot([0, 0, count, 0], [0, count, count, 0], color=MUTED, linewidth=0.6, zorder=2)
    ax.set_xlim(0, count)
    ax.set_ylim(count, 0)
    step = next(step for step in (1, 2, 5, 10, 20) if count <= 8 * step or step == 20)
    ticks = sorted({0, *range(step - 1, count, step)})
    ax.set_xticks([tick + 0.5 for tick in ticks], [str(found.parts[tick]) for tick in ticks])
    ax.set_yticks([tick + 0.5 for tick in ticks], [str(found.parts[tick]) for tick in ticks])
    ax.tick_params(length=0, labelsize=7.5)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(found.of.removesuffix("s"))
    ax.set_title(family_legend(found.configuration.family), pad=18)
    ax.annotate(
        f"rms {found.overall:.2f}, chance {found.chance:.2f}", (0, 1), xycoords="axes fraction", xytext=(0, 5),
        textcoords="offset points", fontsize=8, color=MUTED,
    )  # fmt: skip


def _tell(ax: Axes, found: Sharing, few: bool) -> None:
    """A text a cell; if there are too many, one a row, on the diagonal."""
    name, part = family_legend(found.configuration.family), found.of.removesuffix("s")
    if not few:
        leave_out(ax, "cells of the maps, whose rows have one on the diagonal")
    for row, own in enumerate(found.parts):
        known = [i for i in range(row if few else len(found.parts)) if not math.isnan(found.cosines[row, i])]
        if few:
            texts = [f"{name}, {found.of} {found.parts[i]} and {own}: {found.cosines[row, i]:.2f}" for i in known]
            tell_boxes(ax, [(i, row, 1, 1) for i in known], texts)
        elif known:
            cosines = found.cosines[row, known]
            nearest = found.parts[known[int(cosines.argmax())]]
            rms = math.sqrt(float((cosines**2).mean()))
            text = f"{name}, {part} {own}: rms {rms:.2f}, largest {cosines.max():.2f} with {part} {nearest}"
            tell_boxes(ax, [(row, row, 1, 1)], [text])


def _scale(figure: Figure) -> None:
    width, height = figure.get_size_inches()
    ax = figure.add_axes((LEFT / width, 0.1 / height, 1.6 / width, 0.1 / height), label="scale")
    ax.set_xlim(0, LEVELS)
    ax.set_ylim(0, 1)
    ax.set_axis_off()
    for level in range(1, LEVELS + 1):
        ax.add_patch(_patch(_box(level - 1, 0, 1, 1), level, 1.0))
    for x, text, side in ((LEFT - 0.06, "0", "right"), (LEFT + 1.66, "1: the same up to scale", "left")):
        figure.text(x / width, 0.15 / height, text, fontsize=7.5, color=MUTED, ha=side, va="center")


def sharing_shapes(found: Sequence[Sharing]) -> Figure | None:
    """Left: each kernel's effective rank over what it can be. Right: a hypernetwork's embeddings. None for neither."""
    ranked = [each for each in found if len(each.ranks) > 1]
    mapped = next((each.embedded for each in found if each.embedded is not None), None)
    panels = bool(ranked) + bool(mapped)
    if not panels:
        return None
    with theme():
        width, high, under = (8.4 if panels > 1 else 5.4), 2.6, 0.46
        height = 0.36 + high + under
        figure = Figure(figsize=(width, height))
        wide = 3.05 if panels > 1 else 4.6
        if ranked:
            styles = family_styles(in_order({each.configuration.family for each in ranked}))
            _ranks(figure.add_axes((0.55 / width, under / height, wide / width, high / height), label="ranks"), ranked)
            family_legend_row(figure, styles, 0.55 / width, 1 - 0.06 / height)
        if mapped is not None:
            left = 4.3 if panels > 1 else 0.62
            wide = width - left - 1.2
            _embeddings(
                figure.add_axes((left / width, under / height, wide / width, high / height), label="embeddings"), mapped
            )
    return figure


def _ranks(ax: Axes, found: Sequence[Sharing]) -> None:
    styles = family_styles(in_order({each.configuration.family for each in found}))
    for each in found:
        style = styles[each.configuration.family]
        parts = each.parts if len(each.parts) == len(each.ranks) else tuple(range(1, len(each.ranks) + 1))
        shares = [rank / most for rank, most in each.ranks]
        name = family_legend(each.configuration.family)
        texts = [
            f"{name}, kernel {part}: effective rank {rank:.1f} of {most}"
            for part, (rank, most) in zip(parts, each.ranks, strict=True)
        ]
        tell(ax, parts, shares, texts)
        ax.plot(
            parts, shares, color=style.color, linewidth=1.6,
            dashes=style.dashes or (None, None), marker=style.marker, markersize=4.6 * style.scale,
            markeredgecolor=PAPER, markeredgewidth=0.6, markevery=max(1, len(each.ranks) // 10), zorder=3,
        )  # fmt: skip
    ax.set_ylim(0, 1.04)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1, steps=[1, 2, 4, 5, 10]))
    ax.set_xlabel("kernel")
    ax.set_ylabel("effective rank over its bound")


def _embeddings(ax: Axes, found: Embedded) -> None:
    numbers = {owner for owner, _ in found.kernels}
    grouped = len(numbers) > len(STYLES)
    rows: dict[str, list[int]] = {}
    for place, (owner, channels) in enumerate(found.kernels):
        rows.setdefault(f"{channels} channels" if grouped else f"kernel {owner}", []).append(place)
    line = found.places.shape[1] == 1
    handles = []
    for number, (label, chosen) in enumerate(rows.items()):
        style = STYLES[number % len(STYLES)]
        x = found.places[chosen, 0]
        y = np.full(len(chosen), -float(number)) if line else found.places[chosen, 1]
        if line:
            ax.axhline(-number, color=MUTED, linewidth=0.5, zorder=1)
        size = (5.2 if len(found.places) <= 100 else 3.8) * style.scale
        look = {"color": style.color, "marker": style.marker, "linewidth": 0, "markeredgecolor": PAPER, "label": label}
        ax.plot(x, y, **look, markersize=size, alpha=0.85, markeredgewidth=0.4, zorder=3)  # type: ignore[arg-type]
        handles.append(Line2D([], [], **look, markersize=5.5 * style.scale))  # type: ignore[arg-type]
        if len(found.places) > FEW:
            leave_out(ax, "embeddings")
        else:
            tell(ax, x, y, [_embedding(found, place) for place in chosen])
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1), borderpad=0, borderaxespad=0, handlelength=1.1,
        handletextpad=0.5, labelcolor=INK, fontsize=8,
    )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    if line:
        ax.set_xlabel("embedding z")
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_ylim(0.6 - len(rows), 0.6)
        return
    names = [f"{name} axis ({share:.2f} of variance)" for name, share in zip(("1st", "2nd"), found.shares, strict=True)]
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.set_aspect("equal", adjustable="datalim")


def _embedding(found: Embedded, place: int) -> str:
    """``kernel 3, 32 channels, tile 7: 0.31, −0.22``."""
    owner, channels = found.kernels[place]
    width = f", {channels} channels" if channels else ""
    tile = place - [number for number, _ in found.kernels].index(owner) + 1
    at = ", ".join(f"{value:.2f}" for value in found.places[place]).replace("-", "−")
    return f"kernel {owner}{width}, tile {tile}: {at}"


def _box(x: float, y: float, wide: float, high: float) -> Path:
    return Path([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)], closed=True)


def _patch(path: Path, level: int, strength: float) -> PathPatch:
    return PathPatch(path, facecolor=COLOR, alpha=strength * level / LEVELS, linewidth=0, snap=False)
