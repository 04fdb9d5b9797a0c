"""A text, and under each of its lines how much every character changed the weights of each gate (figure 4)."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from hyperbudget.analyze.dynamics import WeightChanges
from hyperbudget.figures.heading import EDGE, draw_heading, fitted, heading_height
from hyperbudget.figures.points import FEW, leave_out, tell_boxes
from hyperbudget.figures.style import INK, MUTED, theme

COLUMNS, LINES = 96, 24
"""Characters in a line, and lines at most: what is longer is cut."""
COLOR = "#0072b2"
LEVELS = 16
"""Opacities of the one colour, so that a strip is as faint as the page where little changes, on any page."""
QUANTILE = 0.99
"""Share of the changes that the colours cover: single large ones would leave all others pale."""
FACE, SIZE = "DejaVu Sans Mono", 9.0
WIDE, LEFT = 8.4, 0.24
"""Inches of the figure, and of the gates' names."""
TEXT, STRIP, BETWEEN, BAR = 0.17, 0.105, 0.11, 0.3
"""Heights of a line of characters, of a strip, between a line's strips and the next line, and of the colour bar."""
NOTE = (
    "Under each character, for each gate of the last layer: the norm of the difference between the weights that it "
    "meets and those of the step before."
)
SIGNS = {"\n": "↵", "\t": "⇥", "\r": "␍"}
NAMES = {" ": "space", "↵": "line break", "⇥": "tab", "␍": "carriage return"}
OTHER = "▯"
"""For control characters, for bytes that are no UTF-8, and for what the typeface lacks."""


def weight_changes(found: WeightChanges | None, given: int = 0, words: Sequence[str] | None = None) -> Figure | None:
    """`COLUMNS` characters a line, the first `given` pale, and a strip a gate. None without any.

    One colour scale for all gates: it ends at the `QUANTILE` of all changes. words: paragraphs for a heading; None: no
    heading, as inside a page.
    """
    if found is None:
        return None
    marks = visible(found.symbols)[: COLUMNS * LINES]
    lines, gates = math.ceil(len(marks) / COLUMNS), len(found.changes)
    row = TEXT + gates * STRIP + BETWEEN
    with theme():
        heading = None if words is None else fitted([*words, NOTE, _cut(len(found.symbols), len(marks))], WIDE)
        top = 0.06 if heading is None else heading_height(heading)
        height = top + lines * row + BAR
        figure = Figure(figsize=(WIDE, height))
        if heading is not None:
            draw_heading(figure, "Changes of the main cell’s weights", heading)
        left = EDGE if heading is not None else 0.04
        box = (left / WIDE, BAR / height, 1 - 2 * left / WIDE, lines * row / height)
        ax = figure.add_axes(box, label="text")
        ax.set_xlim(0, WIDE - 2 * left)
        ax.set_ylim(lines * row, 0)
        ax.set_axis_off()
        scale = float(np.quantile([*found.changes.values()], QUANTILE, method="higher")) or 1.0
        column = (WIDE - 2 * left - LEFT) / COLUMNS
        _characters(ax, marks, given, column, row)
        _strips(ax, found, len(marks), column, row, scale)
        _tell(ax, found, marks, column, row)
        _scale(figure, scale, left)
    return figure


def visible(symbols: bytes) -> list[str]:
    """A sign for every byte; a character of several bytes stands at its first, and the others are blank."""
    marks: list[str] = []
    for character in symbols.decode(errors="surrogateescape"):
        known = character.isprintable() and ord(character) in _glyphs()
        marks.append(SIGNS.get(character, character if known else OTHER))
        marks += [" "] * (len(character.encode(errors="surrogateescape")) - 1)
    return marks


@functools.cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FACE)).get_charmap())


def _cut(symbols: int, shown: int) -> str:
    return f"The first {shown:,} of {symbols:,} characters." if shown < symbols else ""


