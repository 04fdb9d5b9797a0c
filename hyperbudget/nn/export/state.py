"""The tensors of a model: taken out for a file, and put into a model that must have exactly these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class StateMismatch(ValueError):
    """Tensors that are not those of the model; the message names the first that differs."""


def tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers (the running statistics of norms), by name: on the CPU, row-major, sharing no memory."""
    return {
        name: value.detach().to("cpu", copy=True).contiguous(memory_format=torch.contiguous_format)
        for name, value in model.state_dict().items()
    }


def fill(model: nn.Module, state: Mapping[str, Any]) -> None:
    """Copy `state` into `model`. Raises StateMismatch, and changes nothing, unless names and shapes agree."""
    expected = model.state_dict()
    for name, value in expected.items():
        found = state.get(name)
        if not isinstance(found, Tensor):
            raise StateMismatch(f"{name} is missing")
        if found.shape != value.shape:
            raise StateMismatch(f"{name} has shape {list(found.shape)}, not {list(value.shape)}")
    for name in state:
        if name not in expected:
            raise StateMismatch(f"{name} is not one of its tensors")
    model.load_state_dict(state)
