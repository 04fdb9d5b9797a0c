"""The one training loop."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hyperbudget.data.splits import ImageData
from hyperbudget.data.text import TextData
from hyperbudget.train import checkpoint
from hyperbudget.train.graph import CudaGraph, GraphedStep
from hyperbudget.train.images import ImageProblem
from hyperbudget.train.problem import Metric, Problem, Score
from hyperbudget.train.schedule import learning_rate
from hyperbudget.train.spec import RunSpec, TrainingSpec
from hyperbudget.train.text import TextProblem


class Diverged(Exception):
    """The training loss is no longer finite."""


class Pruned(Exception):
    """The training was told to stop at an evaluation; its checkpoint is of that step, so that it could go on."""

    def __init__(self, curve: Curve) -> None:
        super().__init__(f"at step {curve.step[-1]}")
        self.curve = curve


@dataclass
class Curve:
    """One entry an evaluation."""

    step: list[int] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    """Mean over the steps since the evaluation before, without the L2 term."""
    validation_error: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list, compare=False)
    """Wall time of the training so far, this and the earlier evaluations included."""


@dataclass(frozen=True)
class Result:
    """What a run gives. Validation selects the evaluation; the test split is measured once, there."""

    metric: Metric
    """What the errors are: a share of wrong answers, or bits per character."""
    validation_error: float
    test_error: float
    best_step: int
    seconds: float
    curve: Curve
    dynamics: dict[str, Any]
    """See `Problem.dynamics`: of the selected model."""


class Training:
    """One run, from its first or from its last checkpointed step to its result.

    Deterministic: initialisation, order and augmentation depend on the run's seed alone, so a run that was stopped and
    resumed on the same kind of device ends in the same numbers.

    `checkpoint_file` is where the state is kept, written at an evaluation when the last one is `checkpoint_seconds`
    old. `before_checkpoint` may raise to stop a run that is no longer wanted. `evaluated` is told the curve after every
    evaluation, and says whether to go on. `checkpoint_failed` is told why where a checkpoint could not be written: the
    training goes on without. After `run`, `model` is the selected one.
    Raises SpecError and UserError as the problem does.
    """

    def __init__(
        self,
        spec: RunSpec,
        data: ImageData | TextData,
        device: torch.device,
        *,
        checkpoint_file: Path | None = None,
        checkpoint_seconds: float = 10.0,
        before_checkpoint: Callable[[], None] = lambda: None,
        evaluated: Callable[[Curve], bool] = lambda curve: True,
        checkpoint_failed: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.spec, self.settings, self.device = spec, spec.training, device
        self.problem: Problem = (
            ImageProblem(spec, data, device) if isinstance(data, ImageData) else TextProblem(spec, data, device)
        )
        self.model = self.problem.model
        self.optimizer = build_optimizer(self.model, self.settings)
        self.descend = partial(descend, self.model, self.optimizer, self.settings.clip_norm)
        self.graphed: GraphedStep | None = None
        if isinstance(self.problem, TextProblem) and device.type == "cuda":
            graph = CudaGraph(device, self.problem.dropout)
            self.graphed = GraphedStep(self.problem, self.optimizer, self.descend, graph)
        self.checkpoint_file, self.checkpoint_seconds = checkpoint_file, checkpoint_seconds
        self.before_checkpoint, self.evaluated = before_checkpoint, evaluated
        self.checkpoint_failed = checkpoint_failed
        self.step = 0
        self.seconds = 0.0
        self.curve = Curve()
        self.best_score: Score | None = None
        self.best_step = 0
        self.best_state: dict[str, Tensor] = {}

    def run(self) -> Result:
        """Train to the end.

        Raises Diverged at the first evaluation after the loss ceased to be finite, and Pruned when `evaluated` says so.
        """
        self._restore()
        started = saved = time.perf_counter()
        seconds_before = self.seconds
        while self.step < self.settings.steps:
            self._train_until_evaluation()
            self._evaluate()
            self.seconds = seconds_before + time.perf_counter() - started
            self.curve.seconds.append(self.seconds)
            if not self.evaluated(self.curve):
                if self.checkpoint_file:
                    self._save(self.checkpoint_file)
                raise Pruned(self.curve)
            if self.checkpoint_file and time.perf_counter() - saved >= self.checkpoint_seconds:
                self._save(self.checkpoint_file)
                saved = time.perf_counter()
        return self._finish()

    def _train_until_evaluation(self) -> None:
        every = self.settings.evaluate_every
        last = min(self.step - self.step % every + every, self.settings.steps)
        steps = last - self.step
        total = torch.zeros((), device=self.device)  # read at the evaluation only: a step never waits for the device
        while self.step < last:
            total += self.take_step()
        loss = total.item() / steps
        if not torch.isfinite(total):
            raise Diverged(f"training loss is {loss} at step {self.step}")
        self.curve.step.append(self.step)
        self.curve.train_loss.append(loss)

    def take_step(self) -> Tensor:
        """One optimiser step; returns its loss, a scalar on the device, without the L2 term."""
        rate = learning_rate(self.settings, self.step)
        if self.graphed is not None:
            loss = self.graphed.take(self.step, rate)
        else:
            loss, minimised = self.problem.losses(self.step)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.descend(minimised)
        self.step += 1
        return loss.detach()

    def _evaluate(self) -> None:
        score = self.problem.score("validation")
        self.curve.validation_error.append(score.error)
        if self.best_score is None or score < self.best_score:
            self.best_score, self.best_step = score, self.step
            self.best_state = {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def _finish(self) -> Result:
        assert self.best_score is not None
        self.model.load_state_dict(self.best_state)
        test = self.problem.score("test")
        return Result(
            self.problem.metric, self.best_score.error, test.error, self.best_step, self.seconds, self.curve,
            self.problem.dynamics(),
        )  # fmt: skip

    def _save(self, path: Path) -> None:
        """A training does not end for want of a checkpoint: it tries again at the next one."""
        self.before_checkpoint()
        try:
            checkpoint.save(self._state(), path)
        except OSError as error:
            self.checkpoint_failed(f"no checkpoint at step {self.step}: {error.strerror or error}")

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "seconds": self.seconds,
            "curve": dataclasses.asdict(self.curve),
            "best": (tuple(self.best_score or ()), self.best_step, self.best_state),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "problem": self.problem.state(),
        }

    def _restore(self) -> None:
        """Go on from the newest checkpoint that can be read and fits; another version's may do neither."""
        if self.checkpoint_file is None:
            return
        beginning: dict[str, Any] | None = None
        for state in checkpoint.states(self.checkpoint_file, self.device):
            beginning = beginning or copy.deepcopy(self._state())
            try:
                self._set(state)
                return
            except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError):
                self._set(beginning)

    def _set(self, state: dict[str, Any]) -> None:
        self.step, self.seconds, self.curve = state["step"], state["seconds"], Curve(**state["curve"])
        if len({len(column) for column in dataclasses.asdict(self.curve).values()}) != 1:
            raise ValueError("the curve's columns differ in length")
        score, self.best_step, self.best_state = state["best"]
        self.best_score = Score(*score) if score else None
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.problem.restore(state["problem"])


def descend(model: nn.Module, optimizer: torch.optim.Optimizer, clip_norm: float | None, minimised: Tensor) -> None:
    """One step of the optimizer, at the learning rate that it has, against the gradient of what is minimised."""
    optimizer.zero_grad()
    minimised.backward()  # type: ignore[no-untyped-call]
    if clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()


def build_optimizer(model: nn.Module, settings: TrainingSpec) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015), or SGD with Nesterov momentum where there is momentum."""
    if settings.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    momentum = settings.momentum
    return torch.optim.SGD(
        model.parameters(), lr=settings.learning_rate, momentum=momentum, nesterov=momentum > 0, fused=True
    )
