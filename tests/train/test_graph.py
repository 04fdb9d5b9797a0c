"""Steps that are replayed are the steps of the plain loop: by a stand-in for CUDA graphs, and by them on a GPU."""

import dataclasses
import logging

import pytest
import torch

from hyperbudget.data.tasks import TextTask
from hyperbudget.data.text import text_data
from hyperbudget.data.text_splits import Texts
from hyperbudget.nn.cells import CELLS, HyperLstm, LnHyperLstm
from hyperbudget.nn.recurrent import fused
from hyperbudget.nn.spec import LanguageModel
from hyperbudget.train.graph import WARMUP, GraphedStep
from hyperbudget.train.loop import Training
from tests.train.recorder import Recorder
from tests.train.test_text import CPU, run_spec

DROPOUT = LanguageModel(12, num_layers=2, input_dropout=0.1, recurrent_dropout=0.2, output_dropout=0.1)
STEPS = 20


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def operators_of_pytorch_alone():
    """The stand-in sees nothing else."""
    with fused.plain_loops():
        yield


@pytest.fixture(scope="module")
def data():
    letters = torch.randint(97, 107, (6000,), generator=torch.Generator().manual_seed(0)).to(torch.uint8).numpy()
    return text_data(
        TextTask("text:/letters"),
        Texts(letters[:5000].tobytes(), letters[5000:5400].tobytes(), letters[5400:].tobytes()),
    )


def spec(network=DROPOUT, cell=None, **training):
    settings = {"steps": STEPS, "batch_size": 48, "warmup": 3, "evaluate_every": 5} | training
    return run_spec(cell or LnHyperLstm(hyper_size=4, embedding_size=2), network=network, **settings)


def training(chosen, data, graph=None, **options):
    """Plain, or with the stand-in."""
    made = Training(chosen, data, CPU, **options)
    if graph is not None:
        made.graphed = GraphedStep(made.problem, made.optimizer, made.descend, graph(made.problem.dropout))
    return made


def losses(made):
    return [made.take_step().item() for _ in range(STEPS)]


@pytest.mark.parametrize(
    "settings",
    [{}, {"optimizer": "sgd", "clip_norm": None}, {"precision": "bf16", "network": LanguageModel(12)}],
    ids=["adam", "sgd", "bf16"],
)
def test_they_are_the_steps_of_the_plain_loop(settings, data):
    """Over epochs, which begin with a fresh state; with dropout, clipping, and a learning rate that changes."""
    chosen = spec(**settings)
    plain, graphed = training(chosen, data), training(chosen, data, Recorder)
    assert STEPS // plain.problem.streams.steps_per_epoch >= 2
    tolerance = 1e-6 if chosen.training.precision == "fp32" else 1e-2
    assert losses(graphed) == pytest.approx(losses(plain), rel=tolerance)
    graph = graphed.graphed.graph
    assert (graph.warmed_up, graph.captured, graph.replayed) == (WARMUP, 1, STEPS - WARMUP)
    for one, other in zip(graphed.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
    for one, other in zip(graphed.problem.carried[-1], plain.problem.carried[-1], strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance, check_dtype=False)


def test_evaluations_come_between(data):
    plain, graphed = (training(spec(), data, graph).run() for graph in (None, Recorder))
    assert graphed.curve.train_loss == pytest.approx(plain.curve.train_loss, rel=1e-6)
    assert graphed.curve.validation_error == pytest.approx(plain.curve.validation_error, rel=1e-6)
    assert graphed.test_error == pytest.approx(plain.test_error, rel=1e-4)


@pytest.mark.parametrize("first", [None, Recorder], ids=["plain", "graphed"])
@pytest.mark.parametrize("then", [None, Recorder], ids=["plain", "graphed"])
def test_a_checkpoint_is_for_both(first, then, data, tmp_path):
    """Written in the middle of a stream, by either, it is read by either."""

    def kill_at_the_second():
        saves.append(None)
        if len(saves) == 2:
            raise KeyboardInterrupt

    chosen, saves = spec(batch_size=20), []
    undisturbed = training(chosen, data, first).run()
    options = {"checkpoint_file": tmp_path / "checkpoint.pt", "checkpoint_seconds": 0.0}
    with pytest.raises(KeyboardInterrupt):
        training(chosen, data, first, before_checkpoint=kill_at_the_second, **options).run()
    resumed = training(chosen, data, then, **options).run()
    assert resumed.curve.train_loss == pytest.approx(undisturbed.curve.train_loss, rel=1e-6)
    assert resumed.test_error == pytest.approx(undisturbed.test_error, rel=1e-4)  # Adam enlarges small differences
    if first is then:
        assert resumed.curve == undisturbed.curve


@pytest.mark.parametrize("plain", [True, False], ids=["loop", "window"])
@pytest.mark.parametrize("name", CELLS)
def test_the_steps_of_every_cell_can_be_captured(name, plain, data, monkeypatch):
    """As far as that is seen on a CPU: nothing in them waits for numbers that are not on the device."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)  # as there
    graphed = training(
        spec(LanguageModel(12, recurrent_dropout=0.2 * ("rnn" not in name)), CELLS[name]()), data, Recorder
    )
    graph = graphed.graphed.graph
    graph.replay = lambda: None
    with fused.plain_loops(plain), fused.by(fused.PYTORCH):
        for _ in range(WARMUP + 1):
            graphed.take_step()
    assert graphed.graphed.graph is graph
    assert graph.captured == 1


def test_where_nothing_can_be_captured(data, caplog):
    """In the midst of it, too: the same numbers, and one line."""

    class Fails(Recorder):
        def capture(self, launch):
            super().capture(launch)
            raise RuntimeError("operation not permitted when stream is capturing\nand much more")

    chosen = spec()
    with caplog.at_level(logging.WARNING):
        found = losses(training(chosen, data, Fails))
    assert found == pytest.approx(losses(training(chosen, data)), rel=1e-6)
    (record,) = caplog.records
    assert record.getMessage().endswith("without a CUDA graph: operation not permitted when stream is capturing")


def test_the_stand_in_would_notice(data, monkeypatch):
    """A learning rate that is a number, not a tensor, keeps the value that it had in the capture."""
    chosen = spec()
    graphed = training(chosen, data, Recorder)
    take = graphed.graphed.take

    def with_a_number(step, rate):
        monkeypatch.setattr(graphed.graphed, "rate", torch.tensor(rate))
        return take(step, rate)

    graphed.graphed.take = with_a_number
    assert losses(graphed) != pytest.approx(losses(training(chosen, data)), rel=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("cell", [HyperLstm(8, 4), LnHyperLstm(8, 4)], ids=lambda cell: cell.name)
def test_on_a_gpu(cell, precision, data, caplog):
    device = torch.device("cuda")
    chosen = spec(dataclasses.replace(DROPOUT, hidden_size=40), cell, precision=precision)
    with fused.plain_loops(False), caplog.at_level(logging.WARNING):
        graphed, again, plain = (Training(chosen, data, device) for _ in range(3))
        assert graphed.graphed is not None
        plain.graphed = None
        first = losses(graphed)
        assert first == losses(again)
        assert first == pytest.approx(losses(plain), rel=1e-4 if precision == "fp32" else 1e-2)
    assert not caplog.records
    assert graphed.graphed.graph is not None
