"""The tasks by name: what their samples look like, without loading one. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageTask:
    """Images in classes; loss: cross entropy; metric: error, the share of samples in the wrong class.

    `size` is the height and width in pixels; `pad` the zero pixels added on each side before a random crop back to
    `size` (0: no augmentation); `splits` the samples for training, validation and test.
    """

    name: str
    channels: int
    size: int
    classes: int
    pad: int
    splits: tuple[int, int, int]


TASKS: dict[str, ImageTask] = {
    task.name: task
    for task in (
        ImageTask("digits", channels=1, size=8, classes=10, pad=0, splits=(1_097, 300, 400)),
        ImageTask("mnist", channels=1, size=28, classes=10, pad=1, splits=(55_000, 5_000, 10_000)),
    )
}
