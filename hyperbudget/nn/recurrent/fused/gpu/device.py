"""Whether a device can run the kernels, and the kernels themselves, which are not imported before."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

KERNELS = "hyperbudget.nn.recurrent.fused.gpu.kernels"


@functools.cache
def kernels() -> Any:
    """The module of the kernels. Raises ImportError where there is no Triton."""
    return importlib.import_module(KERNELS)


def available(device: torch.device) -> bool:
    """Whether the kernels run on this device, and ``HYPERBUDGET_TRITON=0`` does not turn them off."""
    return device.type == "cuda" and os.environ.get("HYPERBUDGET_TRITON", "") != "0" and runs(device)


def mixes(dtype: torch.dtype, products: torch.dtype) -> bool:
    """Whether products can be of another type than the states: bfloat16, where the device has it."""
    return (dtype, products) == (torch.float32, torch.bfloat16) and torch.cuda.is_bf16_supported(False)


@functools.cache
def runs(device: torch.device) -> bool:
    """Whether a small kernel computes there what it should.

    Triton can be missing, can want another device or driver, and needs a C compiler for the calls of its kernels: the
    answer to all of this is one attempt, once a process.
    """
    try:
        x = torch.linspace(-2, 2, 5, device=device)
        y = torch.zeros_like(x)
        launcher("try_out", x, 1)(x, y, SIZE=5, BLOCK=8, num_warps=1)
        return torch.allclose(y, x.tanh())
    except Exception:  # of Triton, of the driver, of a compiler: whatever it is, there is another way
        return False


def launcher(name: str, like: Tensor, *grid: int) -> Callable[..., None]:
    """The kernel of this name as a function of its arguments, launched on the device of `like`.

    Triton itself takes the current device, wherever the tensors are.
    """
    kernel = getattr(kernels(), name)[grid]

    def launch(*arguments: Any, **named: Any) -> None:
        with torch.cuda.device_of(like):  # type: ignore[no-untyped-call]  # nothing for tensors on a CPU
            kernel(*arguments, **named, enable_fp_fusion=True)  # its default changes, and Triton warns of that

    return launch


def block(numbers: int) -> int:
    """The power of two, from `numbers` on, that a kernel has places for."""
    return 1 << (numbers - 1).bit_length()


def warps(places: int) -> int:
    """How many groups of 32 threads compute a row: each thread up to eight numbers, or more in a very long row.

    With fewer numbers for more threads, sums over a row would take longer.
    """
    return min(max(places // 256, 1), 16)
