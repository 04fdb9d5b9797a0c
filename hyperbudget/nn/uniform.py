"""Where a network's dropout takes its random numbers from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor


class Draws(Protocol):
    """What stands for a generator where numbers are drawn before, as many runs at once need it."""

    def draw(self, shape: Sequence[int]) -> Tensor:
        """The next uniform numbers in [0, 1): of this shape."""


Source = torch.Generator | Draws | None
"""None: torch's global generator."""


def uniform(shape: Sequence[int], like: Tensor, source: Source) -> Tensor:
    """Uniform numbers in [0, 1) of `shape`: on the generator's device, or without one on that of `like`."""
    if source is None or isinstance(source, torch.Generator):
        device = like.device if source is None else source.device
        return torch.rand(*shape, generator=source, device=device)
    return source.draw(shape)


class Given:
    """Draws that were made before, handed out one after the other."""

    def __init__(self, numbers: Iterable[Tensor]) -> None:
        self.numbers: Iterator[Tensor] = iter(numbers)

    def draw(self, shape: Sequence[int]) -> Tensor:
        """See `Draws.draw`. Raises ValueError where the next ones are of another shape, or there are none."""
        found = next(self.numbers, None)
        if found is None or tuple(found.shape) != tuple(shape):
            there = "none are left" if found is None else f"the next numbers are of {tuple(found.shape)}"
            raise ValueError(f"shape: {tuple(shape)} is asked for, but {there}")
        return found


class Noted:
    """Draws of zeros: what is wanted are the shapes that are asked for, in `shapes`."""

    def __init__(self, like: Tensor) -> None:
        self.like = like
        self.shapes: list[tuple[int, ...]] = []

    def draw(self, shape: Sequence[int]) -> Tensor:
        """See `Draws.draw`."""
        self.shapes.append(tuple(shape))
        return self.like.new_zeros(*shape)
