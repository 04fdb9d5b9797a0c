"""What generated kernels cost in a training step of a Wide ResNet, and what precision and compilation bring."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from hyperbudget.bench.comparison import Comparison, Ratio
from hyperbudget.bench.interleaved import measure
from hyperbudget.bench.machine import waiting
from hyperbudget.bench.per_tile import PerTileKernels
from hyperbudget.nn.sources import HyperKernels
from hyperbudget.nn.spec import Free, Hyper, ModelSpec, WideResNet
from hyperbudget.train.loop import Training
from hyperbudget.train.spec import RunSpec, TrainingSpec
from hyperbudget.train.timing import random_data

TASK = "cifar10"
GENERATED = Hyper(embedding_size=64, basic_in=16, basic_out=16)
"""As in the paper's Table 2."""

SETTINGS = TrainingSpec(
    steps=10**9,
    optimizer="sgd",
    schedule="constant",
    learning_rate=1e-9,  # the weights stay as they are drawn: learnt by heart, the batch would end in denormal numbers
    l2=5e-4,
)


@dataclass(frozen=True)
class Variant:
    """What is trained, and how."""

    kernels: Literal["free", "hyper", "hyper per tile"]
    precision: Literal["fp32", "bf16"] = "fp32"
    compile: bool = False

    def __str__(self) -> str:
        """``free``, ``hyper bf16``, ``free compiled``."""
        return self.kernels + (" bf16" if self.precision == "bf16" else "") + (" compiled" if self.compile else "")


FREE, HYPER, PER_TILE = Variant("free"), Variant("hyper"), Variant("hyper per tile")
HALF = "about 0.5 on a CPU with AMX or AVX-512 BF16"

COMPARISONS: dict[str, list[tuple[Variant, Variant, str]]] = {
    "kernels": [(HYPER, FREE, "at most 1.03 at batch 128"), (PER_TILE, FREE, ""), (HYPER, PER_TILE, "")],
    "precision": [(replace(kernels, precision="bf16"), kernels, HALF) for kernels in (FREE, HYPER)],
    "compile": [(replace(kernels, compile=True), kernels, "") for kernels in (FREE, HYPER)],
}
"""For each comparison its ratios: variant, baseline, target."""


def compare(
    network: WideResNet, device: torch.device, *, batches: Sequence[int], repetitions: int, only: Collection[str]
) -> Iterator[Comparison]:
    """Measure the comparisons named in `only`, in the order of `COMPARISONS`; each one when it is asked for.

    Those of kernels are measured at every batch size, the others at the first.
    """

    @functools.cache
    def training(variant: Variant, batch: int) -> Training:
        return build(variant, network, batch, device)

    for name, ratios in COMPARISONS.items():
        if name not in only:
            continue
        variants = dict.fromkeys(variant for ours, baseline, _ in ratios for variant in (baseline, ours))
        for batch in batches if name == "kernels" else batches[:1]:
            rounds = measure(
                {str(variant): training(variant, batch).take_step for variant in variants},
                repetitions=repetitions,
                wait=waiting(device),
            )
            shown = tuple(Ratio(str(ours), str(baseline), target) for ours, baseline, target in ratios)
            yield Comparison(name, batch, rounds, shown)


def build(variant: Variant, network: WideResNet, batch: int, device: torch.device) -> Training:
    """A training on random images whose step can be taken any number of times."""
    family = Free() if variant.kernels == "free" else GENERATED
    settings = replace(SETTINGS, batch_size=batch, precision=variant.precision, compile=variant.compile)
    training = Training(RunSpec(TASK, ModelSpec(network, family), settings, seed=0), random_data(TASK, batch), device)
    if variant.kernels == "hyper per tile":
        assert isinstance(training.model.source, HyperKernels)
        training.model.source = PerTileKernels(training.model.source)  # the same parameters: the optimiser's own
    return training
