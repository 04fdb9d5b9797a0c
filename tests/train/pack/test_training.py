"""The contract of packs: every run's numbers are those of the run alone, and no neighbour changes them."""

import dataclasses

import pytest
import torch

from hyperbudget.data.tasks import TextTask
from hyperbudget.data.text import text_data
from hyperbudget.data.text_splits import Texts
from hyperbudget.errors import UserError
from hyperbudget.nn.cells import CELLS, HyperLstm, HyperRnn, LnHyperLstm
from hyperbudget.nn.recurrent import fused
from hyperbudget.nn.spec import LanguageModel
from hyperbudget.train import checkpoint
from hyperbudget.train.loop import Diverged, Pruned
from hyperbudget.train.pack.training import PackedTraining
from tests.train.pack.support import CPU, DATA, alone, in_float64, run_spec, small, trained, varied, with_dropout
from tests.train.test_loop import run_spec as image_spec

OTHERS = [
    HyperLstm(4, 2, z_from="previous", hyper_dropout=True),
    LnHyperLstm(4, 2, hyper_bias=True, hyper_dropout=True),
    HyperRnn(4, 2, form="full", z_from="previous"),
]


def assert_as_alone(specs, pack, results, tolerance):
    for spec, result, model in zip(specs, results, pack.models(), strict=True):
        training, expected = alone(spec)
        assert result.metric == expected.metric
        assert result.best_step == expected.best_step
        assert result.curve.step == expected.curve.step
        for name in ("train_loss", "validation_error"):
            assert getattr(result.curve, name) == pytest.approx(getattr(expected.curve, name), rel=tolerance)
        assert result.validation_error == pytest.approx(expected.validation_error, rel=tolerance)
        assert result.test_error == pytest.approx(expected.test_error, rel=tolerance)
        assert result.dynamics.keys() == expected.dynamics.keys()
        assert model.training
        for name, tensor in training.model.state_dict().items():
            error = (model.state_dict()[name] - tensor).norm()
            assert error <= 10 * tolerance * max(tensor.norm(), 1.0), name


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("dropout", [False, True], ids=["", "dropout"])
@pytest.mark.parametrize("name", CELLS)
def test_every_run_is_the_run_alone(name, dropout, layers, optimizer):
    """In float32; seeds, learning rates, schedules, clipping and momentum differ in a pack."""
    network = with_dropout(name, num_layers=layers) if dropout else LanguageModel(12, num_layers=layers)
    specs = varied(cell=small(name), network=network, optimizer=optimizer)
    # What rounding does to a run's numbers: a layer norm of few units and Adam's first steps enlarge it.
    assert_as_alone(specs, *trained(specs), tolerance=1e-4)


@pytest.mark.parametrize("plain", [False, True], ids=["window", "loop"])
@pytest.mark.parametrize("cell", [*map(small, CELLS), *OTHERS], ids=lambda cell: cell.name)
def test_in_float64_it_is_so_to_the_last_digits(cell, plain, monkeypatch):
    """With dropout, over three epochs; by windows that are one function, and by loops."""
    in_float64(monkeypatch)
    specs = varied(cell=cell, network=with_dropout(cell.name, num_layers=2), steps=36)
    with fused.plain_loops(plain):
        pack, results = trained(specs)
        assert pack.pack.rows.dtype == torch.float64
        assert_as_alone(specs, pack, results, tolerance=1e-9)


def test_in_bf16():
    specs = varied(cell=small("hyper_lstm"), network=with_dropout("hyper_lstm"), precision="bf16")
    for spec, result in zip(specs, trained(specs)[1], strict=True):
        assert result.curve.train_loss == pytest.approx(alone(spec)[1].curve.train_loss, rel=2e-2)


