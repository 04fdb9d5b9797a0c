"""What a small cell beside an LSTM costs in a training window, and what a backward pass written by hand brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from hyperbudget.bench.comparison import Comparison, Ratio
from hyperbudget.bench.interleaved import measure
from hyperbudget.bench.machine import waiting
from hyperbudget.budget.recurrent import recurrent_flops
from hyperbudget.nn.cells import Cell, HyperLstm, LnHyperLstm, LnLstm, Lstm
from hyperbudget.nn.recurrent import Recurrent
from hyperbudget.nn.recurrent.fused import plain_loops

TIME, BATCH, SYMBOLS = 100, 32, 50
"""Steps of a window, sequences side by side, and one-hot inputs: as in training on Penn Treebank (A.3.3)."""

STEPS, WARMUP = 1, 2
"""Windows of one turn, and of each variant before the first round."""


@dataclass(frozen=True)
class Variant:
    """A cell, and what computes it: torch's nn.LSTM, a loop over the steps, or a function of the whole window."""

    cell: Cell
    path: Literal["torch", "loop", "function"]

    def __str__(self) -> str:
        """``nn.LSTM``, or as the cell; ``hyper_lstm loop`` where a layer would not use a loop by itself."""
        if self.path == "torch":
            return "nn.LSTM"
        return self.cell.name + (" loop" if self.path == "loop" and self.cell in (SMALL, LN_SMALL) else "")

    def operations(self, size: int) -> int:
        """Additions and multiplications in products, forward, a symbol. nn.LSTM multiplies with one-hot inputs."""
        return recurrent_flops(self.cell, inputs=SYMBOLS, hidden_size=size, one_hot=self.path != "torch")


SMALL, LN_SMALL = HyperLstm(hyper_size=128, embedding_size=4), LnHyperLstm(hyper_size=128, embedding_size=4)
TORCH, LSTM, LN_LSTM = Variant(Lstm(), "torch"), Variant(Lstm(), "loop"), Variant(LnLstm(), "loop")
HYPER, HYPER_LOOP = Variant(SMALL, "function"), Variant(SMALL, "loop")
LN_HYPER, LN_HYPER_LOOP = Variant(LN_SMALL, "function"), Variant(LN_SMALL, "loop")
VARIANTS = (TORCH, LSTM, LN_LSTM, HYPER, HYPER_LOOP, LN_HYPER, LN_HYPER_LOOP)

TARGETS = {
    (1000, HYPER, TORCH): "at most 1.9",
    (1000, HYPER, HYPER_LOOP): "at most 0.59",
    (256, HYPER, TORCH): "at most 3.3",
}
"""By the size of the main cell, on one thread of an x86 processor."""


def compare(sizes: Sequence[int], device: torch.device, *, repetitions: int) -> Iterator[Comparison]:
    """Measure all variants with main cells of each of the sizes; each size when it is asked for."""
    for size in sizes:
        rounds = measure(
            {str(variant): Passes(variant, size, device, TIME).take for variant in VARIANTS},
            repetitions=repetitions,
            steps=STEPS,
            warmup=WARMUP,
            wait=waiting(device),
        )
        yield Comparison(f"size {size}", BATCH, rounds, tuple(_ratios(size)), unit="sequences")


def _ratios(size: int) -> Iterator[Ratio]:
    """Their targets are in words such as ``1.10 by operations; at most 1.9``."""
    pairs = [(variant, TORCH) for variant in VARIANTS[1:]] + [(HYPER, HYPER_LOOP), (LN_HYPER, LN_HYPER_LOOP)]
    for variant, baseline in pairs:
        words = [TARGETS[size, variant, baseline]] if (size, variant, baseline) in TARGETS else []
        if variant.cell != baseline.cell:
            words.insert(0, f"{variant.operations(size) / baseline.operations(size):.2f} by operations")
        yield Ratio(str(variant), str(baseline), "; ".join(words))


class Passes:
    """The forward and the backward pass of one layer over a window of `time` random symbols."""

    def __init__(self, variant: Variant, size: int, device: torch.device, time: int) -> None:
        torch.manual_seed(0)
        ids = torch.randint(SYMBOLS, (time, BATCH), device=device)
        network: nn.Module
        if variant.path == "torch":
            network, self.x = nn.LSTM(SYMBOLS, size), F.one_hot(ids, SYMBOLS).float()
        else:
            network, self.x = Recurrent(variant.cell, SYMBOLS, size), ids
        self.network, self.loop = network.to(device), variant.path == "loop"
        self.gradient = torch.randn(time, BATCH, size, device=device) / ids.numel()  # as of a loss that is a mean

    def take(self) -> None:
        """Both passes; the gradients of the parameters are those of this time alone."""
        self.network.zero_grad()
        with plain_loops(self.loop):
            outputs, _ = self.network(self.x)
            outputs.backward(self.gradient)
