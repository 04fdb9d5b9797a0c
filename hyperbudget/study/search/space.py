"""From a study file's axes to Optuna: samplers, suggestions, and the study that holds the trials."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import optuna

from hyperbudget.config import Axis, Study
from hyperbudget.data.tasks import is_text
from hyperbudget.errors import UserError
from hyperbudget.study.former import WAY_OUT
from hyperbudget.study.stores.storage import open_storage, reason

STARTUP = 10
"""The first so many configurations of the samplers that model what they have seen are drawn at random."""


def sampler(study: Study, trials: int) -> optuna.samplers.BaseSampler:
    """The study's sampler after `trials` trials.

    Seeded from both: a sampler that was seeded alike after every restart would repeat its suggestions. Of the budget
    they all know by the constraint that every trial carries. Raises UserError where the installed Optuna has no such
    sampler, or not all that it needs.
    """
    seed = (study.search.seed * 1_000_003 + trials) % 2**32  # samplers take no larger ones
    name = study.search.sampler
    try:
        match name:
            case "tpe":
                return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True, group=True)
            case "gp":  # fields that a condition or a family decides about are drawn at random
                return optuna.samplers.GPSampler(seed=seed, n_startup_trials=STARTUP, warn_independent_sampling=False)
            case "nsga2":
                return optuna.samplers.NSGAIISampler(seed=seed)
            case _:  # a grid is begun point by point, so its sampler is never asked
                return optuna.samplers.RandomSampler(seed=seed)
    except (AttributeError, ImportError, TypeError) as error:
        raise UserError(
            f"{study.place(('search', 'sampler'))}: search.sampler: {name} is not to be had from the installed Optuna "
            f"{optuna.__version__}: {' '.join(str(error).split())}; install another Optuna, or take another sampler"
        ) from None


def worst(study: Study) -> float:
    """The error that is told for a configuration that the budget refuses: complete, infeasible and never trained.

    No training that is worth anything is worse: all answers wrong, or a byte's 8 bits per character.
    """
    return 8.0 if any(map(is_text, study.tasks())) else 1.0


def open_study(
    study: Study,
    storage: str | optuna.storages.BaseStorage,
    *,
    compared: bool = False,
    own: Callable[[optuna.Study], None] = lambda trials: None,
) -> optuna.Study:
    """Create or load the Optuna study, of the study's name, in `storage`: a URI, or what `open_storage` made of it.

    `compared`: its former state is known, and `study` may go on from there. Else all that is known is a digest of the
    space, kept with the trials. Raises UserError when that differs, or when the storage does not answer. `own` is
    given the study before anything is changed in it, to say whose it is.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # `group`, `multivariate` and user attributes that grow are "experimental" in Optuna's words only.
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    if isinstance(storage, str):
        storage = open_storage(storage)
    try:
        opened = optuna.create_study(
            storage=storage,
            study_name=study.name,
            directions=["minimize"] * len(study.objectives),
            load_if_exists=True,
        )
    except Exception as error:  # SQLAlchemy and its drivers raise what they like
        raise UserError(f"--storage: Optuna cannot use it: {reason(error)}") from None
    own(opened)
    opened.sampler = sampler(study, len(opened.trials))
    digest = study.space_digest()
    begun = opened.user_attrs.setdefault("space", digest)
    if begun != digest and not compared:
        raise UserError(
            f"{study.path}: the search space is not the one that study '{study.name}' was begun with; what has changed "
            "cannot be said, as the study.yaml of its results is missing or of another version of hyperbudget. "
            f"{WAY_OUT}"
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
