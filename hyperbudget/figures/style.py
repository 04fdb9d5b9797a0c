"""How figures look: one colour, marker and dash a family, the same in every figure; the theme; colours for the dark.

Colours are those of Okabe & Ito (2008), safe for the colour-blind; markers and dashes say the same without colour.
Figures are drawn with the light values; `hyperbudget.figures.svg` turns them into CSS variables for the screen.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

import matplotlib
import seaborn

INK, MUTED, GRID = "#1c2430", "#5b6675", "#e3e7ec"
PAPER = "#ffffff"

DARK = {
    INK: "#e8ebef",
    MUTED: "#a0abb8",
    GRID: "#2b333d",
    PAPER: "#12161b",
    "#0072b2": "#4fa8e0",
    "#d55e00": "#f58b45",
    "#009e73": "#34c79c",
    "#cc79a7": "#e2a0c5",
    "#e69f00": "#f0b73c",
    "#56b4e9": "#86ccf3",
    "#8a6d00": "#d6bd4e",
    "#6b4fa0": "#b09be0",
}
"""Every colour a figure may use, and what stands for it on a dark page."""


@dataclass(frozen=True)
class FamilyStyle:
    """A family's colour, marker, the marker's relative size and its line's dashes, in line widths."""

    color: str
    marker: str
    scale: float
    dashes: tuple[float, ...]


_STYLES = {
    "free": FamilyStyle("#0072b2", "o", 1.0, (5, 1.8)),
    "shared": FamilyStyle("#d55e00", "s", 0.92, (1.2, 1.4)),
    "hyper": FamilyStyle("#009e73", "D", 0.88, ()),
    "low_rank": FamilyStyle("#cc79a7", "^", 1.1, (5, 1.5, 1.2, 1.5)),
    "dct": FamilyStyle("#e69f00", "v", 1.1, (3, 1.2)),
    "coordinate": FamilyStyle("#56b4e9", "P", 1.15, (8, 2)),
    "hashed": FamilyStyle("#8a6d00", "X", 1.15, (1, 2.5)),
}
_STYLES |= {  # a study has families of kernels or of cells, never both
    "lstm": _STYLES["free"],
    "ln_lstm": _STYLES["shared"],
    "hyper_lstm": _STYLES["hyper"],
    "ln_hyper_lstm": _STYLES["low_rank"],
    "rnn": _STYLES["dct"],
    "hyper_rnn": FamilyStyle("#56b4e9", ">", 1.1, (8, 2)),
}
_OTHERS = (
    FamilyStyle("#6b4fa0", "p", 1.15, (3, 1, 1, 1, 1, 1)),
    *(_STYLES[family] for family in ("low_rank", "dct", "coordinate", "hashed")),
)


def family_styles(families: list[str]) -> dict[str, FamilyStyle]:
    """A style for each of `families`; one with no style of its own gets one that the others leave free, in order."""
    others = sorted(set(families) - set(_STYLES))
    free = [style for style in _OTHERS if style not in [_STYLES.get(family) for family in families]] or _OTHERS
    spare = {family: free[i % len(free)] for i, family in enumerate(others)}
    return {family: _STYLES.get(family) or spare[family] for family in families}


def in_order(families: set[str]) -> list[str]:
    """The families as legends list them: the styled ones first."""
    known = list(_STYLES)
    return sorted(families, key=lambda f: (known.index(f) if f in known else len(known), f))


def theme() -> AbstractContextManager[None]:
    """The context in which every figure is drawn and saved."""
    rules: dict[str, Any] = seaborn.axes_style("ticks")
    rules |= {
        "font.family": "DejaVu Sans",  # ships with matplotlib, so a layout is the same on every machine
        "font.size": 9,
        "axes.labelsize": 9,
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 8,
        "axes.labelcolor": MUTED,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.6,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "grid.linestyle": "-",
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 3,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "svg.fonttype": "none",
        "svg.hashsalt": "hyperbudget",
        "path.simplify": False,
    }
    context: AbstractContextManager[None] = matplotlib.rc_context(cast(Any, rules))
    return context


def css_variables(dark: bool) -> str:
    """Declarations of the figures' CSS variables, one a colour."""
    return " ".join(f"{variable(light)}: {DARK[light] if dark else light};" for light in DARK)


def variable(color: str) -> str:
    """The CSS variable's name of a colour."""
    return f"--figure-{color.removeprefix('#')}"