def _characters(ax: Axes, marks: list[str], given: int, column: float, row: float) -> None:
    for place, mark in enumerate(marks):
        line, number = divmod(place, COLUMNS)
        if mark != " ":
            pale = place < given or mark in SIGNS.values() or mark == OTHER
            ax.text(
                LEFT + (number + 0.5) * column, line * row + TEXT - 0.05, mark, family=FACE, fontsize=SIZE, ha="center",
                va="baseline", color=MUTED if pale else INK, parse_math=False,
            )  # fmt: skip


def _strips(ax: Axes, found: WeightChanges, shown: int, column: float, row: float, scale: float) -> None:
    """All cells of one opacity are one path."""
    cells: dict[int, list[tuple[float, float, float]]] = {}
    for number, (gate, changes) in enumerate(found.changes.items()):
        for line in range(math.ceil(shown / COLUMNS)):
            y = line * row + TEXT + number * STRIP
            ax.text(LEFT - 0.08, y + 0.72 * STRIP, gate, fontsize=7, ha="right", va="baseline", color=MUTED)
        levels = np.ceil(np.clip(changes[:shown] / scale, 0, 1) * LEVELS).astype(int)
        for place, level in enumerate(levels.tolist()):
            line, across = divmod(place, COLUMNS)
            cells.setdefault(level, []).append(
                (LEFT + across * column, line * row + TEXT + number * STRIP, 0.86 * STRIP)
            )
    for level, boxes in sorted(cells.items()):
        if level:
            paths = [_box(x, y, column, high) for x, y, high in boxes]
            ax.add_patch(_patch(Path.make_compound_path(*paths), level))


def _tell(ax: Axes, found: WeightChanges, marks: list[str], column: float, row: float) -> None:
    """A text a character, above its strips; of very many, those with the largest changes. A series a line."""
    highest = np.max([changes[: len(marks)] for changes in found.changes.values()], axis=0)
    told = set(np.argsort(-highest, kind="stable")[:FEW].tolist())
    if len(marks) > FEW:
        leave_out(ax, f"characters beyond the {FEW} where weights change most")
    for start in range(0, len(marks), COLUMNS):
        places = [place for place in range(start, min(start + COLUMNS, len(marks))) if place in told]
        if places:
            y = start // COLUMNS * row
            tell_boxes(
                ax,
                [(LEFT + (place - start) * column, y, column, row - BETWEEN) for place in places],
                [_text(found, marks[place], place) for place in places],
            )


def _text(found: WeightChanges, mark: str, place: int) -> str:
    """``“e”: i 29, g 20, f 28, o 26``."""
    changes = ", ".join(f"{gate} {values[place]:.2g}" for gate, values in found.changes.items())
    return f"{NAMES.get(mark, f'“{mark}”')}: {changes}"


def _scale(figure: Figure, scale: float, left: float) -> None:
    """The colour bar, below on the right, and what it measures."""
    width, height = figure.get_size_inches()
    ax = figure.add_axes((1 - (left + 2.0) / width, 0.1 / height, 1.5 / width, 0.1 / height), label="scale")
    ax.set_xlim(0, LEVELS)
    ax.set_ylim(0, 1)
    ax.set_axis_off()
    for level in range(1, LEVELS + 1):
        ax.add_patch(_patch(_box(level - 1, 0, 1, 1), level))
    middle = 0.15 / height
    for x, text, side in ((left + 2.05, "norm of the change of a gate’s weights: 0", "right"),
                          (left + 0.45, f"{scale:.2g}", "left")):  # fmt: skip
        figure.text(1 - x / width, middle, text, fontsize=7.5, color=MUTED, ha=side, va="center")


def _box(x: float, y: float, wide: float, high: float) -> Path:
    return Path([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)], closed=True)


def _patch(path: Path, level: int) -> PathPatch:
    return PathPatch(path, facecolor=COLOR, alpha=level / LEVELS, linewidth=0, snap=False)
