"""A text as windows: what a recurrent network reads in one step, for training and for evaluation.

Every window holds one stretch of each of several streams, contiguous pieces of the text; the next window goes on where
it ended, so the network's state is carried over. Indices are computed where the text lies: one gather a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from hyperbudget.data.text import TextData
from hyperbudget.errors import UserError


class Window(NamedTuple):
    """`inputs` and, one symbol further, `targets`: int64, shape (length, streams)."""

    inputs: Tensor
    targets: Tensor
    fresh: bool
    """The streams begin here: reset the state first."""
    scored: Tensor | None = None
    """Which targets count, bool, shape (length, streams); None: all."""


class TextStreams:
    """The training text of `data`, cut into `batch_size` streams of equal length, window by window of `length` symbols.

    Each epoch begins at another offset into the text, so that windows do not always begin at the same symbols; fewer
    than (batch_size + 1) x length symbols a time are left out at its two ends. `generator` gives an epoch's random
    numbers: a window is a function of them and of the step's number, so that a run goes on from that number and the
    network's state alone.

    Raises UserError for a text that is too short, ValueError for a size below 1.
    """

    def __init__(
        self, data: TextData, batch_size: int, length: int, generator: Callable[[int], torch.Generator]
    ) -> None:
        _positive(batch_size=batch_size, length=length)
        symbols, window = len(data.train), batch_size * length
        # One length of slack at least, so that a window may begin at any symbol.
        self.steps_per_epoch = (symbols - length) // window
        if self.steps_per_epoch < 1:
            raise UserError(
                f"{data.task.name}: the training text has {symbols:,} symbols, but batch_size {batch_size} x length "
                f"{length} needs {window + length:,}; make one of them smaller, or take a longer text"
            )
        self.ids, self.length, self.generator = data.train, length, generator
        self._slack = symbols - 1 - self.steps_per_epoch * window
        starts = self.steps_per_epoch * length * torch.arange(batch_size, device=self.ids.device)
        self._places = starts + torch.arange(length + 1, device=self.ids.device)[:, None]
        self._epoch, self._offset = -1, 0

    def window(self, step: int) -> Window:
        """What step `step` (0 is the first) trains on, on the device of the text."""
        epoch, number = divmod(step, self.steps_per_epoch)
        symbols = self.ids[self._places + (self.offset(epoch) + number * self.length)].long()
        return Window(symbols[:-1], symbols[1:], fresh=number == 0)

    def offset(self, epoch: int) -> int:
        """Where in the text the first stream of the epoch begins."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._offset = int(torch.randint(self._slack + 1, (), generator=self.generator(epoch)))
        return self._offset


def evaluation_batches(ids: Tensor, rows: int, length: int) -> Iterator[Window]:
    """Windows in which every symbol of the text but its first is a scored target, exactly once.

    ids: shape (symbols,). The text is cut into `rows` contiguous pieces, evaluated side by side: a piece begins with a
    fresh state, and its first target is predicted from the last symbol of the piece before. With `rows` 1 the state
    is carried through the whole text, which is how bits per character are defined; more rows are faster, and predict
    the first symbols of each with little context. All windows have one shape, (at most `length`, `rows`); what pads
    them is not scored. Raises UserError for a text without a target, ValueError for a size below 1.
    """
    _positive(rows=rows, length=length)
    targets = len(ids) - 1
    if targets < 1:
        raise UserError(f"text: {len(ids)} symbols leave none to predict; take a longer one")
    piece = -(-targets // rows)
    length = min(length, piece)
    steps = torch.arange(length + 1, device=ids.device)[:, None]
    places = steps + piece * torch.arange(rows, device=ids.device)

    def window(start: int) -> Window:
        at = places + start
        symbols = ids[at.clamp(max=targets)].long()
        scored = (at < targets) & (steps < piece - start)
        return Window(symbols[:-1], symbols[1:], fresh=start == 0, scored=scored[:-1])

    return map(window, range(0, piece, length))


def _positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}: {size} is below 1")
