"""What stands beside the tensors in an exported file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

from hyperbudget import __version__
from hyperbudget.nn.spec import Free, ModelSpec

Form = Literal["compact", "baked"]

KEY = "hyperbudget"
"""The name under which every format keeps the metadata."""

FORMAT_VERSION = 1
"""Raised when a reader of the version before could not read, or would misread, what is written now."""


@dataclass(frozen=True)
class Metadata:
    """What a file is and where it comes from; only the first six fields are needed to read it back.

    `form`: ``compact`` holds what was learnt (generator, embeddings, stem, norms, head), ``baked`` plain kernels.
    `model`: the fields of the trained model (`ModelSpec.fields`), in a baked file too. `channels`, `size`, `classes`:
    its images have shape (batch, channels, size, size), its logits (batch, classes). `vocabulary`: instead of these,
    the bytes that a language model's symbols are, in the order of their ids. `mean`, `deviation`: by channel, of pixels
    0 ... 255; None where images are in [0, 1]. `task`, `run`, `training`, `seed`, `validation_error`, `test_error`
    (shares of wrong answers, or bits per character) and `data_digest`: the run that trained it. `hyperbudget`: the
    version that wrote the file.
    """

    form: Form
    model: dict[str, Any]
    channels: int | None = None
    size: int | None = None
    classes: int | None = None
    vocabulary: tuple[int, ...] | None = None
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    task: str | None = None
    run: str | None = None
    training: dict[str, Any] | None = None
    seed: int | None = None
    validation_error: float | None = None
    test_error: float | None = None
    data_digest: str | None = None
    hyperbudget: str = __version__

    @property
    def shape(self) -> dict[str, int]:
        """Of the data: what `hyperbudget.nn.build.build` takes."""
        if self.vocabulary is not None:
            return {"symbols": len(self.vocabulary)}
        assert self.channels is not None
        assert self.size is not None
        assert self.classes is not None
        return {"channels": self.channels, "size": self.size, "classes": self.classes}

    @property
    def input(self) -> str:
        """How the images, or the text, for this model must be made, in words."""
        if self.vocabulary is not None:
            return "int64, shape (time, streams): places in the vocabulary of the text's bytes"
        values = "values in [0, 1]"
        if self.mean is not None:
            values = "(pixel - mean) / deviation by channel, of pixels 0 ... 255"
        return f"float32, shape (batch, {self.channels}, {self.size}, {self.size}): {values}"

    def stored_model(self) -> ModelSpec:
        """The model whose tensors the file holds. Raises SpecError for fields that are no model's."""
        trained = ModelSpec.from_fields(self.model)
        return ModelSpec(trained.network, Free()) if self.form == "baked" else trained

    def to_json(self) -> str:
        """All fields that are not None; besides them ``format_version``, and `input` for people."""
        fields = {"format_version": FORMAT_VERSION, **dataclasses.asdict(self), "input": self.input}
        return json.dumps({name: value for name, value in fields.items() if value is not None})

    @classmethod
    def from_json(cls, text: str) -> Metadata:
        """The inverse of `to_json`; names that it does not know are ignored.

        Raises NewerFormat, or another ValueError in words for the user when these are not metadata of ours.
        """
        try:
            fields = json.loads(text)
            if fields["format_version"] > FORMAT_VERSION:
                raise NewerFormat(f"written by hyperbudget {fields.get('hyperbudget', '?')}, newer than {__version__}")
            known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields}
            for name in ("mean", "deviation", "vocabulary"):
                if name in known:
                    known[name] = tuple(known[name])
            metadata = cls(**known)
            metadata.stored_model()
        except NewerFormat:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"its metadata are not an exported model's ({type(error).__name__}: {error})") from None
        if metadata.form not in ("compact", "baked"):
            raise ValueError(f"form {metadata.form!r} is neither compact nor baked")
        if metadata.vocabulary is not None:
            if not metadata.vocabulary or not all(isinstance(v, int) and 0 <= v < 256 for v in metadata.vocabulary):
                raise ValueError("vocabulary is not a list of bytes")
            return metadata
        for name in ("channels", "size", "classes"):
            value = getattr(metadata, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value!r}, not a positive integer")
        return metadata


class NewerFormat(ValueError):
    """A file that a newer version wrote."""