@pytest.mark.parametrize("name", CELLS)
def test_neighbours_change_nothing(name):
    """Not one bit, in a pack of the same size: wherever the run stands, and even beside one that diverges."""
    fields = {"cell": small(name), "network": with_dropout(name), "steps": 16}
    spec = run_spec(7, **fields)
    wild = [run_spec(seed, learning_rate=1e38, optimizer="adam", **fields) for seed in range(3)]
    first, last, among = (
        trained(specs)[1]
        for specs in (
            [spec, *varied(**fields)],
            [*varied(**{**fields, "learning_rate": 1.0}), spec],
            [wild[0], wild[1], spec, run_spec(5, **fields)],
        )
    )
    found = [first[0], last[3], among[2]]
    assert isinstance(among[0], Diverged)
    assert found[0].curve == found[1].curve
    assert found[0].test_error == found[1].test_error
    # Where neighbours end the pack becomes smaller, and sums may be taken in another order.
    assert among[2].curve.train_loss == pytest.approx(first[0].curve.train_loss, rel=1e-4)


def test_what_is_missing_to_a_size_are_copies():
    pack, results = trained(varied(5))
    assert pack.slots == [0, 1, 2, 3, 4, 0]
    assert torch.equal(pack.pack.rows[0], pack.pack.rows[5])
    assert len(results) == 5
    assert len({result.curve.train_loss[0] for result in results}) == 5


def test_a_run_that_diverges_ends_alone():
    specs = [run_spec(0), run_spec(1, learning_rate=1e38, clip_norm=None), run_spec(2)]
    pack, results = trained(specs)
    assert isinstance(results[1], Diverged)
    with pytest.raises(Diverged) as expected:
        alone(specs[1])
    assert str(results[1]) == str(expected.value)
    assert pack.slots == [0, 2]
    assert pack.models()[1] is None
    for run in (0, 2):
        assert results[run].curve.train_loss == pytest.approx(alone(specs[run])[1].curve.train_loss, rel=1e-4)


def test_all_of_them():
    specs = [run_spec(seed, learning_rate=1e38, clip_norm=None) for seed in range(2)]
    pack, results = trained(specs)
    assert [type(result) for result in results] == [Diverged, Diverged]
    assert pack.models() == [None, None]
    assert pack.step < 12


def test_pruning_shrinks_to_fixed_sizes():
    told = []
    sizes = []

    def evaluated(curves):
        told.extend((run, curve.step[-1]) for run, curve in curves.items())
        sizes.append(len(pack.slots))
        ends = [(0, 4), (3, 4), (4, 8), (5, 12)]
        return [run for run, curve in curves.items() if (run, curve.step[-1]) in ends]

    specs = varied(6)
    pack = PackedTraining(specs, DATA, CPU, evaluated=evaluated)
    results = pack.run()
    assert [type(results[run]) for run in (0, 3, 4, 5)] == [Pruned] * 4
    assert [results[run].curve.step for run in (0, 4, 5)] == [[4], [4, 8], [4, 8, 12]]
    first, second, third = (
        [(run, 4) for run in range(6)],
        [(run, 8) for run in (1, 2, 4, 5)],
        [(1, 12), (2, 12), (5, 12)],
    )
    assert told[:13] == [*first, *second, *third]
    assert sizes[:3] == [6, 4, 3]
    for run in (1, 2):
        expected = alone(specs[run])[1]
        assert results[run].curve.validation_error == pytest.approx(expected.curve.validation_error, rel=1e-4)
        assert results[run].test_error == pytest.approx(expected.test_error, rel=1e-4)


@pytest.mark.parametrize("name", ["hyper_lstm", "rnn"])
def test_resumes_bit_for_bit(name, tmp_path):
    """In the middle of streams, after one run has diverged and the pack has shrunk, and another one was pruned."""

    def kill_at_the_third():
        saves.append(None)
        if len(saves) == 3:
            raise KeyboardInterrupt

    def keep(curves):
        return [run for run, curve in curves.items() if (run, curve.step[-1]) == (3, 6)]

    fields = {"cell": small(name), "network": with_dropout(name), "steps": 15, "evaluate_every": 3}
    specs = [*varied(4, **fields), run_spec(9, **{**fields, "learning_rate": 1e38, "clip_norm": None})]
    saves = []
    undisturbed = trained(specs, evaluated=keep)[1]
    options = {"checkpoint_file": tmp_path / "checkpoint.pt", "checkpoint_seconds": 0.0, "evaluated": keep}
    with pytest.raises(KeyboardInterrupt):
        trained(specs, before_checkpoint=kill_at_the_third, **options)
    resumed = trained(specs, **options)[1]
    assert len(resumed[0].curve.seconds) == 5
    assert isinstance(resumed[3], Pruned)
    assert resumed[3].curve == undisturbed[3].curve
    assert isinstance(resumed[4], Diverged)
    assert str(resumed[4]) == str(undisturbed[4])
    for run in range(3):
        assert resumed[run].curve == undisturbed[run].curve
        assert resumed[run].test_error == undisturbed[run].test_error


