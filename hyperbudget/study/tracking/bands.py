"""Bands of learnable parameters, so that MLflow's pages can show the runs of one budget together."""

from __future__ import annotations

from collections.abc import Sequence

from hyperbudget.config import Study


def budgets(study: Study) -> tuple[int, ...]:
    """The budgets that the study is about: those that it reports at, else those that its configurations land on."""
    params = study.budget.params
    return tuple(sorted(study.report.budgets or (params.ends if params else ())))


def band(learnable: int, study: Study) -> str:
    """The smallest budget of the study that holds `learnable` parameters, ``<= 14,000``; ``> 50,000`` above all.

    A study without budgets has a band for every power of two.
    """
    return band_of(learnable, budgets(study))


def band_of(learnable: int, edges: Sequence[int]) -> str:
    """As `band`, for budgets from small to large."""
    if not edges:
        return f"<= {1 << max(0, learnable - 1).bit_length():,}"
    holds = next((edge for edge in edges if learnable <= edge), None)
    return f"> {edges[-1]:,}" if holds is None else f"<= {holds:,}"
