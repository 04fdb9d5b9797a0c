"""The numbers behind the figures: intervals, fronts and how sure they are, equal budgets and equal quality, axes, the
paper, health. Imports no torch.

Everything is selected on the validation error and reported on the test error; nothing is ever selected on the test.
"""

from hyperbudget.analyze.attainment import Attainment, attainments
from hyperbudget.analyze.axes import Axis, Effect, Line, effects
from hyperbudget.analyze.budgets import BudgetEntry, at_budget, equal_budget
from hyperbudget.analyze.configurations import Configuration, configurations
from hyperbudget.analyze.convergence import Convergence, convergence
from hyperbudget.analyze.draws import Draws, draw_means
from hyperbudget.analyze.exchange import AxisRate, ExchangeRate, axis_rates, exchange_rates
from hyperbudget.analyze.fronts import front, fronts
from hyperbudget.analyze.gap import Gap, gap
from hyperbudget.analyze.health import health
from hyperbudget.analyze.importance import Importances, importances
from hyperbudget.analyze.intervals import Interval, mean_interval, probability_lower, ratio_interval
from hyperbudget.analyze.membership import Member, front_probabilities, members
from hyperbudget.analyze.paper import PaperMatch, paper_matches
from hyperbudget.analyze.sharing import Sharing, sharings
from hyperbudget.analyze.summary import Analysis, analyze
from hyperbudget.analyze.targets import TargetEntry, choose_targets, equal_quality
from hyperbudget.analyze.throughput import Throughput, throughputs
from hyperbudget.analyze.verdict import Verdict, verdict

__all__ = [
    "Analysis",
    "Attainment",
    "Axis",
    "AxisRate",
    "BudgetEntry",
    "Configuration",
    "Convergence",
    "Draws",
    "Effect",
    "ExchangeRate",
    "Gap",
    "Importances",
    "Interval",
    "Line",
    "Member",
    "PaperMatch",
    "Sharing",
    "TargetEntry",
    "Throughput",
    "Verdict",
    "analyze",
    "at_budget",
    "attainments",
    "axis_rates",
    "choose_targets",
    "configurations",
    "convergence",
    "draw_means",
    "effects",
    "equal_budget",
    "equal_quality",
    "exchange_rates",
    "front",
    "front_probabilities",
    "fronts",
    "gap",
    "health",
    "importances",
    "mean_interval",
    "members",
    "paper_matches",
    "probability_lower",
    "ratio_interval",
    "sharings",
    "throughputs",
    "verdict",
]
