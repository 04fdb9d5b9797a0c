"""The frame: one row a run, as it lies in ``runs.parquet``. The contract between running a study and reporting it.

Whatever wrote such a file, the report can chart it. Columns (a field that a run's model does not have is missing):

=========================  ==========================================================================================
``run``                    name of the run: a hash of everything that decides its result
``configuration``          name of its configuration, the same for all seeds
``label``                  the configuration in a few words, e.g. ``hyper depth 6 width 16 N_z 4``
``trial``                  Optuna's number of the trial
``status``                 ``finished``, ``failed``, or ``pruned``: stopped early by the search
``reason``                 why a run failed, or where it was stopped; else missing
``seed``                   integer
``task``                   e.g. ``mnist``
``metric``                 what the task's error is, by its name in `hyperbudget.study.results.metrics`: ``error``, a
                           share of wrong answers in [0, 1], also where the column is missing; or ``bpc``, bits per
                           character
``model.*``                fields of the model: ``model.network``, ``model.family``, ``model.width``, ...
``training.*``             fields of the training: ``training.learning_rate``, ...
``params.learnable``       parameters that training updates and a checkpoint stores
``params.G``               of these, by group G of `hyperbudget.budget.closed_form.GROUPS`: ``stem``, ``kernels``,
                           ``generator``, ``embeddings``, ``shortcuts``, ``biases``, ``norms``, ``head``;
                           they add up to ``params.learnable``
``params.source``          kernels + generator + embeddings: what stands for the main network's kernels
``params.generated``       weights of the kernels that the main network uses
``params.free``            learnable parameters of the same network with free kernels
``compression``            ``params.free / params.learnable``
``flops.step``             floating-point operations of a training step (`hyperbudget.budget.flops.training_step`);
                           missing in older frames
``validation_error``       the task's error at the selected evaluation; missing for failed and pruned runs, as all below
                           but times, places and curves of the latter, and ``validation_error_so_far``, their lowest
``test_error``             measured once, at that evaluation
``best_step``              the selected evaluation's step
``seconds``                wall time of the training, evaluations included
``compact_bytes``          size of the stored model: what was learnt, as one compact safetensors file
``device``, ``host``       where it was trained
``finished``               when, ISO 8601 in UTC
``data_digest``            checksum of the data
``curve.step``             list of the evaluations' steps
``curve.train_loss``       list: mean loss since the evaluation before
``curve.validation_error`` list
``curve.seconds``          list: wall time of the training so far, evaluations included; missing in older frames
``dynamics.*``             of runs that `hyperbudget.train.dynamics` says something about, as it is called there:
                           ``dynamics.symbols``, ``dynamics.change.i``, ..., ``dynamics.spread.h``, ...,
                           ``dynamics.phi`` (lists) and ``dynamics.saturated``; of image networks what
                           `hyperbudget.train.sharing` says: ``dynamics.sharing.cosine``, ``dynamics.sharing.rank``, ...
=========================  ==========================================================================================

``frame.attrs["study"]``: ``name``, ``question``, ``task``, ``file`` (name of the study file), ``yaml`` (the resolved
study), ``command`` (how to run it again), ``axes`` (a list of ``{"name": "model.embedding_size", "role": "science" |
"nuisance", "values": [...] | None, "low": x | None, "high": x | None, "log": bool}``), ``seeds`` (list), ``budgets``
(list of parameter budgets that the report compares at, may be empty), ``baseline`` (the family that others are compared
with), ``budget`` (the study's ``budget:`` section), ``refused`` (how many configurations the budget refused).
``frame.attrs["versions"]``: package name -> version, ``git`` -> commit. ``frame.attrs["hardware"]``: words -> words.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hyperbudget.errors import UserError
from hyperbudget.study.results.metrics import ERROR, METRICS, Metric

REQUIRED = (
    "run", "configuration", "label", "status", "seed", "task", "model.network", "model.family", "params.learnable",
    "validation_error", "test_error",
)  # fmt: skip


LISTS = ("curve.", "dynamics.")
"""What the names of columns begin with that say how a run went and what it does, mostly in lists."""


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write `frame` to `path`, whole or not at all."""
    partial = path.with_suffix(".parquet.part")
    frame.to_parquet(partial, index=False)
    partial.replace(path)


def read(path: Path) -> pd.DataFrame:
    """Read a ``runs.parquet``. Raises UserError when it is missing, unreadable or lacks a required column."""
    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; 'hyperbudget run' writes one") from None
    except Exception as error:
        raise UserError(f"{path}: not a readable parquet file: {error}") from None
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing or "study" not in frame.attrs:
        what = f"lacks the columns {', '.join(missing)}" if missing else "lacks the study that it came from"
        raise UserError(f"{path}: {what}; is it a runs.parquet that hyperbudget wrote?")
    return frame


def metric_of(frame: pd.DataFrame) -> Metric:
    """What the errors of `frame` are. Raises UserError for several metrics, or one that this version does not know."""
    names = sorted({str(name) for name in frame["metric"].dropna()}) if "metric" in frame.columns else []
    if len(names) > 1:
        raise UserError(f"runs that are measured in {' and '.join(names)} cannot be compared")
    if names and names[0] not in METRICS:
        raise UserError(f"metric: {names[0]!r} is not one of {', '.join(METRICS)}; was it a newer hyperbudget's?")
    return METRICS[names[0]] if names else ERROR
