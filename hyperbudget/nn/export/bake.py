"""From a model whose kernels come from anywhere to a plain one."""

from __future__ import annotations

import copy

from hyperbudget.nn.image_model import ImageModel
from hyperbudget.nn.sources import FreeKernels


def bake(model: ImageModel) -> ImageModel:
    """A copy of `model` with free kernels, those that its source gives now: same outputs, nothing left to generate.

    The copy is on the same device, of the same type and in the same mode (training or not), and shares no memory with
    `model`. All its parameters can be trained on. torch's random generators are left as they were.
    """
    source = FreeKernels.bake(model.source)
    return copy.deepcopy(model, {id(model.source): source})  # the memo: the old source is never copied
