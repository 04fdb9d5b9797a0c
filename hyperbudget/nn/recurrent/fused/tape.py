"""What the steps of a window keep for the backward pass."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, MutableSequence
from itertools import chain, islice

from torch import Tensor


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

    def room(self, like: Tensor, *shape: int, more: int = 0) -> list[Tensor]:
        """A tensor of this shape, with any content, for each step and `more` besides.

        Not one tensor for all: pieces above 32 MB go back to the system after each window, and come anew, page by page.
        """
        count = self.steps + more
        if not self.record:
            return [like.new_empty(shape)] * count
        self.lists.append([like.new_empty(shape) for _ in range(count)])
        return self.lists[-1]

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

    def room(self, like: Tensor, *shape: int, more: int = 0) -> list[Tensor]:
        """See `Tape.room`; with the content that was recorded."""
        return list(islice(self.recorded, self.steps + more))

    def log(self) -> MutableSequence[Tensor]:
        """See `Tape.log`; what was appended."""
        return list(islice(self.recorded, self.steps))
