"""The numbers behind the figures: intervals, fronts, equal budgets, axes, the paper, health. Imports no torch.

Everything is selected on the validation error and reported on the test error; nothing is ever selected on the test.
"""

from hyperbudget.analyze.axes import Axis, Effect, Line, effects
from hyperbudget.analyze.budgets import BudgetEntry, at_budget, equal_budget
from hyperbudget.analyze.configurations import Configuration, configurations
from hyperbudget.analyze.fronts import front, fronts
from hyperbudget.analyze.health import health
from hyperbudget.analyze.intervals import Interval, mean_interval, ratio_interval
from hyperbudget.analyze.paper import PaperMatch, paper_matches
from hyperbudget.analyze.summary import Analysis, analyze
from hyperbudget.analyze.verdict import Verdict, verdict

__all__ = [
    "Analysis",
    "Axis",
    "BudgetEntry",
    "Configuration",
    "Effect",
    "Interval",
    "Line",
    "PaperMatch",
    "Verdict",
    "analyze",
    "at_budget",
    "configurations",
    "effects",
    "equal_budget",
    "front",
    "fronts",
    "health",
    "mean_interval",
    "paper_matches",
    "ratio_interval",
    "verdict",
]
