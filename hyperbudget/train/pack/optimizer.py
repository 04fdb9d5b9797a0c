"""Adam and SGD on the rows of a pack, each at its run's own learning rate: the numbers of torch's own optimizers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from hyperbudget.train.spec import TrainingSpec

BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Of Adam, as in `torch.optim.Adam`."""

CLIP_EPSILON = 1e-6
"""Added to the norm, as in `torch.nn.utils.clip_grad_norm_`."""


class PackedOptimizer(ABC):
    """One a run of a pack; they keep time together, and share nothing else.

    settings: of the run in each row; state: what they keep, shape (one for each of `names`, runs, width), 0 at first.
    """

    names: ClassVar[tuple[str, ...]]
    """What torch's optimizer calls what is kept."""

    def __init__(self, settings: Sequence[TrainingSpec], state: Tensor) -> None:
        self.state = state
        self.settings = settings
        norms = [math.inf if s.clip_norm is None else s.clip_norm for s in settings]
        self.clip_norm = state.new_tensor(norms)[:, None] if min(norms) < math.inf else None

    def descend(self, rows: Tensor, gradient: Tensor, coefficients: Tensor) -> None:
        """One step of all runs, in place, after clipping each run's gradient by its norm.

        rows, gradient: shape (runs, width); coefficients: what `coefficients` gave, shape (numbers, runs).
        """
        if self.clip_norm is not None:
            norm = gradient.norm(dim=1, keepdim=True)
            gradient = gradient * (self.clip_norm / (norm + CLIP_EPSILON)).clamp(max=1.0)
        self._update(rows, gradient, coefficients[..., None])

    def hand_over(self, optimizer: torch.optim.Optimizer, kept: Sequence[Mapping[str, Tensor]], step: int) -> None:
        """Give torch's own `optimizer` of one run what it would have kept after `step` steps.

        kept: for each of `names`, by the names of the parameters, in their order.
        """
        (group,) = optimizer.param_groups
        for parameter, *tensors in zip(group["params"], *(values.values() for values in kept), strict=True):
            own = {name: tensor.clone() for name, tensor in zip(self.names, tensors, strict=True)}
            optimizer.state[parameter] = own | self._counted(step, parameter)

    def _counted(self, step: int, like: Tensor) -> dict[str, Tensor]:
        return {}

    @abstractmethod
    def coefficients(self, step: int, rate: float) -> tuple[float, ...]:
        """What a run's update depends on besides tensors, at a step counted from 0 and with a learning rate."""

    @abstractmethod
    def _update(self, rows: Tensor, gradient: Tensor, coefficients: Tensor) -> None: ...


class PackedAdam(PackedOptimizer):
    """Adam (Kingma & Ba 2015)."""

    names = ("exp_avg", "exp_avg_sq")

    def _counted(self, step: int, like: Tensor) -> dict[str, Tensor]:
        return {"step": torch.tensor(float(step), device=like.device)}

    def coefficients(self, step: int, rate: float) -> tuple[float, ...]:
        """See `PackedOptimizer.coefficients`: the rate and the deviation's divisor, corrected for the state's start."""
        first, second = (1 - beta ** (step + 1) for beta in BETAS)
        return rate / first, math.sqrt(second)

    def _update(self, rows: Tensor, gradient: Tensor, coefficients: Tensor) -> None:
        mean, square = self.state
        rate, root = coefficients
        mean.lerp_(gradient, 1 - BETAS[0])
        square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        rows.sub_(rate * mean / (square.sqrt() / root + EPSILON))


class PackedSgd(PackedOptimizer):
    """SGD with Nesterov momentum, or plain where a run's momentum is 0."""

    names = ("momentum_buffer",)

    def __init__(self, settings: Sequence[TrainingSpec], state: Tensor) -> None:
        super().__init__(settings, state)
        self.momentum = state.new_tensor([s.momentum for s in settings])[:, None]

    def coefficients(self, step: int, rate: float) -> tuple[float, ...]:
        """See `PackedOptimizer.coefficients`: the rate."""
        return (rate,)

    def _update(self, rows: Tensor, gradient: Tensor, coefficients: Tensor) -> None:
        velocity, (rate,) = self.state[0], coefficients
        velocity.mul_(self.momentum).add_(gradient)
        rows.sub_(rate * (gradient + self.momentum * velocity))


OPTIMIZERS: dict[str, type[PackedOptimizer]] = {"adam": PackedAdam, "sgd": PackedSgd}


def first_state(optimizer: str, rows: Tensor) -> Tensor:
    """What `optimizer` keeps for these rows before the first step."""
    return torch.zeros(len(OPTIMIZERS[optimizer].names), *rows.shape, dtype=rows.dtype, device=rows.device)
