"""What a small cell beside an LSTM costs in a training window, and what backward passes written by hand bring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from hyperbudget.bench.comparison import Comparison, Ratio
from hyperbudget.bench.interleaved import measure
from hyperbudget.bench.machine import waiting
from hyperbudget.budget.recurrent import recurrent_flops
from hyperbudget.nn.cells import CELLS, Cell
from hyperbudget.nn.recurrent import Recurrent, fused

TIME, BATCH, SYMBOLS = 100, 32, 50
"""Steps of a window, sequences side by side, and one-hot inputs: as in training on Penn Treebank (A.3.3)."""

STEPS, WARMUP = 1, 2
"""Windows of one turn, and of each variant before the first round."""

HYPER_SIZES, EMBEDDING_SIZE = {1000: 128, 256: 64}, 4
"""Units of the small cell by those of the main one, and N_z."""

How = Literal["torch", "loop", "PyTorch", "C++", "Triton"]
PATHS = {"PyTorch": fused.PYTORCH, "C++": fused.NATIVE, "Triton": fused.GPU}


def hyper_size(size: int) -> int:
    """Units of the small cell beside `size` in the main one: of `HYPER_SIZES`, or else an eighth."""
    return HYPER_SIZES.get(size) or max(1, size // 8)


@dataclass(frozen=True)
class Variant:
    """A cell, and what computes it: torch's nn.LSTM, a loop over the steps, or a function of the whole window.

    precision: of the matrix products; in bf16 the rest stays in fp32.
    """

    cell_name: str
    how: How
    precision: Literal["fp32", "bf16"] = "fp32"

    def __str__(self) -> str:
        """``nn.LSTM``, or as the cell and how it is computed: ``hyper_lstm C++ bf16``."""
        name = "nn.LSTM" if self.how == "torch" else f"{self.cell_name} {self.how}"
        return name if self.precision == "fp32" else f"{name} {self.precision}"

    def cell(self, size: int) -> Cell:
        """The cell beside a main cell of this size."""
        kind = CELLS[self.cell_name]
        if "hyper" not in self.cell_name:
            return kind()
        return kind(hyper_size=hyper_size(size), embedding_size=EMBEDDING_SIZE)  # type: ignore[call-arg]

    def operations(self, size: int) -> int:
        """Additions and multiplications in products, forward, a symbol. nn.LSTM multiplies with one-hot inputs."""
        return recurrent_flops(self.cell(size), inputs=SYMBOLS, hidden_size=size, one_hot=self.how != "torch")


TORCH = Variant("lstm", "torch")

TARGETS = {
    (1000, "hyper_lstm PyTorch", "nn.LSTM"): "at most 1.9",
    (1000, "hyper_lstm PyTorch", "hyper_lstm loop"): "at most 0.59",
    (256, "hyper_lstm PyTorch", "nn.LSTM"): "at most 3.3",
    (1000, "hyper_lstm C++", "nn.LSTM"): "at most 1.4",
    (256, "hyper_lstm C++", "nn.LSTM"): "at most 1.7",
    (1000, "ln_hyper_lstm C++", "nn.LSTM"): "at most 0.15 more than hyper_lstm C++",
    (256, "ln_hyper_lstm C++", "nn.LSTM"): "at most 0.15 more than hyper_lstm C++",
}
"""By the size of the main cell, on one thread of an x86 processor."""


def variants(device: torch.device) -> list[Variant]:
    """Those that this machine is able to compute."""
    paths: list[How] = [how for how, path in PATHS.items() if path.works(device, torch.float32, torch.float32)]  # type: ignore[misc]
    found = [TORCH]
    for name in ("lstm", "ln_lstm", "hyper_lstm", "ln_hyper_lstm"):
        found += [Variant(name, how) for how in ("loop", *paths)]
    mixed = [how for how in paths if PATHS[how].works(device, torch.float32, torch.bfloat16)]
    if mixed:
        found += [Variant("lstm", "torch", "bf16")]
        found += [Variant(name, how, "bf16") for name in ("lstm", "hyper_lstm", "ln_hyper_lstm") for how in mixed]
    return found


def compare(sizes: Sequence[int], device: torch.device, *, repetitions: int) -> Iterator[Comparison]:
    """Measure all variants with main cells of each of the sizes; each size when it is asked for."""
    measured = variants(device)
    for size in sizes:
        rounds = measure(
            {str(variant): Passes(variant, size, device, TIME).take for variant in measured},
            repetitions=repetitions,
            steps=STEPS,
            warmup=WARMUP,
            wait=waiting(device),
        )
        name = f"size {size}, hyper cells of {hyper_size(size)}"
        yield Comparison(name, BATCH, rounds, tuple(_ratios(size, measured)), unit="sequences")


def _ratios(size: int, measured: Sequence[Variant]) -> Iterator[Ratio]:
    """Each to nn.LSTM, the functions to the loop. Targets are in words such as ``1.16 by operations; at most 1.9``."""
    pairs = [(variant, TORCH) for variant in measured[1:]]
    pairs += [(v, Variant(v.cell_name, "loop")) for v in measured if v.how in PATHS and v.precision == "fp32"]
    for variant, baseline in pairs:
        target = TARGETS.get((size, str(variant), str(baseline)))
        words = [target] if target else []
        if variant.cell_name != baseline.cell_name:
            words.insert(0, f"{variant.operations(size) / baseline.operations(size):.2f} by operations")
        yield Ratio(str(variant), str(baseline), "; ".join(words))


class Passes:
    """The forward and the backward pass of one layer over a window of `time` random symbols."""

    def __init__(self, variant: Variant, size: int, device: torch.device, time: int) -> None:
        torch.manual_seed(0)
        ids = torch.randint(SYMBOLS, (time, BATCH), device=device)
        network: nn.Module
        if variant.how == "torch":
            network, self.x = nn.LSTM(SYMBOLS, size), F.one_hot(ids, SYMBOLS).float()
        else:
            network, self.x = Recurrent(variant.cell(size), SYMBOLS, size), ids
        self.network, self.variant = network.to(device), variant
        self.gradient = torch.randn(time, BATCH, size, device=device) / ids.numel()  # as of a loss that is a mean

    def take(self) -> None:
        """Both passes; the gradients of the parameters are those of this time alone."""
        self.network.zero_grad()
        path = PATHS.get(self.variant.how)
        mixed = torch.autocast(self.x.device.type, torch.bfloat16, enabled=self.variant.precision == "bf16")
        with fused.plain_loops(self.variant.how == "loop"), fused.by(path) if path else nullcontext(), mixed:
            outputs, _ = self.network(self.x)
        outputs.backward(self.gradient.to(outputs.dtype))
