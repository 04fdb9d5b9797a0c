"""The tasks by name: what their samples look like, without loading one. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

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
