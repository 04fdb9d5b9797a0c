"""The study file: typed, strict, with line numbers in its errors. Imports no torch."""

from hyperbudget.config.axis import Axis
from hyperbudget.config.load import load
from hyperbudget.config.problems import StudyFileError
from hyperbudget.config.study import Configuration, Refused, Study

__all__ = ["Axis", "Configuration", "Refused", "Study", "StudyFileError", "load"]
