"""A text as symbol ids, on one device."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch

from hyperbudget.data.tasks import TextTask
from hyperbudget.data.text_splits import Texts, digest, vocabulary
from hyperbudget.errors import UserError


@dataclass(frozen=True, eq=False)
class TextData:
    """The three splits of a text, whole, as symbol ids: uint8, shape (symbols in the split,), so that enwik8 is 100 MB.

    `vocabulary`: the symbols (bytes) in the order of their ids; which they are, see `text_splits.vocabulary`.
    `digest`: see `text_splits.digest`; it depends on the text and the sizes of its splits alone.
    """

    task: TextTask
    digest: str
    vocabulary: bytes
    train: torch.Tensor
    validation: torch.Tensor
    test: torch.Tensor

    def encode(self, text: str) -> torch.Tensor:
        """The ids of `text` (its UTF-8 bytes): uint8, shape (symbols,), on the CPU.

        Raises UserError that names the first character of which a byte is not in the vocabulary, and its place.
        """
        return encode(text, self.vocabulary, self.task.name)

    def decode(self, ids: torch.Tensor) -> str:
        """The text of `ids`, any integers, shape (symbols,); bytes that are no UTF-8 become U+FFFD.

        Raises IndexError for an id that no symbol has.
        """
        return decode(ids, self.vocabulary)

    def to(self, device: torch.device | str) -> TextData:
        """The same data on `device`; tensors that are there already are not copied."""
        return dataclasses.replace(
            self, train=self.train.to(device), validation=self.validation.to(device), test=self.test.to(device)
        )


def encode(text: str, symbols: bytes, where: str) -> torch.Tensor:
    """See `TextData.encode`. symbols: the vocabulary; where: what the error names."""
    content = text.encode(errors="surrogatepass")
    if unknown := content.translate(None, delete=symbols):
        # A byte of a character stands after the bytes of the whole characters before it.
        place = len(content[: content.index(unknown[0])].decode(errors="ignore"))
        raise UserError(
            f"{where}: {text[place]!r} at position {place:,} is not among the {len(symbols)} symbols of the "
            "vocabulary; leave it out"
        )
    return _ids(content, symbols)


def decode(ids: torch.Tensor, symbols: bytes) -> str:
    """See `TextData.decode`. symbols: the vocabulary."""
    return bytes(symbols[index] for index in ids.tolist()).decode(errors="replace")


def text_data(task: TextTask, texts: Texts) -> TextData:
    """The ids of `texts`. Raises UserError as `text_splits.vocabulary` does."""
    symbols = vocabulary(task, texts)
    return TextData(task, digest(texts), symbols, *(_ids(text, symbols) for text in texts))


def _ids(text: bytes, symbols: bytes) -> torch.Tensor:
    """All of `text` must be in `symbols`."""
    if not text:  # which torch takes for a mistake
        return torch.empty(0, dtype=torch.uint8)
    table = bytes.maketrans(symbols, bytes(range(len(symbols))))
    return torch.frombuffer(bytearray(text.translate(table)), dtype=torch.uint8)
