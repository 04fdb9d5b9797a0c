"""Axes with few, round, readable ticks: log axes for errors in percent and for parameter counts."""

from __future__ import annotations

import math
from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

_SERIES = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))


def log_ticks(low: float, high: float, most: int = 8, least: int = 4) -> list[float]:
    """Round numbers within [low, high], both above 0: at most `most`, and at least `least` where they can be found."""
    found: list[float] = []
    for series in _SERIES:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [step * 10.0**decade for decade in decades for step in series]
        ticks = [tick for tick in ticks if low * 0.9999 <= tick <= high * 1.0001]
        if len(ticks) > most:
            break
        found = ticks
    if len(found) < least:
        even = [float(t) for t in MaxNLocator(nbins=least + 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]
        even = [tick for tick in even if low <= tick <= high]
        found = even if len(found) < len(even) <= most else found
    return found


def error_axis(ax: Axes, low: float, high: float) -> None:
    """Make y a log axis of errors (shares) from `low` to `high`, labelled in percent."""
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    _fix(ax.yaxis, log_ticks(100 * low, 100 * high, most=7), 100, lambda tick: f"{tick:g}%")


def parameter_axis(ax: Axes, low: float, high: float, most: int = 8) -> None:
    """Make x a log axis of counts from `low` to `high`: 500, 1k, 20k, 1M."""
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    _fix(ax.xaxis, log_ticks(low, high, most=most), 1, short_count)


def value_axis(ax: Axes, values: list[float]) -> None:
    """Make x a log axis whose ticks are `values` themselves."""
    ax.set_xscale("log")
    margin = (values[-1] / values[0]) ** 0.08
    ax.set_xlim(values[0] / margin, values[-1] * margin)
    shown = values if len(values) <= 7 else log_ticks(values[0], values[-1], most=7)
    _fix(ax.xaxis, shown, 1, lambda tick: f"{tick:g}")


def short_count(count: float) -> str:
    """1500 is ``1.5k``, 2e6 ``2M``."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if count >= unit * 0.9999:
            return f"{count / unit:g}{name}"
    return f"{count:g}"


def _fix(axis: Axis, ticks: list[float], factor: float, text: Callable[[float], str]) -> None:
    axis.set_major_locator(FixedLocator([tick / factor for tick in ticks]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(float(f"{value * factor:.6g}"))))
