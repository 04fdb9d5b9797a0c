"""The windows of `fused.gpu` against those in plain PyTorch: on a GPU, or by Triton's interpreter on a CPU.

``test_gpu_window.py`` runs this file in a process of its own: what `triton.jit` makes of a function is decided when it
is imported, by the environment variable ``TRITON_INTERPRET``.
"""

import itertools
import os

import pytest
import torch

from hyperbudget.nn.cells import HyperLstm, LnHyperLstm, LnLstm
from hyperbudget.nn.recurrent import fused
from hyperbudget.nn.recurrent.fused import gpu, hyper_window, lstm_window
from hyperbudget.nn.recurrent.fused.gpu import scaling
from hyperbudget.nn.recurrent.fused.gpu.device import block, launcher, runs
from hyperbudget.nn.recurrent.fused.gpu.scaling import FEW
from hyperbudget.nn.recurrent.fused.inputs import HyperInputs, LstmInputs
from hyperbudget.nn.recurrent.fused.options import Options
from hyperbudget.nn.recurrent.fused.tape import Replay, Tape
from tests.nn.recurrent.examples import network

DEVICE = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"
TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5}
MIXED_TOLERANCE = 0.03
"""Relative to the length of what is expected. Products have 8 bits; errors go through a few steps."""

every_type = pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
with_and_without_norms = pytest.mark.parametrize("norms", [False, True], ids=["plain", "norms"])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def drawn(*shape, dtype, around=0.0):
    return (around + 0.5 * torch.randn(shape, dtype=torch.float64)).to(DEVICE, dtype)


def norms_of(size, dtype):
    return [drawn(*shape, dtype=dtype, around=around) for shape in ((4, size), (size,)) for around in (1.0, 0.0)]


def mask_of(*shape, dtype):
    return ((torch.rand(shape) < 0.7) / 0.7).to(DEVICE, dtype)


def hyper_inputs(norms, masks=0, *, steps=2, batch=2, size=7, hyper=5, numbers=4, dtype=torch.float64):
    """masks: how many there are, 0 to 2."""
    shapes = [
        (steps, batch, 4 * size), (steps, batch, 4 * hyper), (batch, size), (batch, size), (batch, hyper),
        (batch, hyper), (4 * size + 4 * hyper, size), (4 * hyper + 12 * numbers, hyper), (4 * hyper + 12 * numbers,),
        (12, numbers, size),
    ]  # fmt: skip
    both = [*norms_of(size, dtype), *norms_of(hyper, dtype)] if norms else [None] * 8
    drawn_masks = [mask_of(steps, batch, n, dtype=dtype) for n in (size, hyper)[:masks]]
    return HyperInputs(*(drawn(*shape, dtype=dtype) for shape in shapes), *both, *drawn_masks)


def lstm_inputs(norms, mask=False, *, steps=2, batch=2, size=7, dtype=torch.float64):
    shapes = [(steps, batch, 4 * size), (batch, size), (batch, size), (4 * size, size)]
    four = norms_of(size, dtype) if norms else [None] * 4
    return LstmInputs(
        *(drawn(*shape, dtype=dtype) for shape in shapes),
        *four,
        mask_of(steps, batch, size, dtype=dtype) if mask else None,
    )


def options(inputs, current=True, products=None):
    return Options(1e-3, current, products or inputs.h.dtype)


def results(window, inputs, chosen, wanted=None):
    """Outputs, last state and all gradients; wanted: of which results there are gradients, all if None."""
    tape = Tape(len(inputs.main))
    found = window(inputs, tape, chosen).forward()
    generator = torch.Generator().manual_seed(1)
    grads = [torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x) for x in found]
    if wanted is not None:
        grads = [grad if number in wanted else None for number, grad in enumerate(grads)]
    replay = Replay(len(inputs.main), tape.tensors)
    return [*found, *window(inputs, replay, chosen).backward(found[0], grads[0], grads[1:])]


