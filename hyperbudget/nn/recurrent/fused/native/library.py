"""The functions of ``cells.cpp``, and its structures."""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.native.build import built
from hyperbudget.nn.recurrent.fused.tape import Room

TYPES = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float64: "float64"}
"""By the type of products: what the functions for it are called after."""


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled functions; compiled now if they are not yet. None where that is not possible."""
    path = built()
    try:
        return None if path is None else ctypes.CDLL(str(path))
    except OSError:
        return None


def available() -> bool:
    """Whether this machine has the functions, and ``HYPERBUDGET_NATIVE=0`` does not turn them off."""
    return os.environ.get("HYPERBUDGET_NATIVE", "") != "0" and library() is not None


def count(name: str, *arguments: int) -> int:
    """What a function of counts gives."""
    found = getattr(library(), name)
    found.restype = ctypes.c_int64
    return int(found(*map(ctypes.c_int64, arguments)))


def mixes(dtype: torch.dtype, products: torch.dtype) -> bool:
    """Whether products can be of another type than the states: bfloat16, where the processor has it."""
    supported: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return (dtype, products) == (torch.float32, torch.bfloat16) and supported


def call(name: str, products: torch.dtype, fields: Structure, *numbers: int) -> None:
    """Call the function for products of this type: of a structure, and of numbers or addresses."""
    getattr(library(), f"{name}_{TYPES[products]}")(ctypes.byref(fields), *map(ctypes.c_int64, numbers))


class Structure(ctypes.Structure):
    """A structure of addresses and numbers, from tensors and numbers; it keeps the tensors while it lives.

    A field may be given a tensor, a room, another structure, a number, or None.
    """

    def __init__(self, **fields: Any) -> None:
        super().__init__()
        self.kept: list[Any] = []
        self.give(**fields)

    def give(self, **fields: Any) -> None:
        """Set some fields; the others are null."""
        for name, value in fields.items():
            self.kept.append(value)
            if isinstance(value, Tensor):
                value = address(value)
            elif isinstance(value, Room):
                array = (ctypes.c_void_p * value.steps)(*value.addresses())
                self.kept.append(array)
                value = ctypes.addressof(array)
            elif isinstance(value, Structure):
                value = ctypes.addressof(value)
            setattr(self, name, value)


def _pointers(*names: str) -> list[tuple[str, Any]]:
    return [(name, ctypes.c_void_p) for name in names]


class CellFields(Structure):
    """``Cell`` in ``gates.h``."""

    _fields_ = [
        ("batch", ctypes.c_int64), ("size", ctypes.c_int64),
        *_pointers("c", "gates", "values", "scale", "c_values", "c_scale"),
        *_pointers("gain", "offset", "c_gain", "c_offset", "mask"),
        *_pointers("grad_c", "grad_gain", "grad_offset", "grad_c_gain", "grad_c_offset"),
        ("epsilon", ctypes.c_double),
    ]  # fmt: skip


class WeightFields(Structure):
    """``Weight`` in ``product.h``."""

    _fields_ = [*_pointers("packed", "bias"), ("inputs", ctypes.c_int64), ("outputs", ctypes.c_int64)]


class LstmFields(Structure):
    """``Lstm`` in ``lstm.h``."""

    _fields_ = [
        *_pointers("cell"), ("steps", ctypes.c_int64),
        *_pointers("h_weight", "ids", "of_x", "outputs", "last_h", "products"),
        *_pointers("grad_outputs", "grad_of_x", "grad_h", "grad_products", "scratch"),
    ]  # fmt: skip


class HyperFields(Structure):
    """``Hyper`` in ``hyper_lstm.h``."""

    _fields_ = [
        *_pointers("main", "small"),
        *((name, ctypes.c_int64) for name in ("steps", "current", "numbers", "stride")),
        *_pointers("h_weight", "hyper_weight", "ids", "of_x", "small_of_x", "d_weight", "outputs", "hyper_h"),
        *_pointers("last_h", "last_hyper_h", "products", "projected"),
        *_pointers("grad_outputs", "grad_last", "grad_of_x", "grad_small_of_x", "grad_d_weight"),
        *_pointers("grad_h", "grad_hyper_h", "grad_products", "grad_projected", "sums", "scratch"),
    ]


def address(tensor: Tensor) -> int:
    """Where a tensor's numbers lie, row after row.

    Raises ValueError for one that does not lie so.
    """
    if not tensor.is_contiguous():
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} and strides {tensor.stride()}: not contiguous")
    return tensor.data_ptr()
