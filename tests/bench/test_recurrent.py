"""The variants of the recurrent benchmark: what they compute, and what they are compared by."""

import pytest
import torch

from hyperbudget.bench import recurrent
from hyperbudget.bench.recurrent import PATHS, TARGETS, TORCH, Passes, Variant, compare, variants
from hyperbudget.nn.recurrent import fused

CPU = torch.device("cpu")
HERE = variants(CPU)
HYPER = Variant("hyper_lstm", "PyTorch")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_names_tell_variants_apart():
    names = [str(variant) for variant in HERE]
    assert len(set(names)) == len(names)
    assert {"nn.LSTM", "lstm loop", "ln_lstm PyTorch", "hyper_lstm loop", "ln_hyper_lstm PyTorch"} <= set(names)
    assert str(Variant("hyper_lstm", "C++", "bf16")) == "hyper_lstm C++ bf16"
    assert str(Variant("lstm", "torch", "bf16")) == "nn.LSTM bf16"


def test_variants_are_those_that_the_machine_can_compute(monkeypatch):
    monkeypatch.setenv("HYPERBUDGET_NATIVE", "0")
    assert {variant.how for variant in variants(CPU)} == {"torch", "loop", "PyTorch"}
    assert {variant.precision for variant in variants(CPU)} == {"fp32"}


@pytest.mark.parametrize("variant", HERE, ids=str)
def test_a_step_is_a_forward_and_a_backward_pass_on_its_path(variant, monkeypatch):
    """Whatever the environment says."""
    taken = []
    for how, path in PATHS.items():
        for cell in ("lstm", "hyper_lstm"):
            own = getattr(path, cell).forward
            monkeypatch.setattr(
                getattr(path, cell), "forward", lambda s, own=own, how=how: (taken.append(how), own(s))[1]
            )
    passes = Passes(variant, 5, CPU, time=6)
    gradients = []
    for switched_off in (False, True, False):
        with fused.plain_loops(switched_off):
            passes.take()
        gradients.append([parameter.grad.clone() for parameter in passes.network.parameters()])
    assert taken == ([variant.how] * 3 if variant.how in PATHS else [])
    assert isinstance(passes.network, torch.nn.LSTM) == (variant.how == "torch")
    for first, last in zip(gradients[0], gradients[-1], strict=True):
        assert torch.equal(first, last)  # set anew, not added up


@pytest.mark.parametrize("variant", [v for v in HERE if v.how in PATHS], ids=str)
def test_functions_and_loops_take_the_same_step(variant):
    loop = Variant(variant.cell_name, "loop")
    both = [Passes(v, 40, CPU, time=6) for v in (variant, loop)]
    for passes in both:
        passes.take()
    tolerance = 1e-5 if variant.precision == "fp32" else 2e-2
    for ours, theirs in zip(*(passes.network.parameters() for passes in both), strict=True):
        assert (ours.grad - theirs.grad).norm() <= tolerance * theirs.grad.norm()


def test_operations():
    """Written out, of one symbol: products with h, and for torch's with the one-hot input."""
    assert TORCH.operations(1000) == 2 * 4 * 1000 * (1000 + 50)
    assert Variant("lstm", "loop").operations(1000) == 2 * 4 * 1000 * 1000
    for size, small in ((1000, 128), (256, 64), (80, 10), (4, 1)):
        cells = 4 * size * size + 4 * small * (size + small)
        expected = 2 * (cells + 12 * 4 * (small + size))
        assert HYPER.operations(size) == Variant("ln_hyper_lstm", "C++").operations(size) == expected


def test_comparisons(monkeypatch):
    monkeypatch.setattr(recurrent, "TIME", 3)
    monkeypatch.setattr(recurrent, "TARGETS", {(4, "hyper_lstm PyTorch", "nn.LSTM"): "at most 2"})
    comparisons = list(compare([4, 16], CPU, repetitions=2))
    assert [(c.name, c.batch, c.unit) for c in comparisons] == [
        ("size 4, hyper cells of 1", 32, "sequences"),
        ("size 16, hyper cells of 2", 32, "sequences"),
    ]
    words = {(ratio.variant, ratio.baseline): ratio.target for ratio in comparisons[0].ratios}
    operations = HYPER.operations(4) / TORCH.operations(4)
    assert words["hyper_lstm PyTorch", "nn.LSTM"] == f"{operations:.2f} by operations; at most 2"
    assert words["hyper_lstm PyTorch", "hyper_lstm loop"] == ""
    assert not any("at most" in ratio.target for ratio in comparisons[1].ratios)
    assert {len(seconds) for c in comparisons for seconds in c.rounds.seconds.values()} == {2}


def test_targets_are_of_what_is_compared():
    hows = ("loop", *PATHS)
    names = {str(TORCH)} | {
        str(Variant(n, h)) for n in ("lstm", "ln_lstm", "hyper_lstm", "ln_hyper_lstm") for h in hows
    }
    assert {size for size, *_ in TARGETS} <= {1000, 256}
    assert {name for _, *pair in TARGETS for name in pair} <= names
