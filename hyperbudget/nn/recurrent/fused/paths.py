"""The implementations of windows, and which of them computes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused import gpu, native
from hyperbudget.nn.recurrent.fused.hyper_window import HyperWindow
from hyperbudget.nn.recurrent.fused.lstm_window import LstmWindow
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.products import FEW
from hyperbudget.nn.recurrent.fused.tape import Tape


class Window(Protocol):
    """A window of T steps: of inputs, options, and a tape that says T and is written forward and read backward."""

    def __init__(self, inputs: Any, tape: Tape, options: Options) -> None: ...

    def forward(self) -> tuple[Tensor, ...]:
        """The outputs, shape (T, batch, H), and the state after the last step."""

    def backward(
        self, outputs: Tensor, grad_outputs: Tensor | None, grad_state: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...]:
        """The gradients of the inputs, from those of what `forward` returned."""


class Path(NamedTuple):
    """One implementation of both windows."""

    lstm: type[Window]
    hyper_lstm: type[Window]
    works: Callable[[torch.device, torch.dtype, torch.dtype], bool]
    """Whether it can compute, on a device, windows with states of a type and products of another."""
    looks_up: bool = False
    """Whether it takes token ids, and what each token adds to the gates, instead of what each x adds."""
    fewest: int = 1
    """Steps of a window below which another implementation is as fast."""


def _native_works(device: torch.device, dtype: torch.dtype, products: torch.dtype) -> bool:
    return device.type == "cpu" and native.available() and (products == dtype or native.mixes(dtype, products))


def _gpu_works(device: torch.device, dtype: torch.dtype, products: torch.dtype) -> bool:
    return gpu.available(device) and (products == dtype or gpu.mixes(dtype, products))


def _pytorch_works(device: torch.device, dtype: torch.dtype, products: torch.dtype) -> bool:
    return device.type in ("cpu", "cuda") and products == dtype


GPU = Path(gpu.LstmWindow, gpu.HyperWindow, _gpu_works)
NATIVE = Path(native.LstmWindow, native.HyperWindow, _native_works, looks_up=True, fewest=FEW)
PYTORCH = Path(LstmWindow, HyperWindow, _pytorch_works)
FOR_PACKS = (GPU, PYTORCH)
"""Those whose windows can be of many runs at once; the fastest first."""


def path_for(device: torch.device, dtype: torch.dtype, products: torch.dtype, steps: int = FEW) -> Path | None:
    """The fastest that there is for states of a type and products of another; None where only a loop will do.

    steps: of the window; many unless it is said.
    """
    if dtype not in (torch.float32, torch.float64):
        return None
    paths = [path for path in (GPU, NATIVE, PYTORCH) if path.works(device, dtype, products)]
    return next((path for path in paths if path.fewest <= steps), paths[0] if paths else None)
