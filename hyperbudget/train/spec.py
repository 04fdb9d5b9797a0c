"""How a network is trained, as plain data, and the name of a run. Imports no torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from hyperbudget.nn.fields import changed
from hyperbudget.nn.spec import LanguageModel, ModelSpec, SpecError, option

RESULT_VERSION = 1
"""Part of every run's name: raised when a change to networks, training or a default changes results, so that none is
mixed."""


@dataclass(frozen=True)
class TrainingSpec:
    """Settings of the training loop. Lengths are optimiser steps (batches), so they mean the same on every task."""

    steps: int = option(1000, "optimiser steps", ge=1)
    batch_size: int = option(128, "samples a step; of a text: streams", ge=1)
    length: int = option(100, "of a text: symbols of each stream in a step, through which gradients flow back", ge=1)
    optimizer: Literal["adam", "sgd"] = option("adam", "adam, or sgd with Nesterov momentum")
    learning_rate: float = option(1e-3, "largest learning rate", gt=0)
    momentum: float = option(0.9, "Nesterov momentum; used by sgd", ge=0, le=1)
    schedule: Literal["constant", "cosine", "exponential", "step", "paper"] = option(
        "cosine",
        "how the learning rate falls: not, to 0 by a half cosine, by `decay` each step, by `decay` at each of "
        "`milestones`, or as in the paper's Table 7 (sgd: 0.1 at first, 140,000 steps) and Table 8 (adam: 0.002, "
        "672,000), stretched over `steps`",
    )
    warmup: int = option(0, "steps in which the learning rate rises linearly", ge=0)
    decay: float = option(
        0.1, "factor of the schedules `step` (at a milestone) and `exponential` (each step)", gt=0, le=1
    )
    milestones: tuple[float, ...] = option((0.5, 0.75), "where `step` decays, as shares of `steps`", ge=0, le=1)
    final_learning_rate: float = option(0.0, "floor of the learning rate", ge=0)
    l2: float = option(
        0.0,
        "weight of 1/2 sum K^2 over the convolution kernels in use, generated ones included. 0 by default: small nets "
        "trained briefly underfit; Wide ResNets have 5e-4, and the paper's 0.0005%, taken by the word, is 5e-6",
        ge=0,
    )
    clip_norm: float | None = option(None, "largest gradient norm; none unless set", gt=0)
    augment: bool = option(True, "the task's augmentation (random crops), where it has one")
    evaluate_every: int = option(100, "steps between evaluations on the validation split", ge=1)
    evaluation_rows: int = option(
        1,
        "of a text: pieces evaluated side by side, each from a fresh state; 1 carries it through all",
        ge=1,
    )
    precision: Literal["fp32", "bf16"] = option(
        "fp32", "of the main network's products, in training and evaluation; parameters and kernels are made in fp32"
    )
    compile: bool = option(False, "compile the training step by torch.compile, as CUDA graphs on a GPU: for long runs")

    def __post_init__(self) -> None:
        if self.warmup >= self.steps:
            raise SpecError("warmup", f"{self.warmup} steps do not fit into {self.steps} steps of training")
        if self.final_learning_rate > self.learning_rate:
            raise SpecError(
                "final_learning_rate", f"{self.final_learning_rate} is above learning_rate, {self.learning_rate}"
            )

    def check(self, model: ModelSpec) -> None:
        """Raise SpecError for a setting that `model` cannot be trained with."""
        if isinstance(model.network, LanguageModel):
            if self.l2:
                raise SpecError("l2", f"{self.l2:g} is on convolution kernels, and {model.network.name} has none")
            if self.compile:
                raise SpecError("compile", f"is for networks of images, not for {model.network.name}")


@dataclass(frozen=True)
class RunSpec:
    """One configuration with one seed: all that decides a result besides the data themselves."""

    task: str
    model: ModelSpec
    training: TrainingSpec
    seed: int

    def fields(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {
            "task": self.task,
            "model": self.model.fields(),
            "training": dataclasses.asdict(self.training),
            "seed": self.seed,
        }

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> RunSpec:
        """The inverse of `fields`."""
        training = dict(fields["training"])
        training["milestones"] = tuple(training["milestones"])
        return cls(fields["task"], ModelSpec.from_fields(fields["model"]), TrainingSpec(**training), fields["seed"])

    def name(self, data_digest: str) -> str:
        """The run's name: a hash of everything that decides its result, the data's digest included."""
        decisive = self._decisive() | {"task": self.task.partition(":")[0]}  # not where a file lies: its content
        return _digest({**decisive, "seed": self.seed, "data": data_digest, "version": RESULT_VERSION})

    def configuration(self) -> str:
        """The name of the run's configuration, the same for all its seeds."""
        return _digest(self._decisive())

    def _decisive(self) -> dict[str, Any]:
        model = self.model
        return {
            "task": self.task,
            "network": {model.network.name: changed(model.network)},
            "family": {model.family.name: changed(model.family)},
            "training": changed(self.training),
        }


def _digest(fields: dict[str, Any]) -> str:
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
