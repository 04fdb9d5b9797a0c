"""From a study file's axes to Optuna: samplers, suggestions, and the study that holds the trials."""

from __future__ import annotations

import json
import warnings
from typing import Any

import optuna

from hyperbudget.config import Axis, Study
from hyperbudget.errors import UserError
from hyperbudget.study.folder import masked

WORST_ERROR = 1.0
"""Told for a configuration that the budget refuses: it is complete, infeasible and never trained."""


def sampler(study: Study, trials: int) -> optuna.samplers.BaseSampler:
    """The study's sampler after `trials` trials.

    Seeded from both: a sampler that was seeded alike after every restart would repeat its suggestions.
    """
    seed = study.search.seed * 1_000_003 + trials
    match study.search.sampler:
        case "tpe":
            return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
        case "nsga2":
            return optuna.samplers.NSGAIISampler(seed=seed)
        case _:  # a grid is enqueued point by point, so its sampler is never asked
            return optuna.samplers.RandomSampler(seed=seed)


def open_study(study: Study, storage: str) -> optuna.Study:
    """Create or load the Optuna study, of the study's name.

    Raises UserError when the storage does not answer, or when the study there was begun with another search space.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # `group`, `multivariate` and user attributes that grow are "experimental" in Optuna's words only.
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    try:
        opened = optuna.create_study(
            storage=storage,
            study_name=study.name,
            directions=["minimize"] * len(study.objectives),
            load_if_exists=True,
        )
    except Exception as error:  # SQLAlchemy and its drivers raise what they like
        message = " ".join(str(error).split())[:300]
        raise UserError(f"--storage {masked(storage)}: Optuna cannot use it: {message}") from None
    opened.sampler = sampler(study, len(opened.trials))
    digest = study.space_digest()
    begun = opened.user_attrs.setdefault("space", digest)
    if begun != digest:
        raise UserError(
            f"{study.path}: the search space is not the one that study '{study.name}' was begun with; give the changed "
            "study another name, or start it anew with --fresh (the earlier results are kept aside)"
        )
    opened.set_user_attr("space", digest)
    return opened


def suggest(trial: optuna.Trial, axis: Axis) -> Any:
    """The trial's value on `axis`."""
    if axis.values is not None:
        return decode(trial.suggest_categorical(axis.name, [encode(value) for value in axis.values]))
    assert axis.low is not None
    assert axis.high is not None
    if axis.integer:
        return trial.suggest_int(axis.name, int(axis.low), int(axis.high), log=axis.log)
    return trial.suggest_float(axis.name, axis.low, axis.high, log=axis.log)


def encode(value: Any) -> Any:
    """`value` as Optuna can store it: lists as JSON text."""
    return "json:" + json.dumps(value) if isinstance(value, list | tuple) else value


def decode(value: Any) -> Any:
    """The inverse of `encode`, with tuples for lists."""
    if isinstance(value, str) and value.startswith("json:"):
        return tuple(json.loads(value.removeprefix("json:")))
    return value


def objectives(study: Study, validation_error: float, learnable: int) -> list[float]:
    """The trial's values, in the order of the study's objectives."""
    values = {"validation_error": validation_error, "learnable_parameters": float(learnable)}
    return [values[name] for name in study.objectives]
