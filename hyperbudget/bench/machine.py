"""What a benchmark runs on, and whether it can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from hyperbudget.errors import UserError
from hyperbudget.study.workers.machine import machine as worker_machine


def find_device(name: str | None) -> torch.device:
    """The device `name`; without one a GPU if there is one. Raises UserError for one that is not there."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no CUDA device here; --device cpu measures without one")
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True  # as a study's worker does
    return device


def waiting(device: torch.device) -> Callable[[], object]:
    """A function that returns when `device` has done all that it was given."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None


def check_compile(device: torch.device) -> None:
    """Raise UserError where torch.compile does not work: found out on a small function, before minutes of measuring."""
    try:
        torch.compile(_negative)(torch.ones(2, device=device))
    except Exception as error:  # of many types: no C++ compiler, no headers, no Triton ...
        why = str(getattr(error, "inner_exception", error)).splitlines() or [type(error).__name__]
        raise UserError(
            f"compile: torch.compile does not work here: {why[0]}; install what it lacks (on a CPU g++), or name "
            "other comparisons with --only"
        ) from None


def _negative(x: torch.Tensor) -> torch.Tensor:
    return -x


def machine(device: torch.device) -> dict[str, Any]:
    """What times depend on besides the program: processor, its bf16 instructions, threads, torch, device."""
    hardware = worker_machine()["hardware"]
    has: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # newer than the oldest torch that will do
    return {
        "processor": hardware["processor"],
        "bf16_instructions": [name for name in ("amx_bf16", "avx512_bf16", "sve_bf16", "bf16") if has.get(name)],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": hardware["accelerator"] if device.type == "cuda" else "cpu",
    }
