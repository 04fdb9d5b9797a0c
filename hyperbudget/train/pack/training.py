"""The training loop of a pack: `hyperbudget.train.loop.Training` for many runs at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hyperbudget.data.bits import check_plausible
from hyperbudget.data.text import TextData
from hyperbudget.errors import UserError
from hyperbudget.nn.language_model import LanguageModelNet
from hyperbudget.train import checkpoint
from hyperbudget.train.dynamics import dynamics, piece
from hyperbudget.train.graph import CudaGraph, Graph
from hyperbudget.train.loop import Curve, Pruned, Result, build_optimizer
from hyperbudget.train.pack.key import packable
from hyperbudget.train.pack.member import Member
from hyperbudget.train.pack.model import PackedModel
from hyperbudget.train.pack.optimizer import OPTIMIZERS, first_state
from hyperbudget.train.pack.score import PackedScore
from hyperbudget.train.pack.sizes import size_for
from hyperbudget.train.pack.step import PackedStep
from hyperbudget.train.spec import RunSpec
from hyperbudget.train.text import initial_language_model


class PackedTraining:
    """Runs that share a `packable` key, from their first or last checkpointed step to their results.

    Each run has the initialisation, the windows, the dropout masks and the learning rates of the run alone, so its
    numbers are those of `Training` up to the rounding of sums in another order; and on one device they do not depend on
    its neighbours, as long as the pack is of one size. When runs end early the pack shrinks, to the next size of
    `sizes.size_for`; what is missing to a size are copies of the first run.

    `evaluated` is told after every evaluation the curves of the runs that are under way, by their place among `specs`,
    and says which of them are to stop.
    The rest is as in `Training`, of the whole pack: a checkpoint resumes it bit for bit on the same kind of device.
    A run's seconds are its share of the pack's: what passed, divided among the runs that were under way.

    Raises ValueError for runs that cannot share a pack, SpecError and UserError as `Training` does.
    """

    def __init__(
        self,
        specs: Sequence[RunSpec],
        data: TextData,
        device: torch.device,
        *,
        checkpoint_file: Path | None = None,
        checkpoint_seconds: float = 10.0,
        before_checkpoint: Callable[[], None] = lambda: None,
        evaluated: Callable[[Mapping[int, Curve]], Collection[int]] = lambda curves: (),
        graph: Callable[[], Graph] | None = None,
    ) -> None:
        """graph: makes what replays a step; CUDA graphs on a CUDA device, nothing elsewhere unless given."""
        keys = {packable(spec) for spec in specs}
        if len(keys) != 1 or None in keys:
            raise ValueError(f"specs: {len(specs)} runs of {len(keys)} kinds; a pack is of one, of language models")
        self.specs, self.settings, self.device = list(specs), specs[0].training, device
        self.data = data.to(device)
        self.members = [Member(spec, self.data, device) for spec in specs]
        models = [initial_language_model(spec, data) for spec in specs]
        self.model = PackedModel(models[0], device, self.settings.precision)
        self.checkpoint_file, self.checkpoint_seconds = checkpoint_file, checkpoint_seconds
        self.before_checkpoint, self.evaluated = before_checkpoint, evaluated
        self.graph = graph or ((lambda: CudaGraph(device, torch.Generator(device))) if device.type == "cuda" else None)
        self.step = 0
        self.best = self.model.rows(models)
        """Of each run the parameters at its best evaluation: shape (runs, width)."""
        runs = _filled(self._under_way())
        rows = self.best[runs]
        self._arrange(runs, rows, first_state(self.settings.optimizer, rows))

    def run(self) -> list[Result | Exception]:
        """Train to the end: in the order of `specs` a result each, or why there is none.

        That is Diverged or Pruned of `hyperbudget.train.loop`, or a UserError about a result that cannot be. None of
        these disturbs the other runs. What is raised concerns all of them.
        """
        self._restore()
        saved = time.perf_counter()
        while self.step < self.settings.steps and self._under_way():
            self._train_until_evaluation()
            pruned = self._prune()
            self._shrink()
            if self.checkpoint_file and (pruned or time.perf_counter() - saved >= self.checkpoint_seconds):
                self._save(self.checkpoint_file)
                saved = time.perf_counter()
        return self._finish()

    def models(self) -> list[LanguageModelNet | None]:
        """The selected model of each run after `run`, on the device; None for a run that has no result."""
        pairs = zip(self.members, self.best, strict=True)
        return [None if member.ended else self.model.model(row) for member, row in pairs]

    def take_step(self) -> None:
        """One optimiser step of all runs."""
        if self.step not in self._ahead:
            self._look_ahead()
        members = [self.members[run] for run in self.slots]
        windows = [member.begin(self.step) for member in members]
        self.pack.take(
            [window.inputs for window in windows],
            [window.targets for window in windows],
            windows[0].fresh,  # for all alike: they read the same text in windows of the same size
            [member.dropout for member in members],
            self._coefficients[self.step - self._ahead.start],
        )
        self.step += 1

    def alone(self, run: int) -> dict[str, Any]:
        """The state of a run that is under way as a checkpoint of `Training`, which goes on with it alone."""
        place, layout = self.slots.index(run), self.model.layout
        model, member = self.model.model(self.pack.rows[place].detach()), self.members[run]
        optimizer = build_optimizer(model, member.settings)
        self.optimizer.hand_over(optimizer, [layout.tensors(kept[place]) for kept in self.optimizer.state], self.step)
        best = {name: tensor.clone() for name, tensor in layout.tensors(self.best[run]).items()}
        return {
            **member.state(),
            "step": self.step,
            "best": (tuple(member.best_score or ()), member.best_step, best),
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "problem": {"carried": [tuple(tensor[place].clone() for tensor in layer) for layer in self.pack.state]},
        }

    def _under_way(self) -> list[int]:
        return [run for run, member in enumerate(self.members) if member.ended is None]

    def _arrange(self, runs: list[int], rows: Tensor, state: Tensor) -> None:
        """Make the pack of these runs, a slot each. rows: shape (slots, width); state: the optimizer's."""
        settings = [self.members[run].settings for run in runs]
        self.slots = runs
        self.optimizer = OPTIMIZERS[self.settings.optimizer](settings, state)
        window = self.settings.length, self.settings.batch_size
        self.pack = PackedStep(self.model, rows, self.optimizer, window, self._graph())
        self.score = self._score(self.pack.rows, self.data.validation)
        self._ahead = range(0)

    def _shrink(self) -> None:
        """Leave out runs that have ended, where that makes for a smaller size."""
        under_way = self._under_way()
        if not under_way or size_for(len(under_way)) == len(self.slots):
            return
        runs = _filled(under_way)
        places = [self.slots.index(run) for run in runs]
        before = self.pack
        self._arrange(runs, before.rows.detach()[places], self.optimizer.state[:, places])
        self.pack.carry([tensor[places] for tensor in chain(*before.state)])

    def _graph(self) -> Graph | None:
        return self.graph() if self.graph else None

    def _score(self, rows: Tensor, ids: Tensor) -> PackedScore:
        return PackedScore(self.model, rows, ids, self.settings.evaluation_rows, self._graph())

    def _look_ahead(self) -> None:
        """What the optimizer wants to know, for the steps until the evaluation, at once on the device."""
        every, rows = self.settings.evaluate_every, self.pack.rows
        self._ahead = range(self.step, min(self.step - self.step % every + every, self.settings.steps))
        members = [self.members[run] for run in self.slots]
        numbers = [[self.optimizer.coefficients(step, m.rate(step)) for m in members] for step in self._ahead]
        self._coefficients = torch.tensor(numbers, dtype=rows.dtype, device=rows.device).transpose(1, 2).contiguous()

    def _train_until_evaluation(self) -> None:
        began, under_way = time.perf_counter(), self._under_way()
        self._look_ahead()
        self.pack.total.zero_()
        for _ in self._ahead:
            self.take_step()
        totals = self.pack.total.tolist()
        finite = [
            run
            for run in under_way
            if self.members[run].trained(self.step, totals[self.slots.index(run)] / len(self._ahead))
        ]
        bits = self.score() if finite else []
        for run in finite:
            place = self.slots.index(run)
            if self.members[run].measured(bits[place]):
                self.best[run] = self.pack.rows[place].detach()
        share = (time.perf_counter() - began) / len(under_way)
        for run in finite:
            self.members[run].took(share)

    def _prune(self) -> bool:
        """Ask which runs are to stop; whether there are some."""
        stopped = self.evaluated({run: self.members[run].curve for run in self._under_way()})
        for run in stopped:
            self.members[run].ended = Pruned(self.members[run].curve)
        return bool(stopped)

    def _finish(self) -> list[Result | Exception]:
        if finished := self._under_way():
            test = self._score(self.best[_filled(finished)], self.data.test)()
            for run, bits in zip(finished, test, strict=False):  # what follows are copies
                try:
                    check_plausible(bits, self.data)
                except UserError as error:
                    self.members[run].ended = error
                self.members[run].test_error = bits
        return [member.ended or self._result(member, row) for member, row in zip(self.members, self.best, strict=True)]

    def _result(self, member: Member, row: Tensor) -> Result:
        assert member.best_score is not None
        ids, warmup = piece(self.data.validation)
        found = dynamics(self.model.model(row).eval(), ids, self.data.vocabulary, warmup)
        error, step = member.best_score.error, member.best_step
        return Result("bpc", error, member.test_error, step, member.seconds, member.curve, found)

    def _save(self, path: Path) -> None:
        self.before_checkpoint()
        state: dict[str, Any] = {
            "specs": [spec.fields() for spec in self.specs],
            "step": self.step,
            "members": [member.state() for member in self.members],
            "best": self.best,
            "slots": self.slots,
            "rows": self.pack.rows.detach(),
            "optimizer": self.optimizer.state,
            "carried": list(chain(*self.pack.state)),
        }
        checkpoint.save(state, path)

    def _restore(self) -> None:
        state = checkpoint.load(self.checkpoint_file, self.device) if self.checkpoint_file else None
        if state is None or state["specs"] != [spec.fields() for spec in self.specs]:
            return
        self.step, self.best = state["step"], state["best"]
        for member, values in zip(self.members, state["members"], strict=True):
            member.restore(values)
        self._arrange(state["slots"], state["rows"], state["optimizer"])
        self.pack.carry(state["carried"])


def _filled(runs: Sequence[int]) -> list[int]:
    """`runs`, and the first of them as often as is missing to a size of a pack."""
    return [*runs, *[runs[0]] * (size_for(len(runs)) - len(runs))]