def agree(found, expected, tolerance):
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert (one is None) == (other is None), number
        if one is not None and other is not None:
            assert (one.shape, one.dtype) == (other.shape, other.dtype), number
            error = torch.linalg.vector_norm(one.double() - other.double())
            assert error <= tolerance * torch.linalg.vector_norm(other.double()), number


def check(inputs, chosen, wanted=None):
    if isinstance(inputs, HyperInputs):
        windows = gpu.HyperWindow, hyper_window.HyperWindow
    else:
        windows = gpu.LstmWindow, lstm_window.LstmWindow
    tolerance = TOLERANCES[inputs.h.dtype] if chosen.products == inputs.h.dtype else MIXED_TOLERANCE
    found, expected = (
        results(windows[0], inputs, chosen, wanted),
        results(windows[1], inputs, options(inputs, chosen.current), wanted),
    )
    agree(found, expected, tolerance)


@every_type
@with_and_without_norms
def test_hyper_lstm(norms, dtype):
    """z of this step or of the one before; multiplied within the kernel, or where there are many, before it."""
    for (current, numbers), masks in zip(itertools.product([True, False], [4, FEW + 2]), (0, 1, 2, 1), strict=True):
        inputs = hyper_inputs(norms, masks, numbers=numbers, dtype=dtype)
        check(inputs, options(inputs, current))


@pytest.mark.parametrize(
    "sizes",
    [
        {"steps": 1, "batch": 1, "size": 1, "hyper": 1, "numbers": 2},
        {"steps": 1, "batch": 2, "size": 33, "hyper": 4, "numbers": FEW},
        {"steps": 4, "batch": 2, "size": 16, "hyper": 20, "numbers": 3},
        {"steps": 1, "batch": 7, "size": 3, "hyper": 2, "numbers": 2},
        {"steps": 1, "batch": 1, "size": 300, "hyper": 2, "numbers": 18},
    ],
    ids=str,
)
def test_sizes(sizes, monkeypatch):
    """Powers of two and others; more columns and numbers than a program takes, and slabs of which the last is short."""
    monkeypatch.setattr(scaling, "SLABS", 3)
    inputs = hyper_inputs(sizes["size"] > 1, masks=2, **sizes)
    check(inputs, options(inputs))


@every_type
@with_and_without_norms
def test_lstm(norms, dtype):
    for steps, mask in ((1, False), (3, True)):
        inputs = lstm_inputs(norms, mask, steps=steps, dtype=dtype)
        check(inputs, options(inputs))


@pytest.mark.parametrize("wanted", [[0], [1], [2, 3], [4]], ids=str)
def test_gradients_of_some_results(wanted):
    inputs = hyper_inputs(True)
    check(inputs, options(inputs, False), wanted)
    if max(wanted) < 3:
        inputs = lstm_inputs(True)
        check(inputs, options(inputs), wanted)


@with_and_without_norms
def test_products_in_bfloat16(norms):
    for current in (True, False):
        inputs = hyper_inputs(norms, 2, dtype=torch.float32)
        check(inputs, options(inputs, current, torch.bfloat16))
    inputs = lstm_inputs(norms, dtype=torch.float32)
    check(inputs, options(inputs, products=torch.bfloat16))


@pytest.mark.parametrize(
    "cell", [HyperLstm(5, 3), LnHyperLstm(5, 3, hyper_dropout=True), LnLstm()], ids=lambda c: c.name
)
def test_a_network(cell):
    """Through autograd, which may take the backward pass twice; two layers, with dropout."""
    built = network(cell, recurrent_dropout=0.3).to(DEVICE, torch.float64)
    x, found = torch.randn(3, 2, 6, dtype=torch.float64).to(DEVICE).requires_grad_(), []
    for plain in (True, False):
        with fused.plain_loops(plain), fused.by(fused.GPU):
            outputs, state = built(x, generator=torch.Generator().manual_seed(1))
        loss = outputs.square().sum() + sum(tensor.sum() for layer in state for tensor in layer)
        for again in (True, False):
            found.append([loss, *torch.autograd.grad(loss, [x, *built.parameters()], retain_graph=again)])
    for one in found[1:]:
        agree(one, found[0], 1e-10)


