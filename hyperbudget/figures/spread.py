"""How far a small cell's scaling vectors move along a text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperbudget.analyze.dynamics import Spread
from hyperbudget.analyze.words import family_legend
from hyperbudget.figures.points import tell
from hyperbudget.figures.scales import log_ticks, shortest
from hyperbudget.figures.style import INK, PAPER, FamilyStyle, family_styles, theme

ROW, ABOVE, UNDER, LEGEND = 0.42, 0.36, 0.46, 0.3
"""Heights of a vector, of a panel's title and of its scale, and of the legend, in inches."""
NAMES = {"h": "d_h, scales W_h", "x": "d_x, scales W_x", "b": "d_b, the bias"}
GATES = dict(zip("igfo", family_styles(["free", "shared", "hyper", "low_rank"]).values(), strict=True))


def spread_figure(found: Sequence[Spread]) -> Figure | None:
    """One panel a family, one row a vector, one mark a gate: means over seeds, pale ones the seeds. None for none."""
    if not found:
        return None
    columns = min(2, len(found))
    rows = math.ceil(len(found) / columns)
    with theme():
        width, panel = (8.4, 4.2) if columns > 1 else (5.6, 5.6)
        high = ROW * 3
        height = LEGEND + rows * (ABOVE + high + UNDER)
        figure = Figure(figsize=(width, height))
        values = np.concatenate([v for each in found for gates in each.vectors.values() for v in gates.values()])
        values = values[values > 0] if (values > 0).any() else np.array([1.0])
        low, top = float(values.min()) / 1.25, float(values.max()) * 1.25
        for place, each in enumerate(found):
            row, column = divmod(place, columns)
            bottom = height - LEGEND - (row + 1) * (ABOVE + high + UNDER) + UNDER
            box = ((column * panel + 1.15) / width, bottom / height, (panel - 1.35) / width, high / height)
            _panel(figure.add_axes(box, label=each.configuration.family), each, low, top)
        gates = dict.fromkeys(gate for each in found for gate in each.vectors["h"])
        figure.legend(
            handles=[_key(gate) for gate in gates], loc="upper left", ncols=len(gates), handlelength=1.2,
            bbox_to_anchor=(1.15 / width, 1 - 0.06 / height), columnspacing=1.8, handletextpad=0.5, borderpad=0,
            borderaxespad=0, labelcolor=INK,
        )  # fmt: skip
    return figure


def _style(gate: str) -> FamilyStyle:
    return GATES.get(gate, GATES["i"])


def _key(gate: str) -> Line2D:
    style = _style(gate)
    return Line2D(
        [], [], color=style.color, marker=style.marker, markersize=6 * style.scale, markeredgecolor=PAPER, linewidth=0,
        label=_gate_name(gate),
    )  # fmt: skip


def _gate_name(gate: str) -> str:
    return f"gate {gate}" if gate in GATES else gate


def _panel(ax: Axes, found: Spread, low: float, high: float) -> None:
    for row, (vector, gates) in enumerate(found.vectors.items()):
        marks: list[tuple[float, float, str]] = []
        for place, (gate, seeds) in enumerate(gates.items()):
            style, y = _style(gate), row + (place - (len(gates) - 1) / 2) * 0.18
            ax.plot(seeds, [y] * len(seeds), "o", color=style.color, markersize=2.6, alpha=0.35, markeredgewidth=0)
            ax.plot(
                seeds.mean(), y, style.marker, color=style.color, markersize=5.6 * style.scale, markeredgecolor=PAPER,
                markeredgewidth=0.7, zorder=3,
            )  # fmt: skip
            name = f"{family_legend(found.configuration.family)}, d_{vector}, {_gate_name(gate)}"
            ends = f", seeds {seeds.min():.3g} to {seeds.max():.3g}" if len(seeds) > 1 else ""
            marks.append((float(seeds.mean()), y, f"{name}: standard deviation {seeds.mean():.3g}{ends}"))
        tell(ax, *zip(*marks, strict=True))
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ticks = log_ticks(low, high, most=6)
    ax.set_xticks(ticks, [shortest(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set_ylim(2.5, -0.5)
    ax.set_yticks(range(3), [NAMES[vector] for vector in found.vectors])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("standard deviation over time")
    ax.set_title(family_legend(found.configuration.family))
