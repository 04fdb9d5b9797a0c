"""The reference that generates tile by tile, and the variants that are compared."""

import dataclasses

import pytest
import torch

from hyperbudget.bench.machine import check_compile, find_device
from hyperbudget.bench.per_tile import PerTileKernels
from hyperbudget.bench.static import COMPARISONS, FREE, GENERATED, HYPER, PER_TILE, build
from hyperbudget.errors import UserError
from hyperbudget.nn.sources import FreeKernels, HyperKernels
from hyperbudget.nn.spec import Hyper, KernelShape, WideResNet

CPU = torch.device("cpu")
SHAPES = [KernelShape(8, 4, 3, 3), KernelShape(16, 12, 3, 3), KernelShape(16, 12, 3, 3), KernelShape(24, 16, 3, 3)]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("axis", ["in", "out"])
def test_tile_by_tile_gives_the_same_kernels_and_gradients(axis):
    torch.manual_seed(0)
    batched = HyperKernels(SHAPES, Hyper(3, 5, basic_in=4, basic_out=8, slice_axis=axis)).double()
    for parameter in batched.parameters():  # biases are 0 at step 0: give them something to do
        torch.nn.init.normal_(parameter)
    per_tile = PerTileKernels(batched)
    assert dict(per_tile.named_parameters()).keys() == dict(batched.named_parameters()).keys()

    weights = [torch.randn(*shape, dtype=torch.float64) for shape in SHAPES]
    gradients = []
    for source in (batched, per_tile):
        loss = torch.stack([(k.square() * w).sum() for k, w in zip(source(), weights, strict=True)]).sum()
        gradients.append(torch.autograd.grad(loss, list(source.parameters())))
    for kernel, other in zip(batched(), per_tile(), strict=True):
        torch.testing.assert_close(kernel, other, rtol=1e-12, atol=1e-12)
    for gradient, other in zip(*gradients, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-12, atol=1e-12)


def test_hyper_and_tile_by_tile_take_the_same_step():
    hyper, per_tile = (build(variant, WideResNet(10, 1), 4, CPU) for variant in (HYPER, PER_TILE))
    for training in (hyper, per_tile):
        for group in training.optimizer.param_groups:
            assert {id(p) for p in group["params"]} == {id(p) for p in training.model.parameters()}
    losses = [(float(hyper.take_step()), float(per_tile.take_step())) for _ in range(2)]
    for ours, theirs in losses:
        assert ours == pytest.approx(theirs, rel=1e-4)


def test_variants_are_built_as_they_are_called():
    free, hyper = (build(variant, WideResNet(10, 1), 4, CPU) for variant in (FREE, HYPER))
    assert isinstance(free.model.source, FreeKernels)
    assert isinstance(hyper.model.source, HyperKernels)
    assert hyper.model.source.spec == GENERATED
    reduced = build(dataclasses.replace(FREE, precision="bf16"), WideResNet(10, 1), 4, CPU)
    assert (reduced.settings.precision, free.settings.precision) == ("bf16", "fp32")


def test_names_tell_variants_apart():
    for ratios in COMPARISONS.values():
        variants = {variant for ours, baseline, _ in ratios for variant in (ours, baseline)}
        assert len({str(variant) for variant in variants}) == len(variants)


def test_a_machine_that_cannot_compile_is_told_in_one_line(monkeypatch):
    def fail(function):
        raise RuntimeError("No working C++ compiler found\n\nSet TORCHDYNAMO_VERBOSE=1 for the internal stack trace")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(UserError, match=r"^compile: .*here: No working C\+\+ compiler found; install .*$") as caught:
        check_compile(CPU)
    assert "\n" not in str(caught.value)


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device(None) == CPU
    with pytest.raises(UserError, match="--device cuda: torch finds no CUDA device"):
        find_device("cuda")
