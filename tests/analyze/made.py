"""Configurations with given errors."""

from __future__ import annotations

from collections.abc import Sequence

from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.intervals import mean_interval

STEP = 1e-9


def made(
    family: str, parameters: int, validation: Sequence[float], test: Sequence[float] | None = None
) -> Configuration:
    """A configuration of `family`; the test errors are the validation errors unless given."""
    test = validation if test is None else test
    name = f"{family} {parameters} {validation[0]:.6g}"
    return Configuration(
        name=name, label=name, family=family, fields={}, counts={"params.learnable": parameters}, compression=None,
        compact_bytes=None, seeds=tuple(range(len(validation))), validation_errors=tuple(validation),
        test_errors=tuple(test), validation=mean_interval(validation, STEP), test=mean_interval(test, STEP), failed=0,
    )  # fmt: skip
