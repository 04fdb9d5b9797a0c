"""What the steps of a window keep for the backward pass."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor


class Tape:
    """Memory for T steps, all of it in `tensors`. The backward pass asks a `Replay` for the same in the same order.

    Unless it is to `record`, the memory of one step is written over and over, and `tensors` stays empty.
    """

    def __init__(self, steps: int, record: bool = True) -> None:
        self.steps, self.record = steps, record
        self.tensors: list[Tensor] = []

    def room(self, like: Tensor, *shape: int, more: int = 0) -> list[Tensor]:
        """A tensor of this shape, with any content, for each step and `more` besides.

        Not one tensor for all: pieces above 32 MB go back to the system after each window, and come anew, page by page.
        """
        count = self.steps + more
        if not self.record:
            return [like.new_empty(shape)] * count
        tensors = [like.new_empty(shape) for _ in range(count)]
        self.tensors += tensors
        return tensors


class Replay(Tape):
    """A tape that was recorded, handed out again."""

    def __init__(self, steps: int, tensors: Iterable[Tensor]) -> None:
        super().__init__(steps)
        self.recorded = iter(tensors)

    def room(self, like: Tensor, *shape: int, more: int = 0) -> list[Tensor]:
        """See `Tape.room`; with the content that was recorded."""
        return [next(self.recorded) for _ in range(self.steps + more)]
