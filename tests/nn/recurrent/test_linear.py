"""Products of all steps at once, which oneDNN may compute."""

import pytest
import torch
import torch.nn.functional as F

from hyperbudget.nn.recurrent import fused
from hyperbudget.nn.recurrent.fused import linear, products


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)], ids=str)
def test_it_is_torchs(dtype, tolerance, turned, biased):
    """In value and gradients, of an x whose time and batch were exchanged, too."""
    torch.manual_seed(0)
    x, weight, bias = torch.randn(5, 7, 30).double(), torch.randn(20, 30).double(), torch.randn(20).double()
    grad, results = torch.randn(5, 7, 20).double(), []
    for function, kind in ((F.linear, torch.float64), (linear, dtype)):
        leaves = [tensor.to(kind).requires_grad_() for tensor in (x, weight, bias)]
        seen = leaves[0].transpose(0, 1) if turned else leaves[0]
        with fused.plain_loops(False):
            y = function(seen, leaves[1], leaves[2] if biased else None)
        given = grad.to(kind).transpose(0, 1) if turned else grad.to(kind)
        results.append([y, *torch.autograd.grad(y, leaves if biased else leaves[:2], given)])
    for expected, found in zip(*results, strict=True):
        assert found.dtype == dtype
        assert (found.double() - expected).norm() <= tolerance * expected.norm()


def test_where_it_is_torchs_own(monkeypatch):
    """Where nothing is gained, in mixed precision, and where plain loops are asked for."""
    monkeypatch.setattr(products, "packs", lambda weight, times: True)
    x, weight = torch.randn(2, 3, 4), torch.randn(5, 4, requires_grad=True)
    with fused.plain_loops():
        assert "_Linear" not in linear(x, weight).grad_fn.name()
    with fused.plain_loops(False), torch.autocast("cpu", torch.bfloat16):
        assert linear(x, weight).dtype == torch.bfloat16
    assert "_Linear" not in linear(x.double(), weight.double()).grad_fn.name()


def test_gradients_are_only_of_what_is_learnt():
    x, weight = torch.randn(2, 3, 4), torch.randn(5, 4)
    assert not linear(x, weight).requires_grad
    y = linear(x.requires_grad_(), weight)
    assert torch.autograd.grad(y.sum(), [x])[0].shape == x.shape
