"""Axes with few, round, readable ticks: log axes for errors, in percent or bits, and for parameter counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from hyperbudget.analyze.words import operations
from hyperbudget.study.results.metrics import Metric

_SERIES = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
_TIMES = (
    (1.0, "s", (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)),
    (60.0, "min", (1, 2, 5, 10, 20, 30)),
    (3600.0, "h", (1, 2, 5, 10)),
    (86400.0, "day", (1, 2, 5, 10, 20, 50, 100)),
)
"""Units of time, in seconds, and their round numbers."""
_CLOSE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def log_ticks(low: float, high: float, most: int = 8, least: int = 4) -> list[float]:
    """Round numbers within [low, high], both above 0: at most `most`, and at least `least` where they can be found."""
    found: list[float] = []
    for series in _SERIES:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = _within(low, high, (step * 10.0**decade for decade in decades for step in series))
        if len(ticks) > most:
            break
        found = ticks
    if len(found) < least:
        even = [float(t) for t in MaxNLocator(nbins=least + 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]
        even = [tick for tick in even if low <= tick <= high]
        found = even if len(found) < len(even) <= most else found
    return found


def close_ticks(low: float, high: float, most: int = 7, least: int = 4) -> list[float]:
    """As `log_ticks`, for ranges that are mostly a small part of a decade, as from 1.25 to 1.45."""
    if high / low > 4:
        return log_ticks(low, high, most, least)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [_within(low, high, (step * 10.0**decade for decade in decades for step in _CLOSE))]
    even = (MaxNLocator(nbins=bins, steps=[1, 2, 5, 10]) for bins in range(least, 2 * most))
    found += [_within(low, high, locator.tick_values(low, high)) for locator in even]
    found = [ticks for ticks in found if len(ticks) <= most]
    return next((ticks for ticks in found if len(ticks) >= least), max(found, key=len))


def error_axis(ax: Axes, low: float, high: float, metric: Metric) -> None:
    """Make y a log axis of errors from `low` to `high`, at most the metric's worst, labelled in its measure."""
    high = min(high, metric.ceiling)
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ends = metric.factor * low, metric.factor * high
    ticks = close_ticks(*ends) if metric.finer else log_ticks(*ends, most=7)
    write = alike(ticks) if metric.finer else shortest
    _fix(ax.yaxis, ticks, metric.factor, lambda tick: f"{write(tick)}{metric.sign}")


def shortest(tick: float) -> str:
    """1.0 is ``1``."""
    return f"{tick:g}"


def alike(ticks: Iterable[float]) -> Callable[[float], str]:
    """Writes all of `ticks` with as many decimals, as those that lie close are easiest compared: ``1.30``, ``1.35``."""
    decimals = max((len(shortest(tick).partition(".")[2]) for tick in ticks), default=0)
    return lambda tick: f"{tick:.{decimals}f}"


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
    _fix(ax.xaxis, shown, 1, shortest)


def time_axis(ax: Axes, low: float, high: float) -> None:
    """Make x a log axis of seconds from `low` to `high`: 5 s, 2 min, 1 h, 3 days."""
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    found = _within(low, high, (number * unit for unit, _, numbers in _TIMES for number in numbers))
    found = found[:: math.ceil(len(found) / 6)] if found else log_ticks(low, high, most=6, least=2)
    _fix(ax.xaxis, found, 1, _duration)


def _duration(seconds: float) -> str:
    unit, name = max((unit, name) for unit, name, _ in _TIMES if seconds >= 0.999 * unit or unit == 1)
    count = f"{seconds / unit:.4g}"
    return f"{count} {name}{'s' if name == 'day' and count != '1' else ''}"


def operation_axis(ax: Axes, low: float, high: float) -> None:
    """Make x a log axis of floating-point operations from `low` to `high`: 500G, 1T, 20P."""
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    _fix(ax.xaxis, log_ticks(low, high, most=6), 1, operations)


def short_count(count: float) -> str:
    """1500 is ``1.5k``, 2e6 ``2M``."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if count >= unit * 0.9999:
            return f"{count / unit:g}{name}"
    return f"{count:g}"


def _within(low: float, high: float, ticks: Iterable[float]) -> list[float]:
    return [float(tick) for tick in ticks if low * 0.9999 <= tick <= high * 1.0001]


def _fix(axis: Axis, ticks: list[float], factor: float, text: Callable[[float], str]) -> None:
    axis.set_major_locator(FixedLocator([tick / factor for tick in ticks]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(float(f"{value * factor:.6g}"))))
