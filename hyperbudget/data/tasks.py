"""The tasks by name: what their samples look like, without loading one. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hyperbudget.errors import UserError

SPLIT_SEED = 1609
"""Decides which samples are training and which validation (for digits, also test): the same for every run and study.

NumPy's legacy `RandomState` draws the permutation, because its stream is frozen across NumPy's versions.
"""


@dataclass(frozen=True)
class ImageTask:
    """Images in classes; loss: cross entropy; metric: error, the share of samples in the wrong class.

    `size` is the height and width in pixels; `pad` the zero pixels added on each side before a random crop back to
    `size` (0: no crops); `splits` the samples for training, validation and test; `flip`: half of the images
    are mirrored too, left to right; `normalise`: a network sees (pixel - mean) / deviation by channel, not [0, 1].
    """

    name: str
    channels: int
    size: int
    classes: int
    pad: int
    splits: tuple[int, int, int]
    flip: bool = False
    normalise: bool = False

    @property
    def shape(self) -> dict[str, int]:
        """What a network must know of the images."""
        return {"channels": self.channels, "size": self.size, "classes": self.classes}


TASKS: dict[str, ImageTask] = {
    task.name: task
    for task in (
        ImageTask("digits", channels=1, size=8, classes=10, pad=0, splits=(1_097, 300, 400)),
        ImageTask("mnist", channels=1, size=28, classes=10, pad=1, splits=(55_000, 5_000, 10_000)),
        ImageTask(
            "cifar10",
            channels=3,
            size=32,
            classes=10,
            pad=2,
            splits=(45_000, 5_000, 10_000),
            flip=True,
            normalise=True,
        ),
    )
}


@dataclass(frozen=True)
class TextTask:
    """A text, symbol by symbol; loss: cross entropy; metric: bits per character, the mean negative log2-likelihood.

    A symbol is a byte, as in the field's benchmarks (PTB is ASCII: its bytes are its characters). `symbols`: how many
    different ones there are; None: the text says. `splits`: symbols for training, validation and test, in the order of
    the text; None: 90, 5 and 5 percent of it. `published_apart`: the publisher cut the splits, so a symbol that is not
    in the training split is an error; otherwise we cut one text, whose vocabulary is that of the whole of it.
    """

    name: str
    symbols: int | None = None
    splits: tuple[int, int, int] | None = None
    published_apart: bool = False

    @property
    def path(self) -> Path | None:
        """The file of a task ``text:PATH``, absolute."""
        return Path(self.name.removeprefix(TEXT_PREFIX)) if self.name.startswith(TEXT_PREFIX) else None


TEXT_PREFIX = "text:"

TEXT_TASKS: dict[str, TextTask] = {
    task.name: task
    for task in (
        TextTask("pydocs"),
        TextTask("ptb", symbols=50, splits=(5_017_482, 393_042, 442_423), published_apart=True),
        TextTask("enwik8", symbols=205, splits=(90_000_000, 5_000_000, 5_000_000)),
    )
}


TASK_NAMES = (*TASKS, *TEXT_TASKS)


def is_text(name: str) -> bool:
    """Whether the task of this name is a text."""
    return name in TEXT_TASKS or name.startswith(TEXT_PREFIX)


def text_task(name: str) -> TextTask:
    """The task of that name, one of `TEXT_TASKS` or ``text:PATH``: any file, byte by byte.

    A relative PATH counts from the working directory, ``~`` is the home directory; the task's own name has the absolute
    path, so that it is the same file for a worker that runs elsewhere. Raises UserError for an unknown name.
    """
    path = name.removeprefix(TEXT_PREFIX)
    if path and path != name:
        return TextTask(f"{TEXT_PREFIX}{Path(path).expanduser().absolute()}")
    if name not in TEXT_TASKS:
        raise UserError(f"task: {name!r} is not one of {', '.join(TEXT_TASKS)}, {TEXT_PREFIX}PATH")
    return TEXT_TASKS[name]
