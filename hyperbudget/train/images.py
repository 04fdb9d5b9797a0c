"""Training on images in classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hyperbudget.data.augment import augment
from hyperbudget.data.splits import ImageData
from hyperbudget.nn.image_model import ImageModel
from hyperbudget.train.evaluate import evaluate
from hyperbudget.train.objective import objective
from hyperbudget.train.problem import Problem, Score, Split, untrained
from hyperbudget.train.sharing import sharing
from hyperbudget.train.spec import RunSpec
from hyperbudget.train.streams import BatchOrder, stream


class ImageProblem(Problem):
    """A classifier of images, its batches drawn without replacement and augmented, all on the device.

    Raises SpecError for a batch that is larger than the data, UserError for `compile` where there is no compiler.
    """

    metric = "error"
    model: ImageModel

    def __init__(self, spec: RunSpec, data: ImageData, device: torch.device) -> None:
        self.spec, self.settings, self.device = spec, spec.training, device
        self.data = data.to(device)
        self.order = BatchOrder(len(self.data.train_labels), self.settings.batch_size, spec.seed)
        # Channels last: measured 1.0 (8 x 8 images) to 1.3 times (28 x 28) faster on a CPU, and tensor cores want it.
        self.model = initial_model(spec, data).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.objective = objective(self.model, self.settings, device)

    def losses(self, step: int) -> tuple[Tensor, Tensor]:
        """See `Problem.losses`: cross entropy, and with the L2 term of the kernels in use."""
        indices = self.order.indices(step).to(self.device)
        images, labels = self.data.normalised(self.data.train_images[indices]), self.data.train_labels[indices]
        if self.settings.augment:
            images = augment(images, self.data.task, stream(self.spec.seed, "augment", step))
        return self.objective(images.contiguous(memory_format=torch.channels_last), labels)

    def score(self, split: Split) -> Score:
        """See `Problem.score`."""
        images, labels = getattr(self.data, f"{split}_images"), getattr(self.data, f"{split}_labels")
        return evaluate(self.model, self.data.normalised(images), labels, self.settings.precision)

    def dynamics(self) -> dict[str, Any]:
        """See `Problem.dynamics`: of images it says how much the kernels share."""
        return sharing(self.model, self.spec.model.kernels)


def initial_model(spec: RunSpec, data: ImageData) -> ImageModel:
    """The untrained model of a run on `data`; see `untrained`."""
    model = untrained(spec, data.task.shape)
    assert isinstance(model, ImageModel)
    return model
