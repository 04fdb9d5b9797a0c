"""When a window is one function, and when it is a plain loop."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

_plain = os.environ.get("HYPERBUDGET_PLAIN", "") not in ("", "0")


def usable(*tensors: Tensor, masks: Sequence[Tensor] = ()) -> bool:
    """Whether the function can stand for the loop on these tensors and masks, and is not switched off.

    What autograd has no part in, or sees more than a gradient in, wants the loop: mixed precision, compilation, export,
    the transforms of torch.func, masks with a gradient. The environment variable ``HYPERBUDGET_PLAIN=1`` wants it, too.
    """
    if _plain or torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return False
    dtypes, device = {tensor.dtype for tensor in (*tensors, *masks)}, tensors[0].device.type
    return (
        dtypes in ({torch.float32}, {torch.float64})
        and device in ("cpu", "cuda")
        and not torch.is_autocast_enabled(device)
        and not any(mask.requires_grad for mask in masks)
    )


@contextmanager
def plain_loops(plain: bool = True) -> Iterator[None]:
    """Plain loops within, or with False the function again: for tests and benchmarks of one against the other."""
    global _plain
    before, _plain = _plain, plain
    try:
        yield
    finally:
        _plain = before
