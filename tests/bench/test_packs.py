"""The benchmark of packs: what takes turns is the same training, and the numbers are those of a ratio."""

import pytest
import torch

from hyperbudget.bench import packs
from hyperbudget.bench.packs import ALONE, PACKED, Packs, compare
from hyperbudget.nn.cells import CELLS
from hyperbudget.train.pack.key import packable
from hyperbudget.train.pack.training import PackedTraining

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", CELLS)
def test_the_runs_share_a_pack(name):
    specs = Packs(3, name, 8).specs()
    assert len({packable(spec) for spec in specs}) == 1
    assert packable(specs[0]) is not None
    assert len({(spec.seed, spec.training.learning_rate) for spec in specs}) == 3
    assert specs[0].model.cell.name == name
    if "hyper" in name:
        assert specs[0].model.cell.hyper_size == 1


def test_comparisons(monkeypatch):
    monkeypatch.setattr(packs, "TARGETS", {("cpu", 3, "rnn"): "at most 2"})
    steps = []
    own = PackedTraining.take_step
    monkeypatch.setattr(PackedTraining, "take_step", lambda self: (steps.append(self.step), own(self)))
    chosen = Packs(3, "rnn", 4, batch_size=2, length=5)
    trained, evaluated = compare(chosen, CPU, steps=2, repetitions=2)
    assert [c.name.partition(" of ")[0] for c in (trained, evaluated)] == ["training steps", "evaluations"]
    assert trained.batch == 3 * 2 * 5
    assert steps == list(range(packs.WARMUP + 4))  # which the packs of both variants have
    (ratio,) = trained.ratios
    assert ratio == (PACKED, ALONE, "at most 2")
    assert evaluated.ratios[0].target == ""
    assert {len(seconds) for c in (trained, evaluated) for seconds in c.rounds.seconds.values()} == {2}
