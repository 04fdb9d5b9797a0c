"""Learning-rate schedules, in steps."""

from __future__ import annotations

import math

from hyperbudget.train.spec import TrainingSpec

PAPER: dict[str, tuple[float, ...]] = {
    "sgd": (1.0, 0.2, 0.04, 0.008, 0.0016),
    "adam": (1.0, 0.5, 0.1, 0.025),
}
"""Factors of the learning rate in equal parts of the training, by optimizer: the paper's Table 7 (0.1, 0.02, 0.004,
0.0008, 0.00016 for 28,000 steps each) and Table 8 (0.002, 0.001, 0.0002, 0.00005 for 168,000 steps each)."""


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
        case "paper":
            factors = PAPER[spec.optimizer]
            factor = factors[step * len(factors) // spec.steps]
    return max(spec.learning_rate * factor, spec.final_learning_rate)
