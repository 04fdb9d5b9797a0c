"""Which runs may share a pack. Imports no torch."""

from __future__ import annotations

import dataclasses
import json

from hyperbudget.nn.spec import LanguageModel
from hyperbudget.train.spec import RunSpec

FREE = frozenset(
    {
        "learning_rate", "final_learning_rate", "schedule", "warmup", "decay", "milestones", "momentum", "clip_norm",
        "l2", "augment", "compile",
    }
)  # fmt: skip
"""Training settings in which the runs of a pack may differ; the last three mean nothing to a language model."""


def packable(spec: RunSpec) -> str | None:
    """A key that is equal for runs that may share a pack; None for a run that no pack can train.

    Runs of language models share one that have the same task and model, and the same settings but for their seed and
    those in `FREE`. Networks of images are not packed: their batch norms keep statistics, and they fill a GPU alone.
    """
    if not isinstance(spec.model.network, LanguageModel):
        return None
    settings = {name: value for name, value in dataclasses.asdict(spec.training).items() if name not in FREE}
    return json.dumps([spec.task, spec.model.fields(), settings], sort_keys=True)
