"""What it brings to train many small recurrent networks as one program, against training them one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from hyperbudget.bench.comparison import Comparison, Ratio
from hyperbudget.bench.interleaved import measure
from hyperbudget.bench.machine import waiting
from hyperbudget.bench.recurrent import EMBEDDING_SIZE, hyper_size
from hyperbudget.nn.cells import CELLS, Cell
from hyperbudget.nn.spec import LanguageModel, ModelSpec
from hyperbudget.train import graph
from hyperbudget.train.loop import Training
from hyperbudget.train.pack.training import PackedTraining
from hyperbudget.train.spec import RunSpec, TrainingSpec
from hyperbudget.train.timing import random_text

TASK = "ptb"
"""Whose number of symbols the random text has."""

RUNS = {"cuda": 32, "cpu": 8}
"""Of a pack, by kind of device."""

WARMUP = graph.WARMUP + 1
"""Steps of each variant before the first round: in the last one a step is captured."""

PACKED, ALONE = "packed", "one after another"

TARGETS = {("cuda", 32, "hyper_lstm"): "at most 0.2 on an H200"}
"""Of training steps, by device, runs and cell."""


@dataclass(frozen=True)
class Packs:
    """Runs that are alike but for their seeds and learning rates."""

    runs: int
    cell_name: str
    size: int
    batch_size: int = 32
    length: int = 100

    def cell(self) -> Cell:
        """The cell, a hyper one with a small cell of `hyper_size`."""
        kind = CELLS[self.cell_name]
        if "hyper" not in self.cell_name:
            return kind()
        return kind(hyper_size=hyper_size(self.size), embedding_size=EMBEDDING_SIZE)  # type: ignore[call-arg]

    def specs(self) -> list[RunSpec]:
        """Of each run; so long that no benchmark comes to an end."""
        model = ModelSpec(LanguageModel(self.size), self.cell())
        return [
            RunSpec(
                TASK,
                model,
                TrainingSpec(
                    steps=10**9, batch_size=self.batch_size, length=self.length, learning_rate=1e-3 * 0.9**seed,
                    schedule="constant", clip_norm=1.0, evaluation_rows=10,
                ),
                seed,
            )
            for seed in range(self.runs)
        ]  # fmt: skip


def compare(packs: Packs, device: torch.device, *, steps: int, repetitions: int) -> Iterator[Comparison]:
    """Measure training steps of all runs, then evaluations; `steps` of each are one turn."""
    specs = packs.specs()
    data = random_text(TASK, specs[0].training)
    packed = PackedTraining(specs, data, device)
    alone = [Training(spec, data, device) for spec in specs]

    def take_steps() -> None:
        for training in alone:
            training.take_step()

    def evaluate() -> None:
        for training in alone:
            training.problem.score("validation")

    name = f"{packs.runs} runs of {packs.cell_name}, size {packs.size}"
    target = TARGETS.get((device.type, packs.runs, packs.cell_name), "")
    for what, symbols, together, apart, wanted in (
        ("training steps", packs.batch_size * packs.length, packed.take_step, take_steps, target),
        ("evaluations", len(data.validation) - 1, packed.score, evaluate, ""),
    ):
        rounds = measure(
            {PACKED: together, ALONE: apart},
            repetitions=repetitions,
            steps=steps,
            warmup=WARMUP,
            wait=waiting(device),
        )
        ratios = (Ratio(PACKED, ALONE, wanted),)
        yield Comparison(f"{what} of {name}", packs.runs * symbols, rounds, ratios, unit="symbols")
