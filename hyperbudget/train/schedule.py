"""Learning-rate schedules, in steps."""

from __future__ import annotations

import math

from hyperbudget.train.spec import TrainingSpec


def learning_rate(spec: TrainingSpec, step: int) -> float:
    """The learning rate of step `step`, counted from 0."""
    if step < spec.warmup:
        return spec.learning_rate * (step + 1) / spec.warmup
    progress = (step - spec.warmup) / (spec.steps - spec.warmup)
    match spec.schedule:
        case "constant":
            factor = 1.0
        case "cosine":
            factor = 0.5 * (1 + math.cos(math.pi * progress))
        case "exponential":
            factor = spec.decay ** (step - spec.warmup)
        case "step":
            factor = spec.decay ** sum(step >= milestone * spec.steps for milestone in spec.milestones)
    return max(spec.learning_rate * factor, spec.final_learning_rate)
