"""Bits per character: how they are counted, and how few are too few to be true."""

from __future__ import annotations

import lzma
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperbudget.data.text import TextData
from hyperbudget.errors import UserError

CONTEXT = 1 << 20
"""Symbols of the training text that the compressor sees first: the last ones. All of PTB would take seven times as long
and save 7% of the bits."""
SHARE = 0.4
"""Of the compressor's bits. The best results published without outside data are about half of them: 1.08 of 1.93 on PTB
(Mogrifier LSTM with dynamic evaluation), 0.94 of about 2 on enwik8 (Transformer-XL with dynamic evaluation)."""

_floors: dict[str, float] = {}  # by digest: a process computes each once


def total_bits(logits: Tensor, targets: Tensor, scored: Tensor | None = None) -> Tensor:
    """Sum of -log2 p(target) over the scored targets: a float64 scalar on their device.

    Bits per character are this sum over all windows, divided by the number of scored targets. logits: shape (length,
    streams, symbols), any floating dtype; targets: int64, shape (length, streams); scored: bool, the same shape, or
    None for all.
    """
    nats = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none").double()
    if scored is not None:
        nats = nats.where(scored.flatten(), 0.0)  # a product would keep the NaN of what only pads
    return nats.sum() / math.log(2)


def compressibility_floor(test: Tensor, train: Tensor) -> float:
    """Bits per character of `test` below which a model trained on `train` cannot honestly be.

    `SHARE` of the bits that LZMA needs for `test` after the end of `train`: what it gains there by repeating the
    training text, a model may gain too. No theorem, but a wide margin under all that is known of natural text, and far
    above the near 0 that a model reaches that sees its targets. A text of pure arithmetic can fall below it honestly.

    test, train: symbol ids, uint8, shape (symbols,), on any device. It takes about a second a million symbols.
    """
    context, text = _bytes(train[-CONTEXT:]), _bytes(test)
    return SHARE * 8 * (_compressed_size(context + text) - _compressed_size(context)) / len(text)


def check_plausible(bits_per_char: float, data: TextData) -> None:
    """Raise UserError for a test result that is below `compressibility_floor` of `data`; the floor is computed once."""
    if data.digest not in _floors:
        _floors[data.digest] = compressibility_floor(data.test, data.train)
    floor = _floors[data.digest]
    if bits_per_char < floor:
        raise UserError(
            f"{data.task.name}: {bits_per_char:.3f} bits per character on the test text cannot be, {floor:.3f} "
            f"({SHARE:g} of what LZMA needs) are the least: something leaks, the targets into the inputs, or the test "
            "text into the training text"
        )


def _bytes(ids: Tensor) -> bytes:
    return ids.to("cpu", torch.uint8).numpy().tobytes()


def _compressed_size(text: bytes) -> int:
    """In bytes; the plain format, because xz pads to a multiple of four."""
    return len(lzma.compress(text, format=lzma.FORMAT_ALONE))
