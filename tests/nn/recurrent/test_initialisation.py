"""How parameters start: A.2.3, and its two alternatives."""

import math

import pytest
import torch

from hyperbudget.nn.cells import HyperLstm, HyperRnn, LnHyperLstm, LnLstm, Lstm, Rnn
from hyperbudget.nn.recurrent import HyperLstmState, Recurrent, build_layer

CELLS = [
    Rnn(), Lstm(), LnLstm(), HyperRnn(12, 3), HyperRnn(12, 3, form="full"), HyperLstm(12, 3), LnHyperLstm(12, 3),
    LnHyperLstm(12, 3, hyper_bias=True),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def check_orthogonal(matrix: torch.Tensor, scale: float = 1.0) -> None:
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    torch.testing.assert_close(short @ short.T, scale**2 * torch.eye(len(short)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("inputs", [7, 40])
@pytest.mark.parametrize("spec", CELLS, ids=str)
def test_main_and_small_cell_are_orthogonal_for_each_gate(spec, inputs):
    layer = build_layer(spec, inputs, 20)
    full = isinstance(spec, HyperRnn) and spec.form == "full"
    for name in ("weight_x", "weight_h", "hyper_weight_x", "hyper_weight_h"):
        if hasattr(layer, name):
            small = name.startswith("hyper")
            matrices = getattr(layer, name).detach().split(12 if small else 20)
            assert len(matrices) == (4 if hasattr(layer.state_type, "c") else 3 if full and not small else 1)
            for matrix in matrices:
                check_orthogonal(matrix, 0.1 / math.sqrt(3) if full and not small else 1.0)
            assert all(not torch.equal(matrices[0], other) for other in matrices[1:])


@pytest.mark.parametrize("spec", CELLS, ids=str)
def test_biases_and_layer_norms(spec):
    for name, parameter in build_layer(spec, 7, 20).named_parameters():
        if name.endswith("gain") or name == "z_bias":
            assert (parameter == 1).all()
        elif name.endswith(("bias", "offset")):
            assert not parameter.any()


@pytest.mark.parametrize("embedding", [1, 4, 16])
@pytest.mark.parametrize("cell", [HyperRnn, HyperLstm, LnHyperLstm])
def test_the_constants_of_a23(cell, embedding):
    layer = build_layer(cell(100, embedding), 7, 20)
    assert not layer.z_weight.any()
    assert (layer.z_bias == 1).all()
    assert layer.zb_weight.std().item() == pytest.approx(0.01, rel=4 / math.sqrt(2 * layer.zb_weight.numel()))
    assert layer.zb_weight.mean().item() == pytest.approx(0, abs=0.04 / math.sqrt(layer.zb_weight.numel()))
    torch.testing.assert_close(layer.d_weight[:2], torch.full_like(layer.d_weight[:2], 0.1 / embedding))
    assert not layer.d_weight[2].any()


def test_scaling_vectors_start_at_a_tenth():
    """Whatever the small cell says, the first step is that of an LSTM with a tenth of the weights."""
    hyper, lstm = build_layer(LnHyperLstm(12, 3), 7, 20), build_layer(LnLstm(), 7, 20)
    with torch.no_grad():
        lstm.weight_x.copy_(0.1 * hyper.weight_x)
        lstm.weight_h.copy_(0.1 * hyper.weight_h)
    state = HyperLstmState(*(torch.randn(5, size) for size in hyper.state_sizes.values()))
    ids = torch.randint(7, (9, 5))
    torch.testing.assert_close(hyper(ids, state)[0], lstm(ids, state[:2])[0])


def test_the_full_form_starts_as_strong_as_the_efficient_one():
    """Rows of W_h(z) = sum_k W_k have the length of the scaled ones, in the root mean square."""
    layer = build_layer(HyperRnn(12, 8, form="full"), 7, 200)
    rows = sum(layer.weight_h.chunk(8)).norm(dim=1)
    assert rows.square().mean().sqrt().item() == pytest.approx(0.1, rel=0.03)


def test_the_papers_start_keeps_the_numbers_of_one_z_equal():
    """z_h and z_x of N_z equal numbers get equal gradients, in every step: unless they start `normal`."""
    for start, equal in (("zero", True), ("normal", False)):
        torch.manual_seed(0)
        network = Recurrent(LnHyperLstm(6, 3, z_initialisation=start), 7, 8)
        (layer,) = network.layers
        optimiser = torch.optim.Adam(network.parameters(), 0.01)
        ids, target = torch.randint(7, (6, 4)), torch.randn(6, 4, 8)
        for _ in range(10):
            optimiser.zero_grad()
            (network(ids)[0] - target).square().mean().backward()
            optimiser.step()
        assert torch.allclose(layer.z_weight[:, :, :1], layer.z_weight, rtol=1e-4, atol=1e-6) == equal
        assert torch.allclose(layer.d_weight[:2, :, :, :1], layer.d_weight[:2], rtol=1e-4, atol=1e-6) == equal
        assert layer.z_weight.abs().max() > 1e-3
        assert not torch.allclose(layer.zb_weight[:, :1], layer.zb_weight, rtol=1e-2)


@pytest.mark.parametrize("cell", [Rnn, Lstm, LnLstm, HyperRnn, HyperLstm, LnHyperLstm])
def test_the_author_draws_input_weights_uniformly(cell):
    """On +-sqrt(3 / inputs), which has variance 1 / inputs."""
    layer = build_layer(cell(input_initialisation="uniform"), 30, 64)
    for name, inputs in (("weight_x", 30), ("hyper_weight_x", 94)):
        if hasattr(layer, name):
            weight = getattr(layer, name).detach()
            assert weight.shape[1] == inputs
            assert 0.95 * math.sqrt(3 / inputs) < weight.abs().max() <= math.sqrt(3 / inputs)
            assert weight.std().item() == pytest.approx(math.sqrt(1 / inputs), rel=0.05)
    check_orthogonal(layer.weight_h.detach()[:64])


def test_initial_scale_scales():
    for form in ("efficient", "full"):
        weak, strong = (build_layer(HyperRnn(12, 4, form=form, initial_scale=scale), 7, 20) for scale in (0.1, 1.0))
        assert strong.d_weight[0].mean().item() == (pytest.approx(0.25) if form == "efficient" else 0)
        ratio = strong.weight_h.norm() / weak.weight_h.norm()
        assert ratio.item() == pytest.approx(1 if form == "efficient" else 10)
