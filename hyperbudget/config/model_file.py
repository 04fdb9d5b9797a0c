"""A model file: ``task:`` and ``model:`` of a study file, one value each, for what asks about a model and no study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hyperbudget.config.load import KEYS, _buildable, _read, _settings, load
from hyperbudget.config.overrides import override
from hyperbudget.config.problems import Problems
from hyperbudget.config.space import Space
from hyperbudget.config.study import Study
from hyperbudget.config.words import unknown_key

MODEL_KEYS = ("task", "model")


def load_models(path: str | Path, overrides: Sequence[str] = ()) -> Study:
    """The study in the file at `path`; or, if the file has nothing of a study but ``task`` and ``model``, its model.

    A model file becomes a study of a single configuration with everything else at its default. Raises StudyFileError
    with every problem of the file and the overrides.
    """
    path = Path(path)
    problems = Problems(str(path))
    data = _read(path, problems)
    override(data, overrides, problems)
    if any(name in KEYS and name not in MODEL_KEYS for name in data):
        return load(path, overrides)
    for name in data:
        if name not in MODEL_KEYS:
            problems.add((name,), unknown_key(name, list(MODEL_KEYS)))
    space = Space(data, problems)
    for axis in space.axes:
        problems.add(tuple(axis.split(".")), "an axis; a model file has one value for each field, a study a question")
    settings = _settings({"question": "How many parameters?", "name": "model"}, path, problems)
    problems.raise_any()
    study = Study(path=path.absolute(), axes=(), fixed=space.fixed, **settings)
    _buildable(study, problems)
    problems.raise_any()
    return study
