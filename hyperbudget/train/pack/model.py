"""Language models of one shape, computed side by side."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from hyperbudget.data.bits import total_bits
from hyperbudget.nn.language_model import LanguageModelNet
from hyperbudget.nn.recurrent import State, fused
from hyperbudget.nn.uniform import Given, Noted
from hyperbudget.train.objective import Precision, autocast
from hyperbudget.train.pack.layout import Layout


class PackedModel:
    """All networks of the shapes of `model`: what they compute for rows of parameters, see `Layout`.

    It is the network's own `forward`, vectorised over runs: a product of a run's matrix becomes one of a batch of them,
    and no run's numbers meet another's.
    """

    def __init__(self, model: LanguageModelNet, device: torch.device, precision: Precision = "fp32") -> None:
        self.network = copy.deepcopy(model).to(device)
        self.layout, self.device, self.precision = Layout(model), device, precision

    def rows(self, models: Sequence[LanguageModelNet]) -> Tensor:
        """Their parameters, a row each, on the device."""
        return torch.stack([self.layout.row(model.state_dict()) for model in models]).to(self.device)

    def model(self, row: Tensor) -> LanguageModelNet:
        """An ordinary network with a row's parameters."""
        model = copy.deepcopy(self.network)
        model.load_state_dict(self.layout.tensors(row))
        return model.train()

    def initial_state(self, runs: int, streams: int) -> State:
        """Zeros, of shape (runs, streams, size)."""
        alone = self.network.recurrent.initial_state(streams)
        return tuple(type(layer)(*(tensor.new_zeros(runs, *tensor.shape) for tensor in layer)) for layer in alone)

    @torch.no_grad()
    def draws(self, length: int, streams: int) -> list[tuple[int, ...]]:
        """The shapes of the uniform numbers that a run draws for a window in training, in their order."""
        noted = Noted(torch.zeros((), device=self.device))
        ids = torch.zeros(length, streams, dtype=torch.int64, device=self.device)
        self.network.train()(ids, generator=noted)
        return noted.shapes

    def losses(
        self, rows: Tensor, inputs: Tensor, targets: Tensor, state: State, draws: Sequence[Tensor]
    ) -> tuple[Tensor, State]:
        """The mean cross entropy of each run in nats, shape (runs,), and the state after the window.

        inputs, targets: int64, shape (runs, length, streams); draws: as the method says, each of shape (runs, ...).
        """
        self.network.train()

        def compute(
            parameters: dict[str, Tensor], inputs: Tensor, targets: Tensor, state: State, draws: Sequence[Tensor]
        ) -> tuple[Tensor, State]:
            logits, after = self._forward(parameters, inputs, state, {"generator": Given(draws)})
            return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten()), after

        return torch.vmap(compute)(self.layout.tensors(rows), inputs, targets, state, list(draws))

    @torch.no_grad()
    def bits(self, rows: Tensor, inputs: Tensor, targets: Tensor, scored: Tensor, state: State) -> tuple[Tensor, State]:
        """The bits that each run needs for the scored targets, float64, shape (runs,), and the state after the window.

        inputs, targets, scored: shape (length, pieces), the same for all runs.
        """
        self.network.eval()

        def compute(parameters: dict[str, Tensor], state: State) -> tuple[Tensor, State]:
            logits, after = self._forward(parameters, inputs, state, {})
            return total_bits(logits, targets, scored), after

        return torch.vmap(compute)(self.layout.tensors(rows), state)

    def _forward(
        self, parameters: dict[str, Tensor], inputs: Tensor, state: State, options: dict[str, Any]
    ) -> tuple[Tensor, State]:
        with autocast(self.device, self.precision), fused.packed():
            found: tuple[Tensor, State] = functional_call(self.network, parameters, (inputs, state), options)
        return found