def test_resuming_really_starts_from_the_checkpoint(tmp_path):
    options = {"checkpoint_file": tmp_path / "checkpoint.pt", "checkpoint_seconds": 0.0}
    pack, _ = trained(varied(), **options)
    again = PackedTraining(varied(), DATA, CPU, **options)
    again.take_step = None  # nothing is left to do
    assert [result.curve for result in again.run()] == [member.curve for member in pack.members]


def test_a_checkpoint_of_other_runs_is_not_taken(tmp_path):
    options = {"checkpoint_file": tmp_path / "checkpoint.pt", "checkpoint_seconds": 0.0}
    trained(varied(), **options)
    others = [run_spec(seed) for seed in range(5, 8)]
    assert trained(others, **options)[1][0].curve == trained(others)[1][0].curve


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_run_goes_on_alone(optimizer, tmp_path):
    """One that was pruned, say, from where it stood in the pack."""

    def evaluated(curves):
        if 2 not in curves or curves[2].step[-1] != 8:
            return []
        checkpoint.save(pack.alone(2), tmp_path / "run.pt")
        return [2]

    specs = varied(cell=small("hyper_lstm"), network=with_dropout("hyper_lstm"), optimizer=optimizer, steps=20)
    pack = PackedTraining(specs, DATA, CPU, evaluated=evaluated)
    curve = pack.run()[2].curve
    found = alone(specs[2], checkpoint_file=tmp_path / "run.pt")[1]
    _, expected = alone(specs[2])
    assert found.curve.step == expected.curve.step
    assert found.curve.train_loss[:2] == curve.train_loss
    assert found.curve.train_loss == pytest.approx(expected.curve.train_loss, rel=1e-4)
    assert found.test_error == pytest.approx(expected.test_error, rel=1e-4)
    assert found.seconds > curve.seconds[-1]


def test_a_result_that_cannot_be_is_that_of_its_run():
    """The first run's network always says what comes next, which is always the same symbol."""
    data = text_data(TextTask("text:/same"), Texts(b"ab" * 300, b"ab" * 50, b"ab" * 50))
    pack = PackedTraining([run_spec(0, steps=1), run_spec(1, steps=1, learning_rate=1e-9)], data, CPU)
    pack._train_until_evaluation()
    views = pack.model.layout.tensors(pack.best)
    for tensor in views.values():
        tensor[0] = 0
    pack.data = dataclasses.replace(data, test=torch.zeros(200, dtype=torch.uint8))
    views["head.bias"][0, 0] = 100
    impossible, possible = pack._finish()
    assert isinstance(impossible, UserError)
    assert "something leaks" in str(impossible)
    assert possible.test_error > 0.5


def test_seconds_are_a_runs_share():
    _, results = trained(varied(4))
    assert all(len(result.curve.seconds) == 3 for result in results)
    assert len({result.seconds for result in results}) == 1
    assert results[0].seconds == results[0].curve.seconds[-1] > results[0].curve.seconds[0] > 0


@pytest.mark.parametrize("specs", [[], [run_spec(), run_spec(steps=13)], [image_spec()]], ids=["none", "two", "images"])
def test_runs_that_cannot_share_a_pack(specs):
    with pytest.raises(ValueError, match=r"specs: \d runs of \d kinds"):
        PackedTraining(specs, DATA, CPU)


def test_a_text_that_is_too_short():
    with pytest.raises(UserError, match="make one of them smaller"):
        PackedTraining([run_spec(batch_size=200, length=100)], DATA, CPU)
