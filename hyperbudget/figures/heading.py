"""What stands above the pictures of a run: a title, and lines that say what they show."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from hyperbudget.figures.style import INK, MUTED, FamilyStyle, family_styles
from hyperbudget.study.results.kernels import Kernels

Runs = Mapping[str, Kernels]
"""One run or two that stand beside each other, by a short name each."""

LINE, TITLE, EDGE = 0.165, 0.25, 0.12
"""Heights of a line and of the title, and the margin on every side, in inches."""
SIZE = 8.0
CHARACTERS = 16.4
"""So many fit into an inch, at `SIZE`."""


def wrapped(runs: Runs, notes: Sequence[str], width: float) -> list[str]:
    """The lines below the title: a paragraph a run, a paragraph a note, for a figure of `width` inches."""
    return fitted([f"{name}: {kernels.words}" for name, kernels in runs.items()] + list(notes), width)


def fitted(paragraphs: Sequence[str], width: float) -> list[str]:
    """Their lines in a figure of `width` inches."""
    fitting = int((width - 2 * EDGE) * CHARACTERS)
    return [line for paragraph in paragraphs for line in textwrap.wrap(paragraph, fitting)]


def heading_height(lines: Sequence[str]) -> float:
    """In inches, with the space below it."""
    return EDGE + TITLE + LINE * len(lines) + 0.1


def draw_heading(figure: Figure, title: str, lines: Sequence[str]) -> None:
    """Write both into the upper left corner."""
    width, height = figure.get_size_inches()
    left = EDGE / width
    figure.text(left, 1 - EDGE / height, title, fontsize=10.5, fontweight="bold", color=INK, va="top")
    for number, line in enumerate(lines):
        y = 1 - (EDGE + TITLE + LINE * number) / height
        figure.text(left, y, line, fontsize=SIZE, color=MUTED, va="top")


def run_styles(runs: Runs) -> dict[str, FamilyStyle]:
    """A style a run: its family's, and another one for the second run of the same family."""
    families = [kernels.family.name for kernels in runs.values()]
    second = ["beside"] if len(set(families)) < len(families) else []
    styles = family_styles([*dict.fromkeys(families), *second])
    return dict(zip(runs, styles.values(), strict=True))


def shared_basic(runs: Runs) -> tuple[int, int] | None:
    """The basic size that free kernels beside a hypernetwork are cut by: its own."""
    return next((kernels.basic for kernels in runs.values() if kernels.basic), None)
