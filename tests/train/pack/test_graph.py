"""Steps and evaluations of a pack that are replayed are those that run as they come: by a stand-in for CUDA graphs."""

import logging

import pytest
import torch

from hyperbudget.nn.cells import CELLS
from hyperbudget.nn.recurrent import fused
from hyperbudget.nn.spec import LanguageModel
from hyperbudget.train.graph import WARMUP
from hyperbudget.train.loop import Pruned
from hyperbudget.train.pack.training import PackedTraining
from tests.train.pack.support import CPU, DATA, run_spec, small, trained, varied, with_dropout
from tests.train.recorder import Recorder


def recorders():
    made = []

    def make():
        made.append(Recorder(torch.Generator()))
        return made[-1]

    return made, make


@pytest.mark.parametrize("plain", [False, True], ids=["window", "loop"])
@pytest.mark.parametrize("name", CELLS)
def test_they_are_the_same(name, plain, monkeypatch):
    """Over epochs, which begin with a fresh state, with dropout, clipping and rates that change; bit for bit."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)  # as on a GPU
    specs = varied(cell=small(name), network=with_dropout(name), steps=20, evaluate_every=5)
    made, make = recorders()
    with fused.plain_loops(plain):
        graphed, plainly = trained(specs, graph=make)[1], trained(specs)[1]
    for one, other in zip(graphed, plainly, strict=True):
        assert one.curve == other.curve
        assert one.test_error == other.test_error
    steps, validation, test = made
    assert (steps.warmed_up, steps.captured, steps.replayed) == (WARMUP, 1, 20 - WARMUP)
    assert validation.captured == 1
    assert validation.replayed >= 1
    assert test.captured == 0  # a window or two
    assert not steps.generator.get_state().ne(torch.Generator().get_state()).any()  # nothing random is captured


def test_a_pack_that_shrinks_is_captured_anew():
    made, make = recorders()

    def evaluated(curves):
        return [run for run, curve in curves.items() if run > 1 and curve.step[-1] == 8]

    specs = varied(4, steps=20)
    graphed, plainly = (trained(specs, graph=graph, evaluated=evaluated)[1] for graph in (make, None))
    assert [type(result) for result in graphed[2:]] == [Pruned, Pruned]
    assert [result.curve for result in graphed[:2]] == [result.curve for result in plainly[:2]]
    first, _, second, *_ = made
    assert (first.captured, first.replayed) == (1, 8 - WARMUP)
    assert (second.captured, second.replayed) == (1, 12 - WARMUP)


def test_where_nothing_can_be_captured(caplog):
    class Fails(Recorder):
        def capture(self, launch):
            super().capture(launch)
            raise RuntimeError("operation not permitted when stream is capturing\nand much more")

    specs = varied()
    with caplog.at_level(logging.WARNING):
        found = trained(specs, graph=lambda: Fails(torch.Generator()))[1]
    assert [result.curve for result in found] == [result.curve for result in trained(specs)[1]]
    assert {record.getMessage() for record in caplog.records} == {
        "a pack goes on without a CUDA graph: operation not permitted when stream is capturing"
    }


def test_the_stand_in_would_notice():
    """Coefficients that do not lie where they did keep the value that they had in the capture."""
    graphed, plainly = (PackedTraining(varied(), DATA, CPU, graph=graph) for graph in (recorders()[1], None))
    for pack in (graphed, plainly):
        for _ in range(WARMUP + 3):
            pack.pack.coefficients = pack.pack.coefficients.clone()
            pack.take_step()
    assert not torch.equal(graphed.pack.rows, plainly.pack.rows)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", CELLS)
def test_on_a_gpu(name, precision, caplog):
    """Captured, the same twice, and up to rounding what the CPU and the run alone have."""
    from hyperbudget.train.loop import Training

    device = torch.device("cuda")
    network = LanguageModel(40, num_layers=2)
    specs = [run_spec(seed, cell=small(name), network=network, precision=precision, steps=20) for seed in range(4)]
    with caplog.at_level(logging.WARNING):
        first, again = (PackedTraining(specs, DATA, device).run() for _ in range(2))
    assert not caplog.records
    assert [result.curve for result in first] == [result.curve for result in again]
    tolerance = 1e-4 if precision == "fp32" else 2e-2
    for spec, result in zip(specs, first, strict=True):
        expected = Training(spec, DATA, device).run()
        assert result.curve.train_loss == pytest.approx(expected.curve.train_loss, rel=tolerance)
        if precision == "fp32":
            on_cpu = Training(spec, DATA, CPU).run()
            assert result.curve.train_loss == pytest.approx(on_cpu.curve.train_loss, rel=1e-3)
