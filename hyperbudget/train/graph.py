"""A training step on a text as one CUDA graph: launching its thousands of small kernels costs more than they do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import chain
from typing import Protocol

import torch
from torch import Tensor

from hyperbudget.train.text import TextProblem

WARMUP = 3
"""Steps that are taken before one is captured: kernels are compiled then, and the optimizer makes its memory."""


class Graph(Protocol):
    """What runs the kernels that a function launches. The function takes and returns nothing but through memory."""

    def warm_up(self, launch: Callable[[], None]) -> None:
        """Run them as they come, as often as it is called; what is captured has to have run before."""

    def capture(self, launch: Callable[[], None]) -> None:
        """Call the function once, and keep what it launches instead of running it. Raises RuntimeError if it fails."""

    def replay(self) -> None:
        """Run what was captured, on the same addresses and with the same numbers that are no tensors."""


class CudaGraph:
    """A `Graph` of CUDA. generator: what the function draws random numbers from; replays draw from its current seed."""

    def __init__(self, device: torch.device, generator: torch.Generator) -> None:
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(generator)
        # Not the usual stream, which cannot be captured; and the same before as in the capture, since autograd
        # computes a parameter's gradient on the stream on which it did first.
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def warm_up(self, launch: Callable[[], None]) -> None:
        """See `Graph.warm_up`."""
        usual = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(usual)
        with torch.cuda.stream(self.stream):
            launch()
        usual.wait_stream(self.stream)

    def capture(self, launch: Callable[[], None]) -> None:
        """See `Graph.capture`."""
        usual = torch.cuda.current_stream(self.stream.device)
        try:
            with torch.cuda.graph(self.graph, stream=self.stream):
                launch()
        finally:
            torch.cuda.set_stream(usual)  # a capture that fails leaves its own

    def replay(self) -> None:
        """See `Graph.replay`."""
        self.graph.replay()


class GraphedStep:
    """Training steps of `problem`, which are those of `TextProblem.losses` up to rounding.

    All that a step reads lies in memory that stays where it is: the window's symbols, the state that the streams carry
    (the problem's from now on), the learning rate, the seed of dropout. `take` writes there what the step needs, then
    replays the graph: forward and backward pass, `descend` on the loss, and the new state. The first `WARMUP` steps run
    as they come. Where nothing can be captured, so do all others, after a line in the log.
    """

    def __init__(
        self, problem: TextProblem, optimizer: torch.optim.Optimizer, descend: Callable[[Tensor], None], graph: Graph
    ) -> None:
        self.problem, self.optimizer, self.descend = problem, optimizer, descend
        self.graph: Graph | None = graph
        self.taken = 0
        shape = (problem.settings.length, problem.settings.batch_size)
        self.inputs = torch.zeros(shape, dtype=torch.int64, device=problem.device)
        self.targets = torch.zeros_like(self.inputs)
        self.loss = torch.zeros((), device=problem.device)
        self.rate = torch.zeros((), device=problem.device)

    def take(self, step: int, rate: float) -> Tensor:
        """One optimiser step at this learning rate; returns its loss, a scalar on the device."""
        if self.taken == 0:
            self._keep_state()
        window = self.problem.begin(step)
        self.inputs.copy_(window.inputs)
        self.targets.copy_(window.targets)
        if window.fresh:
            for tensor in chain(*self.state):
                tensor.zero_()
        self.rate.fill_(rate)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate

        if self.taken == WARMUP:
            self._capture(step)
        if self.graph is None:
            self._launch()
        elif self.taken < WARMUP:
            self.graph.warm_up(self._launch)
        else:
            self.graph.replay()
        self.taken += 1
        return self.loss.clone()

    def _keep_state(self) -> None:
        """The state that was restored, or else 0, goes to where it stays."""
        self.state = self.problem.model.recurrent.initial_state(self.problem.settings.batch_size)
        if self.problem.carried is not None:
            for tensor, restored in zip(chain(*self.state), chain(*self.problem.carried), strict=True):
                tensor.copy_(restored)
        self.problem.carried = self.state

    def _launch(self) -> None:
        loss, state = self.problem.compute(self.inputs, self.targets, self.state)
        self.descend(loss)
        for tensor, new in zip(chain(*self.state), chain(*state), strict=True):
            tensor.copy_(new.detach())
        self.loss.copy_(loss.detach())

    def _capture(self, step: int) -> None:
        assert self.graph is not None
        self.optimizer.zero_grad()  # gradients are to lie in the graph's own memory
        adams = [group for group in self.optimizer.param_groups if "capturable" in group]
        for group in adams:
            group["capturable"] = True  # Adam asks for it; when its kernels are fused, nothing else depends on it
        try:
            self.graph.capture(self._launch)
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            logging.getLogger(__name__).warning("training goes on without a CUDA graph: %s", reason)
            self.graph = None
            self.problem.dropout = torch.Generator(self.problem.device)  # the other one may still be part of the graph
            self.problem.begin(step)
        for group in adams:
            group["capturable"] = False
