"""Figures as files of their own, on paper: PNG, SVG or PDF."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from hyperbudget.figures.style import PAPER, theme

DPI = 200
"""Pixels an inch of a PNG; `hyperbudget.figures.kernels` draws each weight as a whole number of them."""


def save(figure: Figure, path: Path) -> None:
    """Write `figure` in the format that `path` ends in; the same bytes for the same figure."""
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with theme():
        figure.savefig(path, dpi=DPI, facecolor=PAPER, metadata=dates.get(path.suffix))
