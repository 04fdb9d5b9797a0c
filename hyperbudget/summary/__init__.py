"""What MLflow's pages show of a study as a whole: its front, its intervals, a summary, and its best models."""

from hyperbudget.summary.write import summarise

__all__ = ["summarise"]
