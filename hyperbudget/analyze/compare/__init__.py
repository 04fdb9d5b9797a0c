"""Several studies beside each other: what differs between them in the configurations that they share.

The first study is what the others are held against.
"""

from hyperbudget.analyze.compare.records import Comparison, LeftOut, Pair, Side, Studies, TaskComparison
from hyperbudget.analyze.compare.studies import compare

__all__ = ["Comparison", "LeftOut", "Pair", "Side", "Studies", "TaskComparison", "compare"]
