"""A training step of all runs of a pack."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor

from hyperbudget.train.graph import Graph
from hyperbudget.train.pack.model import PackedModel
from hyperbudget.train.pack.optimizer import PackedOptimizer
from hyperbudget.train.pack.replayed import Replayed


class PackedStep:
    """Training steps on memory that stays where it is, as a CUDA graph wants it: `take` fills it, and runs or replays.

    rows: the runs' parameters, shape (runs, width), which steps change; `state` is what the streams carry from window
    to window, and `total` the sum of each run's losses in nats since it was set to 0, shape (runs,).
    """

    def __init__(
        self,
        model: PackedModel,
        rows: Tensor,
        optimizer: PackedOptimizer,
        window: tuple[int, int],
        graph: Graph | None = None,
    ) -> None:
        """window: its length, and the number of streams."""
        runs = len(rows)
        self.model, self.optimizer = model, optimizer
        self.rows = rows.detach().requires_grad_()
        self.inputs = torch.zeros(runs, *window, dtype=torch.int64, device=rows.device)
        self.targets = torch.zeros_like(self.inputs)
        self.draws = [torch.zeros(runs, *shape, device=rows.device) for shape in model.draws(*window)]
        self.state = model.initial_state(runs, window[1])
        self.coefficients = rows.new_zeros(len(optimizer.coefficients(0, 0.0)), runs)
        self.total = torch.zeros(runs, device=rows.device)
        self._run = Replayed(self._launch, graph)

    def take(
        self,
        inputs: Sequence[Tensor],
        targets: Sequence[Tensor],
        fresh: bool,
        generators: Sequence[torch.Generator],
        coefficients: Tensor,
    ) -> None:
        """One step of all runs.

        inputs, targets: for each run its window; fresh: the streams begin here; generators: of each run, on the device,
        seeded for the step; coefficients: see `PackedOptimizer.coefficients`, shape (numbers, runs).
        """
        torch.stack(list(inputs), out=self.inputs)
        torch.stack(list(targets), out=self.targets)
        for run, generator in enumerate(generators):
            for drawn in self.draws:
                torch.rand(drawn.shape[1:], generator=generator, out=drawn[run])
        if fresh:
            for tensor in chain(*self.state):
                tensor.zero_()
        self.coefficients.copy_(coefficients)
        self._run()

    def carry(self, state: Sequence[Tensor]) -> None:
        """Go on from this state of the streams: the tensors of all layers."""
        for tensor, carried in zip(chain(*self.state), state, strict=True):
            tensor.copy_(carried)

    def _launch(self) -> None:
        losses, state = self.model.losses(self.rows, self.inputs, self.targets, self.state, self.draws)
        # Their sum: no run's loss depends on another's parameters, so that each row's gradient is its own.
        (gradient,) = torch.autograd.grad(losses.sum(), self.rows)
        with torch.no_grad():
            self.optimizer.descend(self.rows, gradient, self.coefficients)
            self.carry(list(chain(*state)))
            self.total.add_(losses)
