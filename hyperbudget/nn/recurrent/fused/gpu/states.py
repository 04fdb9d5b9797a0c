"""What a weight of h is multiplied with in a window."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperbudget.nn.recurrent.fused.gpu.memory import whole
from hyperbudget.nn.recurrent.fused.tape import Tape


class States:
    """h before and after each step, in the type of products: on the tape where that is not the states' own.

    first: h before the first step, shape (batch, size).
    """

    def __init__(self, tape: Tape, first: Tensor, products: torch.dtype) -> None:
        self.first, self.steps = first, tape.steps
        mixed = products != first.dtype
        self.kept = whole(tape, first, tape.steps + 1, *first.shape, dtype=products) if mixed else None

    def begin(self, outputs: Tensor) -> None:
        """Before the first step, with where h after each step is going to stand, shape (T, batch, size).

        From then on, `before` has h before each step and after the last, and `narrow` for each step where a kernel
        writes h once more.
        """
        self.narrow: list[Tensor | None] = [None] * self.steps
        self.before = [self.first.contiguous(), *outputs.unbind()]
        if self.kept is not None:
            self.kept[0].copy_(self.first)
            self.before = list(self.kept.unbind())
            self.narrow = [*self.before[1:]]

    def all(self, outputs: Tensor) -> Tensor:
        """What `before` has, in one tensor."""
        return torch.cat([self.first.unsqueeze(0), outputs]) if self.kept is None else self.kept
