"""The windows of `fused.gpu` for many runs at once against those in plain PyTorch, and their kernels compiled.

``test_gpu_packed.py`` runs this file in processes of its own, see ``gpu_windows.py`` and ``gpu_compilation.py``: here
`test_compilation` is for the second, all else for the first.
"""

import os

import pytest
import torch

from hyperbudget.nn.cells import HyperLstm, LnHyperLstm, LnLstm
from hyperbudget.nn.recurrent import fused
from hyperbudget.nn.recurrent.fused import gpu
from hyperbudget.nn.recurrent.fused.gpu import scaling
from hyperbudget.nn.recurrent.fused.gpu.scaling import FEW
from hyperbudget.nn.recurrent.fused.inputs import SEQUENCES
from tests.nn.recurrent.gpu_compilation import compiled, passes, resources  # noqa: F401  (a fixture)
from tests.nn.recurrent.gpu_windows import DEVICE, agree, check, hyper_inputs, lstm_inputs, options, results
from tests.nn.recurrent.test_packed import computed, example

RUNS = 3
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
computes = pytest.mark.skipif(not INTERPRETED and not torch.cuda.is_available(), reason="only compiled")


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def packed(make, *args, **fields):
    """Inputs of several runs, as `fused.function` puts them together: not always in one piece of memory."""
    runs = [make(*args, **fields) for _ in range(RUNS)]
    return type(runs[0])(
        *(
            None if one[0] is None else torch.stack(one).movedim(0, int(name in SEQUENCES))
            for name, one in zip(runs[0]._fields, zip(*runs, strict=True), strict=True)
        )
    )


@computes
@pytest.mark.parametrize("numbers", [4, FEW + 2], ids=["within", "before"])
@pytest.mark.parametrize(("norms", "current", "masks"), [(False, True, 0), (True, False, 2)], ids=["plain", "norms"])
def test_hyper_lstm(norms, current, masks, numbers, monkeypatch):
    """z multiplied within the kernels or before them; slabs of which the last is short."""
    monkeypatch.setattr(scaling, "SLABS", 3)
    for dtype, steps in ((torch.float64, 4), (torch.float32, 1)):
        inputs = packed(hyper_inputs, norms, masks, numbers=numbers, steps=steps, dtype=dtype)
        check(inputs, options(inputs, current))


@computes
@pytest.mark.parametrize("norms", [False, True], ids=["plain", "norms"])
def test_lstm(norms):
    inputs = packed(lstm_inputs, norms, norms, steps=3)
    check(inputs, options(inputs))


@computes
def test_products_in_bfloat16():
    inputs = packed(hyper_inputs, True, 1, dtype=torch.float32)
    check(inputs, options(inputs, products=torch.bfloat16))
    inputs = packed(lstm_inputs, False, dtype=torch.float32)
    check(inputs, options(inputs, products=torch.bfloat16))


@computes
def test_one_run_is_no_pack():
    """The same numbers, whether there is one run or no runs."""
    for make, window in ((hyper_inputs, gpu.HyperWindow), (lstm_inputs, gpu.LstmWindow)):
        alone = make(True, steps=3)
        one = type(alone)(
            *(
                None if tensor is None else tensor.unsqueeze(int(name in SEQUENCES))
                for name, tensor in zip(alone._fields, alone, strict=True)
            )
        )
        chosen = options(alone)
        for found, expected in zip(results(window, one, chosen), results(window, alone, chosen), strict=True):
            if expected is not None:
                assert found.numel() == expected.numel()
        agree([results(window, one, chosen)[0].squeeze(1)], [results(window, alone, chosen)[0]], 1e-14)


@computes
@pytest.mark.parametrize(
    "cell", [HyperLstm(4, 2), LnHyperLstm(4, 2, hyper_dropout=True), LnLstm()], ids=lambda c: c.name
)
def test_networks(cell):
    """Through vmap and autograd; two layers, with dropout."""
    networks, x, states, drawn, weight = example(cell, True)
    parameters = {
        name: torch.stack([network.get_parameter(name) for network in networks]).detach().to(DEVICE).requires_grad_()
        for name, _ in networks[0].named_parameters()
    }
    state = tuple(
        type(layers[0])(*(torch.stack(tensors).to(DEVICE) for tensors in zip(*layers, strict=True)))
        for layers in zip(*states, strict=True)
    )
    inputs = x.to(DEVICE), state, [u.to(DEVICE) for u in drawn], weight.to(DEVICE)
    found = []
    for path in (fused.GPU, fused.PYTORCH):
        with fused.packed(), fused.by(path):
            totals, outputs = torch.vmap(lambda *given: computed(networks[0], *given))(parameters, *inputs)
        found.append([outputs, *torch.autograd.grad(totals.sum(), list(parameters.values()))])
    agree(*found, 1e-10)


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_compilation(compiled, tmp_path):  # noqa: F811  (a fixture)
    """As of small networks; numbers are read by fours still, and all fit into registers."""
    for numbers, norms in ((5, False), (65, True)):
        inputs = packed(hyper_inputs, norms, 1, size=64, hyper=16, numbers=numbers, batch=4, dtype=torch.float32)
        passes(gpu.HyperWindow, inputs, options(inputs))
    assert {name for name, _ in compiled} == {
        "plain_backward", "plain_forward", "scaled_backward", "scaled_forward", "scaling_gradient",
    }  # fmt: skip
    assert not any(resources(kernel, tmp_path)[1] for kernel in compiled.values())
