"""A figure whose axes are taller or lower than they were drawn, with all that is written as large as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

Heights = Callable[[float], float]


def elastic_share(figure: Figure) -> float:
    """The share of a figure's height that its axes take: all but titles, ticks and legends."""
    return sum(top - bottom for bottom, top in _bands(figure))


@contextmanager
def stretched(figure: Figure, factor: float) -> Iterator[None]:
    """As long as the context lasts, the axes are `factor` times as tall, and what is between them as tall as it was."""
    width, height = figure.get_size_inches()
    bands = _bands(figure)
    taller = 1 + (factor - 1) * elastic_share(figure)

    def grown(y: float) -> float:
        below = sum(min(max(y, bottom), top) - bottom for bottom, top in bands)
        return (y + (factor - 1) * below) / taller

    back = _move(figure, grown)
    figure.set_size_inches(width, height * taller)
    try:
        yield
    finally:
        figure.set_size_inches(width, height)
        for undo in back:
            undo()


def _bands(figure: Figure) -> list[tuple[float, float]]:
    """The parts of the height, as shares of it, in which axes are: apart from each other, from below."""
    found: list[tuple[float, float]] = []
    for bottom, top in sorted((ax.get_position().y0, ax.get_position().y1) for ax in figure.axes):
        if found and bottom < found[-1][1]:
            bottom, top = found[-1][0], max(top, found.pop()[1])
        found.append((bottom, top))
    return found


def _move(figure: Figure, to: Heights) -> list[Callable[[], object]]:
    """Put axes, legends and texts at other heights. Returns what puts each back."""
    back: list[Callable[[], object]] = []
    whole = figure.transFigure.inverted()
    for ax in figure.axes:
        box = ax.get_position()
        back.append(partial(ax.set_position, box))
        ax.set_position(Bbox([[box.x0, to(box.y0)], [box.x1, to(box.y1)]]))
    for legend in figure.legends:
        anchor = legend.get_bbox_to_anchor().transformed(whole)
        back.append(partial(legend.set_bbox_to_anchor, anchor, figure.transFigure))
        legend.set_bbox_to_anchor(Bbox([[anchor.x0, to(anchor.y0)], [anchor.x1, to(anchor.y1)]]), figure.transFigure)
    for text in figure.texts:
        y = text.get_position()[1]
        back.append(partial(text.set_y, y))
        text.set_y(to(y))
    return back
