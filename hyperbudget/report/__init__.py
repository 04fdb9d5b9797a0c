"""From a frame to one self-contained page and one PDF. Imports no torch."""

from hyperbudget.report.build import build

__all__ = ["build"]
