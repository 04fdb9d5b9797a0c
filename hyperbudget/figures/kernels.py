"""A network's kernels as images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from hyperbudget.analyze.kernels import gallery, mosaic
from hyperbudget.figures.heading import EDGE, Runs, draw_heading, heading_height, shared_basic, wrapped
from hyperbudget.figures.picture import DPI
from hyperbudget.figures.style import INK, MUTED, theme
from hyperbudget.nn.sharing.matrices import Array
from hyperbudget.nn.spec import KernelShape

DIVERGING = LinearSegmentedColormap.from_list(
    "hyperbudget diverging", ["#00263d", "#0072b2", "#8fc3df", "#f4f4f2", "#efb58a", "#d55e00", "#4a2000"]
).with_extremes(bad="#b7bfc9")
"""Blue below 0, orange above it, near white at it; gaps grey."""

LARGE = 7
"""Kernels higher or wider than this are drawn filter by filter, not by input and output channels."""
FILTERS, ACROSS = 256, 16
"""So many images of such kernels, and in a row."""
LEAST, MOST = 3, 32
"""Pixels that a weight is wide."""
QUANTILE = 0.99
"""Share of the weights that the colours cover: single large ones would leave all others pale."""
BOXES = {1: 1180, 2: 840, 4: 640, 12: 440}
"""Pixels that a panel is wide, by how many panels there are at most; `BOX` beyond."""
BOX = 320
BETWEEN, ABOVE = 30, 84
"""Pixels between panels, and above them for what stands there."""


@dataclass(frozen=True)
class Panel:
    """An image whose pixels are the file's; where the lines between tiles run; the scale; what was left out."""

    image: Array
    rows: list[float]
    columns: list[float]
    scale: float
    cut: str


def kernel_pictures(runs: Runs) -> Figure:
    """One panel a kernel and run, those of two runs side by side; each has a scale of its own, which stands above it.

    Rows are input channels, columns output channels (figures 2, 12 and 13 of the paper), as many as stay readable.
    Lines: the tiles that a hypernetwork generates. Kernels as large as images: one image a filter (figure 8).
    """
    shapes = next(iter(runs.values())).shapes
    number = len(shapes) * len(runs)
    box = next((size for most, size in BOXES.items() if number <= most), BOX)
    step = shared_basic(runs) or (8, 8)
    groups = [
        [panel(kernels.arrays[place], kernels.basic, step, box) for kernels in runs.values()]
        for place in range(len(shapes))
    ]
    with theme():
        return _draw(runs, shapes, groups)


