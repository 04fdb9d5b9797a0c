"""The variants of the recurrent benchmark: what they compute, and what they are compared by."""

import dataclasses

import pytest
import torch

from hyperbudget.bench import recurrent
from hyperbudget.bench.recurrent import (
    HYPER,
    HYPER_LOOP,
    LN_HYPER,
    LN_HYPER_LOOP,
    LSTM,
    TARGETS,
    TORCH,
    VARIANTS,
    Passes,
    compare,
)
from hyperbudget.nn.cells import HyperLstm
from hyperbudget.nn.recurrent import fused

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_names_tell_variants_apart():
    assert [str(variant) for variant in VARIANTS] == [
        "nn.LSTM", "lstm", "ln_lstm", "hyper_lstm", "hyper_lstm loop", "ln_hyper_lstm", "ln_hyper_lstm loop"
    ]  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_step_is_a_forward_and_a_backward_pass_on_its_path(variant, monkeypatch):
    """Whatever the environment says."""
    functions, own = [], fused.hyper_lstm
    monkeypatch.setattr(fused, "hyper_lstm", lambda *arguments: (functions.append(1), own(*arguments))[1])
    passes = Passes(variant, 5, CPU, time=6)
    gradients = []
    for switched_off in (False, True, False):
        with fused.plain_loops(switched_off):
            passes.take()
        gradients.append([parameter.grad.clone() for parameter in passes.network.parameters()])
    assert len(functions) == (3 if variant.path == "function" else 0)
    assert isinstance(passes.network, torch.nn.LSTM) == (variant == TORCH)
    for first, last in zip(gradients[0], gradients[-1], strict=True):
        assert torch.equal(first, last)  # set anew, not added up


@pytest.mark.parametrize(("function", "loop"), [(HYPER, HYPER_LOOP), (LN_HYPER, LN_HYPER_LOOP)], ids=str)
def test_function_and_loop_take_the_same_step(function, loop):
    both = [Passes(variant, 5, CPU, time=6) for variant in (function, loop)]
    for passes in both:
        passes.take()
    for ours, theirs in zip(*(passes.network.parameters() for passes in both), strict=True):
        assert (ours.grad - theirs.grad).norm() <= 1e-5 * theirs.grad.norm()


def test_operations():
    """Written out, of one symbol: products with h, and for torch's with the one-hot input."""
    size, small, numbers = 1000, 128, 4
    assert TORCH.operations(size) == 2 * 4 * size * (size + 50)
    assert LSTM.operations(size) == 2 * 4 * size * size
    cells = 4 * size * size + 4 * small * (size + small)
    assert HYPER.operations(size) == LN_HYPER.operations(size) == 2 * (cells + 12 * numbers * (small + size))


def test_comparisons(monkeypatch):
    monkeypatch.setattr(recurrent, "TIME", 3)
    monkeypatch.setattr(recurrent, "TARGETS", {(4, HYPER, TORCH): "at most 2"})
    comparisons = list(compare([4, 6], CPU, repetitions=2))
    assert [(c.name, c.batch, c.unit) for c in comparisons] == [
        ("size 4", 32, "sequences"),
        ("size 6", 32, "sequences"),
    ]
    words = {(ratio.variant, ratio.baseline): ratio.target for ratio in comparisons[0].ratios}
    operations = HYPER.operations(4) / TORCH.operations(4)
    assert words["hyper_lstm", "nn.LSTM"] == f"{operations:.2f} by operations; at most 2"
    assert words["hyper_lstm", "hyper_lstm loop"] == ""
    assert not any("at most" in ratio.target for ratio in comparisons[1].ratios)
    assert {len(seconds) for c in comparisons for seconds in c.rounds.seconds.values()} == {2}


def test_targets_are_of_what_is_compared():
    assert {size for size, _, _ in TARGETS} <= {1000, 256}
    assert {variant for _, *pair in TARGETS for variant in pair} <= set(VARIANTS)
    assert HYPER.cell == dataclasses.replace(HyperLstm(), hyper_size=128, embedding_size=4)
