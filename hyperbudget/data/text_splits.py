"""A text as bytes: its three splits, the symbols in it, and its digest. Imports no torch."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from hyperbudget.data.tasks import TextTask
from hyperbudget.errors import UserError

SHORTEST = 2  # symbols a split: the first is what the second is predicted from


class Texts(NamedTuple):
    """The splits of a text, as bytes."""

    train: bytes
    validation: bytes
    test: bytes


def cut(task: TextTask, text: bytes) -> Texts:
    """Cut one text into the task's splits, in its order. Raises UserError when it is too short for them."""
    train, validation = len(text) * 9 // 10, len(text) * 19 // 20
    if task.splits is not None:
        train, validation = task.splits[0], sum(task.splits[:2])
    texts = Texts(text[:train], text[train:validation], text[validation:])
    if min(map(len, texts)) < SHORTEST:
        raise UserError(f"{task.name}: {len(text):,} bytes are too few to be cut into splits; take a longer text")
    return texts


def vocabulary(task: TextTask, texts: Texts) -> bytes:
    """The symbols in the order of their ids, which is that of the bytes.

    The field counts the symbols of PTB over its training split, and those of enwik8 over the whole file, of which the
    splits are but parts; so do we, for any text that we cut (see `TextTask`). Raises UserError for a symbol in another
    split that a training split published apart has not: its likelihood could not be learned.
    """
    if not task.published_apart:
        return bytes(symbol for symbol in range(256) if any(bytes([symbol]) in text for text in texts))
    symbols = bytes(symbol for symbol in range(256) if bytes([symbol]) in texts.train)
    for split, text in zip(Texts._fields, texts, strict=True):
        if unknown := text.translate(None, delete=symbols):
            where = text.index(unknown[0])
            raise UserError(
                f"{task.name}: the {split} text has {unknown[:1]!r} at position {where:,}, a symbol that the training "
                "text has not; use the publisher's files"
            )
    return symbols


def digest(texts: Texts) -> str:
    """sha256 (hex) of the sizes of the splits and the sha256 of the whole text.

    So the digest of a text that is published with its sha256 is known without reading it.
    """
    whole = hashlib.sha256()
    for text in texts:
        whole.update(text)
    return digest_of([len(text) for text in texts], whole.hexdigest())


def digest_of(sizes: list[int], sha256: str) -> str:
    """The digest of a text with that sha256 (hex), cut into splits of `sizes` bytes."""
    return hashlib.sha256(f"{sizes} {sha256}".encode()).hexdigest()