@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("current", [True, False], ids=["current", "previous"])
def test_without_a_tape_that_records(current, products):
    """The numbers are the same, though every step writes to the memory of the one before."""
    for window, inputs in (
        (gpu.HyperWindow, hyper_inputs(True, 1, steps=3, dtype=torch.float32)),
        (gpu.LstmWindow, lstm_inputs(False, steps=3, dtype=torch.float32)),
    ):
        chosen = options(inputs, current, products)
        tapes = Tape(3), Tape(3, False)
        agree(*(window(inputs, tape, chosen).forward() for tape in tapes), 1e-6)
        assert not tapes[1].tensors


def test_what_lies_otherwise_in_memory():
    """Transposed or spread inputs and gradients, as autograd may hand them over."""
    inputs = hyper_inputs(True, 1)
    other = HyperInputs(*(None if x is None else x.mT.contiguous().mT if x.dim() > 1 else x for x in inputs))
    chosen = options(inputs)
    agree(results(gpu.HyperWindow, other, chosen), results(gpu.HyperWindow, inputs, chosen), 1e-14)
    spread = []
    for window in (gpu.HyperWindow, hyper_window.HyperWindow):
        tape = Tape(2)
        outputs, *_ = window(inputs, tape, chosen).forward()
        grad = outputs.new_ones(1, 1, 1).expand_as(outputs)
        spread.append(window(inputs, Replay(2, tape.tensors), chosen).backward(outputs, grad, [None] * 4))
    agree(*spread, 1e-10)


@every_type
def test_tanh(dtype):
    """To a few units in the last place, near 0 as well; and 1, 0 and NaN where they belong."""
    x = torch.cat([torch.linspace(-11, 11, 400), torch.logspace(-30, 1, 90), -torch.logspace(-30, 1, 90)])
    x = torch.cat([x.double(), torch.tensor([0.0, 100.0, -1e9, torch.inf, -torch.inf, torch.nan])]).to(DEVICE, dtype)
    y = torch.empty_like(x)
    launcher("try_out", x, 1)(x, y, SIZE=len(x), BLOCK=block(len(x)), num_warps=1)
    torch.testing.assert_close(y.double(), x.double().tanh(), rtol=4 * torch.finfo(dtype).eps, atol=0, equal_nan=True)


def test_the_kernels_run():
    assert runs(torch.device(DEVICE))
    assert gpu.available(torch.device(DEVICE)) == (DEVICE == "cuda")


@pytest.mark.skipif(DEVICE == "cpu", reason="no CUDA device")
class TestOnADevice:
    SIZES = {"steps": 10, "batch": 20, "size": 200, "hyper": 40, "dtype": torch.float32}

    @with_and_without_norms
    def test_again_gives_the_same_bits(self, norms):
        inputs = hyper_inputs(norms, 1, **self.SIZES)
        first, again = (results(gpu.HyperWindow, inputs, options(inputs)) for _ in range(2))
        for one, other in zip(first, again, strict=True):
            assert one is other is None or torch.equal(one, other)

    @pytest.mark.parametrize("products", [torch.float32, torch.bfloat16], ids=str)
    @with_and_without_norms
    def test_in_a_graph(self, norms, products):
        """Captured after a first run, replayed on other numbers."""
        inputs = hyper_inputs(norms, 1, **self.SIZES)
        chosen, stream = options(inputs, products=products), torch.cuda.Stream()
        grad = torch.randn_like(inputs.main[..., : self.SIZES["size"]])

        def passes():
            tape = Tape(len(inputs.main))
            outputs, *last = gpu.HyperWindow(inputs, tape, chosen).forward()
            replay = Replay(len(inputs.main), tape.tensors)
            return [outputs, *last, *gpu.HyperWindow(inputs, replay, chosen).backward(outputs, grad, [None] * 4)]

        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            passes()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            captured = passes()
        inputs.main.copy_(torch.randn_like(inputs.main))
        graph.replay()
        agree(captured, passes(), 1e-6 if products == torch.float32 else 1e-3)