def panel(kernel: Array, basic: tuple[int, int] | None, step: tuple[int, int], box: int) -> Panel:
    """The image of a kernel, at most `box` pixels each way where `LEAST` pixels a weight allow it.

    basic: input and output channels of the tiles, for the lines. Where not all channels fit, multiples of `step` are
    shown, input and output channels.
    """
    out, into, height, width = kernel.shape
    if max(height, width) > LARGE:
        kept = min(out, max(1, FILTERS // into))
        across = into * max(1, ACROSS // into)
        images, basic = gallery(kernel[:kept].reshape(-1, height, width), across), None
        cut = f"first {kept} filters" if kept < out else ""
    else:
        rows, columns = (
            _fitting(channels, (box + 1) // (LEAST * size + 1), unit)
            for channels, size, unit in zip((into, out), (height, width), step, strict=True)
        )
        images = kernel[:columns, :rows].swapaxes(0, 1)
        cut = f"first {rows} x {columns}" if (rows, columns) != (into, out) else ""
    zoom, gap = LEAST, 1
    for gap in (3, 2, 1):
        zoom = min(((box + gap) // n - gap) // size for n, size in zip(images.shape[:2], (height, width), strict=True))
        if zoom >= 3 * gap:
            break
    zoom = min(max(zoom, LEAST), MOST)
    places = [
        [n * (size * zoom + gap) - (gap + 1) / 2 for n in range(unit, count, unit)]
        for unit, count, size in zip(basic or images.shape[:2], images.shape[:2], (height, width), strict=True)
    ]
    sizes = np.abs(kernel)
    scale = float(np.quantile(sizes, QUANTILE)) or float(sizes.max()) or 1.0
    return Panel(mosaic(images, zoom, gap), places[0], places[1], scale, cut)


def _fitting(channels: int, most: int, step: int) -> int:
    """All channels, or else the largest multiple of `step` that is at most `most`, or that itself."""
    return channels if channels <= most else most // step * step or most


def _draw(runs: Runs, shapes: list[KernelShape], groups: list[list[Panel]]) -> Figure:
    """All lengths are whole pixels, or else weights of one size would have several on the screen."""
    across, edge = _across(len(groups), len(runs)), round(EDGE * DPI)
    column = max(256, *(drawn.image.shape[1] for group in groups for drawn in group)) + BETWEEN
    rows = [groups[start : start + across] for start in range(0, len(groups), across)]
    heights = [max(drawn.image.shape[0] for group in row for drawn in group) + ABOVE for row in rows]
    width = max(across * len(runs) * column - BETWEEN, 6 * DPI) + 2 * edge
    lines = wrapped(runs, _notes(shapes, groups), width / DPI)
    top = round(heading_height(lines) * DPI)
    height = top + sum(heights) + edge
    figure = Figure(figsize=(width / DPI, height / DPI))
    draw_heading(figure, "Kernels", lines)
    _colours(figure)
    for number, (shape, group) in enumerate(zip(shapes, groups, strict=True), start=1):
        row, place = divmod(number - 1, across)
        y = height - top - sum(heights[:row]) - ABOVE  # of the images' upper edge
        for side, (name, drawn) in enumerate(zip(runs, group, strict=True)):
            x = edge + (place * len(runs) + side) * column
            high, wide = drawn.image.shape
            box = (x / width, (y - high) / height, wide / width, high / height)
            _image(figure.add_axes(box, label=f"{number} {name}"), drawn)
            above = f"{number}: {shape.height} x {shape.width} x {shape.in_channels} x {shape.out_channels}"
            own = f"{name} ±{drawn.scale:.2g}" if len(runs) > 1 else f"±{drawn.scale:.2g}"
            if drawn.cut and len(runs) > 1:
                above += f", {drawn.cut}"
            elif drawn.cut:
                own += f", {drawn.cut}"
            figure.text(x / width, (y + 10) / height, own, fontsize=7.5, color=MUTED, va="bottom")
            if side == 0:
                figure.text(x / width, (y + 40) / height, above, fontsize=7.5, color=INK, va="bottom")
    return figure


def _image(ax: Axes, drawn: Panel) -> None:
    ax.imshow(drawn.image, cmap=DIVERGING, vmin=-drawn.scale, vmax=drawn.scale, interpolation="none")
    ax.set_axis_off()
    for y in drawn.rows:
        ax.axhline(y, color=INK, linewidth=0.8)
    for x in drawn.columns:
        ax.axvline(x, color=INK, linewidth=0.8)


def _across(groups: int, side: int) -> int:
    """Groups of `side` panels in a row: about as wide as high, with few places left empty in the last row."""
    wanted = max(1, round(math.sqrt(1.25 * groups / side)))
    return min(range(max(1, wanted - 1), min(groups, wanted + 1) + 1), key=lambda n: (-groups % n, abs(n - wanted)))


def _notes(shapes: list[KernelShape], groups: list[list[Panel]]) -> list[str]:
    large = all(max(shape.height, shape.width) > LARGE for shape in shapes)
    first = "One image a filter and input channel." if large else "Rows: input channels, columns: output channels."
    scale = f"Colours end at the scale above each kernel, the {QUANTILE:.0%} quantile of its |weights|."
    lined = any(drawn.rows or drawn.columns for group in groups for drawn in group)
    return [f"{first} {scale}" + " Lines: the tiles that the hypernetwork generates." * lined]


def _colours(figure: Figure) -> None:
    """A bar of them in the upper right corner."""
    width, height = figure.get_size_inches()
    box = (1 - (EDGE + 1.55) / width, 1 - (EDGE + 0.14) / height, 1 / width, 0.1 / height)
    ax = figure.add_axes(box, label="scale")
    ax.imshow(np.linspace(-1, 1, 101)[None], cmap=DIVERGING, aspect="auto")
    ax.set_axis_off()
    y = 1 - (EDGE + 0.09) / height
    for x, text, side in ((EDGE + 1.6, "−", "right"), (EDGE + 0.5, "+ scale", "left")):
        figure.text(1 - x / width, y, text, fontsize=7.5, color=MUTED, ha=side, va="center")
