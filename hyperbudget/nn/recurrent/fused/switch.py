"""When a window is one function, and when it is a plain loop."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.paths import FOR_PACKS, Path, path_for
from hyperbudget.nn.recurrent.fused.products import FEW

_plain = os.environ.get("HYPERBUDGET_PLAIN", "") not in ("", "0")
_forced: Path | None = None
_packed = False


def product_type(like: Tensor) -> torch.dtype:
    """What matrix products with this tensor are in: where there is mixed precision, in less."""
    device = like.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else like.dtype


def selected(like: Tensor, steps: int) -> Path:
    """The implementation for so many steps with states like this tensor, of which there is one."""
    path = _forced or _fastest(like, steps)
    assert path is not None
    return path


def _fastest(like: Tensor, steps: int = FEW) -> Path | None:
    products = product_type(like)
    if not transformed():
        return path_for(like.device, like.dtype, products, steps)
    if not _packed or like.dtype not in (torch.float32, torch.float64):
        return None
    return next((path for path in FOR_PACKS if path.works(like.device, like.dtype, products)), None)


def transformed() -> bool:
    """Whether a transform of torch.func is at work."""
    return torch._C._are_functorch_transforms_active()


def usable(*tensors: Tensor, masks: Sequence[Tensor] = ()) -> bool:
    """Whether the function can stand for the loop on these tensors and masks, and is not switched off.

    What autograd has no part in, or sees more than a gradient in, wants the loop: compilation, export, the transforms
    of torch.func but for `packed`, masks with a gradient; and so does mixed precision where no implementation has it.
    The environment variable ``HYPERBUDGET_PLAIN=1`` wants it, too.
    """
    if _plain or torch.compiler.is_compiling():
        return False
    like = tensors[0]
    if {tensor.dtype for tensor in (*tensors, *masks)} != {like.dtype} or any(mask.requires_grad for mask in masks):
        return False
    return _fastest(like) is not None


@contextmanager
def plain_loops(plain: bool = True) -> Iterator[None]:
    """Plain loops within, or with False the function again: for tests and benchmarks of one against the other."""
    global _plain
    before, _plain = _plain, plain
    try:
        yield
    finally:
        _plain = before


@contextmanager
def by(path: Path) -> Iterator[None]:
    """Windows within are computed by this implementation: for tests and benchmarks of one against the other."""
    global _forced
    before, _forced = _forced, path
    try:
        yield
    finally:
        _forced = before


@contextmanager
def packed() -> Iterator[None]:
    """What `torch.vmap` does within is over runs with parameters of their own: their windows are computed as one."""
    global _packed
    before, _packed = _packed, True
    try:
        yield
    finally:
        _packed = before
