"""What the steps of a window keep for the backward pass."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, MutableSequence
from itertools import chain, islice
from typing import NamedTuple

from torch import Tensor

PIECE = 8 << 20
"""Bytes of memory for several steps."""


class Room(NamedTuple):
    """Memory of one shape for each of `steps` steps, in pieces for several steps each: shape (steps, ...).

    Where nothing is kept there is one piece, for one step, and all steps lie there.
    """

    pieces: list[Tensor]
    steps: int

    def each(self) -> list[Tensor]:
        """A tensor a step."""
        tensors = [tensor for piece in self.pieces for tensor in piece.unbind()]
        return tensors if len(tensors) == self.steps else tensors * self.steps

    def addresses(self) -> list[int]:
        """Where each step's numbers lie."""
        found = []
        for piece in self.pieces:
            first, step = piece.data_ptr(), piece.stride(0) * piece.element_size()
            found += [first + t * step for t in range(len(piece))]
        return found if len(found) == self.steps else found * self.steps


class Tape:
    """What T steps keep, in lists of tensors. The backward pass asks a `Replay` for the same ones in the same order.

    Unless it is to `record`, memory for one step is written over and over, and `tensors` is empty.
    """

    def __init__(self, steps: int, record: bool = True) -> None:
        self.steps, self.record = steps, record
        self.lists: list[list[Tensor]] = []

    @property
    def tensors(self) -> list[Tensor]:
        """All that is kept."""
        return list(chain.from_iterable(self.lists))

    def room(self, like: Tensor, *shape: int, more: int = 0) -> Room:
        """Memory of this shape, with any content, for each step and `more` besides."""
        if not self.record:
            return Room([like.new_empty(1, *shape)], self.steps + more)
        self.lists.append([like.new_empty(steps, *shape) for steps in self._pieces(like, shape, more)])
        return Room(self.lists[-1], self.steps + more)

    def _pieces(self, like: Tensor, shape: tuple[int, ...], more: int) -> list[int]:
        """How many steps the pieces of a room are for.

        Neither one a step, which costs more than what is written there, nor one for all: what is larger than 32 MB
        goes back to the system after each window, and comes anew, page by page.
        """
        count, most = self.steps + more, max(1, PIECE // (math.prod(shape) * like.element_size()))
        return [most] * (count // most) + [count % most] * (count % most > 0)

    def log(self) -> MutableSequence[Tensor]:
        """Where each step is to append one tensor that it has anyway."""
        if not self.record:
            return deque(maxlen=0)
        self.lists.append([])
        return self.lists[-1]


class Replay(Tape):
    """A tape that was recorded, handed out again."""

    def __init__(self, steps: int, tensors: Iterable[Tensor]) -> None:
        super().__init__(steps)
        self.recorded = iter(tensors)

    def room(self, like: Tensor, *shape: int, more: int = 0) -> Room:
        """See `Tape.room`; with the content that was recorded."""
        return Room(list(islice(self.recorded, len(self._pieces(like, shape, more)))), self.steps + more)

    def log(self) -> MutableSequence[Tensor]:
        """See `Tape.log`; what was appended."""
        return list(islice(self.recorded, self.steps))
