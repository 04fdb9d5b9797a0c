"""Why a training failed, in one line for a table."""

from __future__ import annotations

import traceback
from typing import Any, Literal

from hyperbudget.errors import UserError
from hyperbudget.study.folder import masked


def failed(error: Exception) -> dict[str, Any]:
    """The training's part of the result of a run that went wrong."""
    text = masked("".join(traceback.format_exception(error)))
    return {"status": "failed", "reason": reason(error), "traceback": text}


def reason(error: Exception) -> str:
    """One line for a table: what went wrong, without the traceback, and without the passwords of URIs."""
    from hyperbudget.train.loop import Diverged

    message = masked(" ".join(str(error).split())) or type(error).__name__
    if isinstance(error, Diverged):
        return f"diverged: {message}"
    if isinstance(error, UserError):
        return message
    if place := out_of_memory(error):
        return f"out of memory on the {place}: {message}"
    return f"{type(error).__name__}: {message}"


def out_of_memory(error: Exception) -> Literal["GPU", "CPU"] | None:
    """Which memory was not enough; None for any other error."""
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return "GPU"
    if isinstance(error, MemoryError):
        return "CPU"
    if isinstance(error, RuntimeError):
        if any(words in str(error) for words in ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")):
            return "GPU"
        if "can't allocate memory" in str(error):
            return "CPU"
    return None
