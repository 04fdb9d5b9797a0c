"""The figures of a report: each takes a frame, or what was found in one, and returns a Figure, or None without data."""

from hyperbudget.figures.axis_effects import axis_effects
from hyperbudget.figures.budget_ratios import budget_ratios
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.trade_off import trade_off

__all__ = ["axis_effects", "budget_ratios", "to_svg", "trade_off"]
