"""The singular values of kernels, and how many of them matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hyperbudget.figures.heading import EDGE, Runs, draw_heading, heading_height, run_styles, shared_basic, wrapped
from hyperbudget.figures.style import INK, MUTED, PAPER, FamilyStyle, theme
from hyperbudget.nn.sharing.spectra import Spectrum, spectra, tile_spectrum

WIDE, HIGH, LEFT, UNDER = 2.7, 2.2, 0.62, 0.62
"""A panel, and what it leaves on its left and below it, in inches."""
ZERO = 1e-5
"""Singular values below so much of the largest are rounding."""
STEPS = [1, 2, 4, 8, 10]
NOTES = {
    "filters": "Filters: the kernel as a matrix of output channels x all else.",
    "input slices": "Input slices: of input channels x all else.",
    "all tiles": "All tiles: every tile of every kernel, scaled to length 1, is a row of one matrix.",
}


@dataclass(frozen=True)
class View:
    """One way to read kernels as matrices: for each run its spectra, one a kernel or one in all."""

    name: str
    found: dict[str, list[Spectrum]]


def singular_value_spectra(runs: Runs) -> Figure:
    """Above: singular values over the largest, one line a kernel. Below, for several kernels: effective ranks.

    Three ways to read kernels as matrices: filter by filter, slice by slice (d bounds this rank of a generated kernel,
    or that of the filters with ``slice_axis: out``), and all tiles together (N_z bounds it). Bounds are dashed.
    """
    views = _views(runs)
    layers = len(next(iter(runs.values())).arrays)
    rows = 2 if layers > 1 else 1
    with theme():
        width = max(len(views) * (LEFT + WIDE) + 2 * EDGE, 6.2)
        notes = " ".join(NOTES[view.name] for view in views)
        lines = wrapped(runs, [notes + " Numbers: the effective rank, and what it can be at most."], width)
        top = heading_height(lines)
        height = top + 0.68 + rows * (HIGH + UNDER)
        figure = Figure(figsize=(width, height))
        draw_heading(figure, "Singular values", lines)
        styles = run_styles(runs)
        _legend(figure, styles, any(s.bound for view in views for found in view.found.values() for s in found), top)
        for place, view in enumerate(views):
            left = EDGE + LEFT + place * (LEFT + WIDE)
            single = all(len(found) == 1 for found in view.found.values())
            tall = single and rows == 2
            high = HIGH * 2 + UNDER if tall else HIGH
            bottom = height - top - 0.68 - high
            ax = figure.add_axes((left / width, bottom / height, WIDE / width, high / height), label=view.name)
            _values(ax, view, styles)
            ax.set_title(view.name[0].upper() + view.name[1:], pad=18)
            if single:
                said = ", ".join(f"{name} {found[0].rank:.1f} of {found[0].most}" for name, found in view.found.items())
                ax.annotate(said, (0, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points",
                            fontsize=8, color=MUTED)  # fmt: skip
            if place == 0:
                ax.set_ylabel("singular value / largest")
            if not single:
                bottom -= UNDER + HIGH
                ax = figure.add_axes(
                    (left / width, bottom / height, WIDE / width, HIGH / height), label=f"{view.name}: rank"
                )
                _ranks(ax, view, styles)
                if place == 0:
                    ax.set_ylabel("effective rank")
    return figure


def _views(runs: Runs) -> list[View]:
    """Those that say something: slices need several input channels, tiles several tiles."""
    found = {
        name: {run: spectra(kernels.arrays, kernels.family, axis) for run, kernels in runs.items()}
        for axis, name in enumerate(("filters", "input slices"))
    }
    if all(shape.in_channels == 1 for kernels in runs.values() for shape in kernels.shapes):
        del found["input slices"]
    together = {run: tile_spectrum(k.arrays, k.family, k.basic or shared_basic(runs)) for run, k in runs.items()}
    tiled = {run: [spectrum] for run, spectrum in together.items() if spectrum is not None}
    return [View(name, spectra) for name, spectra in (found | ({"all tiles": tiled} if tiled else {})).items()]


def _legend(figure: Figure, styles: dict[str, FamilyStyle], bounded: bool, top: float) -> None:
    width, height = figure.get_size_inches()
    handles = [
        Line2D([], [], color=s.color, marker=s.marker, markersize=5.5 * s.scale, markeredgecolor=PAPER, linewidth=1.6,
               dashes=s.dashes or (None, None), label=name)
        for name, s in styles.items()
    ]  # fmt: skip
    if bounded:
        handles.append(Line2D([], [], color=INK, linewidth=1, dashes=(2, 2), label="rank bound from the sizes"))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(EDGE / width, 1 - (top - 0.04) / height),
        ncols=len(handles), handlelength=2.6, columnspacing=2.0, borderpad=0, borderaxespad=0, labelcolor=INK,
    )  # fmt: skip


def _values(ax: Axes, view: View, styles: dict[str, FamilyStyle]) -> None:
    longest = max(len(s.values) for found in view.found.values() for s in found)
    for name, found in view.found.items():
        style, few = styles[name], len(found) <= 2
        for spectrum in found:
            values = spectrum.values[: np.count_nonzero(spectrum.values > ZERO) + 1]  # and one to fall to
            ax.plot(
                np.arange(1, len(values) + 1), values, color=style.color, alpha=1 if few else 0.45,
                marker=style.marker if few and longest <= 64 else None, markersize=4.2 * style.scale,
                markeredgecolor=PAPER, markeredgewidth=0.5, linewidth=1.3 if few else 0.8,
                dashes=style.dashes or (None, None), zorder=3,
            )  # fmt: skip
        bounds = {spectrum.bound for spectrum in found}
        if len(bounds) == 1 and (bound := bounds.pop()) is not None:
            ax.axvline(bound, color=style.color, linewidth=1.0, dashes=(2, 2), zorder=2)
    ax.set_ylim(-0.03, 1.05)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ax.set_xlim(1 - 0.03 * longest, 1.03 * longest)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1, steps=STEPS))
    ax.set_xlabel("number of the singular value")


def _ranks(ax: Axes, view: View, styles: dict[str, FamilyStyle]) -> None:
    numbers = np.arange(1, len(next(iter(view.found.values()))) + 1)
    for name, found in view.found.items():
        style = styles[name]
        full = [len(spectrum.values) for spectrum in found]
        ax.step(numbers, full, where="mid", color=MUTED, linewidth=0.8, zorder=1)
        if any(spectrum.bound for spectrum in found):
            ax.step(numbers, [s.most for s in found], where="mid", color=style.color, linewidth=1.0, dashes=(2, 2))
        ax.plot(
            numbers, [spectrum.rank for spectrum in found], color=style.color, marker=style.marker,
            markersize=4.2 * style.scale, markeredgecolor=PAPER, markeredgewidth=0.5, linewidth=1.2,
            dashes=style.dashes or (None, None), zorder=3,
        )  # fmt: skip
    ax.set_ylim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1, steps=STEPS))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=STEPS))
    ax.set_xlabel("kernel")
