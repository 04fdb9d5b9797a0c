"""The legend that figures share: one entry a family, in a row above the axes."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperbudget.analyze.words import family_legend
from hyperbudget.figures.style import INK, PAPER, FamilyStyle

LETTERS = 60
"""So many in all names leave room between them."""


def family_legend_row(
    figure: Figure,
    styles: dict[str, FamilyStyle],
    left: float,
    top: float,
    lines: bool = True,
    extra: Sequence[Line2D] = (),
) -> None:
    """Draw it with its upper left corner at (`left`, `top`), shares of the figure."""
    handles = [
        Line2D(
            [], [], color=style.color, marker=style.marker, markersize=6 * style.scale, markeredgecolor=PAPER,
            markeredgewidth=0.8, linewidth=1.8 if lines else 0, dashes=style.dashes or (None, None),
            label=family_legend(family),
        )
        for family, style in styles.items()
    ]  # fmt: skip
    entries = [*handles, *extra]
    roomy = len(entries) <= 6 and sum(len(str(entry.get_label())) for entry in entries) <= LETTERS
    figure.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(left, top), ncols=len(entries),
        handlelength=2.6 if lines else 1.2, columnspacing=2.2 if roomy else 1.0, handletextpad=0.7,
        borderpad=0, borderaxespad=0, labelcolor=INK,
    )  # fmt: skip
