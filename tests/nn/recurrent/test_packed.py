"""Windows of many runs at once, each with parameters of its own, are those of the runs one by one."""

import pytest
import torch
from torch.func import functional_call

from hyperbudget.nn.cells import CELLS, HyperLstm, HyperRnn, LnHyperLstm, LnLstm, Lstm, Rnn
from hyperbudget.nn.recurrent import Recurrent, fused
from hyperbudget.nn.recurrent.fused.hyper_window import HyperWindow
from hyperbudget.nn.recurrent.fused.lstm_window import LstmWindow
from hyperbudget.nn.uniform import Given

RUNS, STEPS, BATCH, INPUTS, SIZE = 3, 7, 2, 5, 6
SPECS = [
    Rnn(), Lstm(), LnLstm(), HyperRnn(4, 2), HyperRnn(4, 2, form="full"),
    HyperLstm(4, 2), HyperLstm(4, 2, z_from="previous", hyper_dropout=True),
    LnHyperLstm(4, 2), LnHyperLstm(4, 2, z_from="previous", hyper_bias=True, hyper_dropout=True),
]  # fmt: skip


@pytest.fixture(autouse=True)
def whatever_the_environment_says():
    with fused.plain_loops(False):
        yield


def stacked(values):
    return [torch.stack(tensors) for tensors in zip(*values, strict=True)]


def example(spec, symbols):
    """Networks of two layers, inputs, states, and what their masks are drawn from, each with runs in front."""
    torch.manual_seed(0)
    dropout = 0.0 if spec.name.endswith("rnn") else 0.3
    networks = [Recurrent(spec, INPUTS, SIZE, 2, recurrent_dropout=dropout).double() for _ in range(RUNS)]
    for network in networks:
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randint(INPUTS, (RUNS, STEPS, BATCH)) if symbols else torch.randn(RUNS, STEPS, BATCH, INPUTS).double()
    states = [
        tuple(type(layer)(*(torch.randn_like(tensor) for tensor in layer)) for layer in network.initial_state(BATCH))
        for network in networks
    ]
    masks = [size for layer in networks[0].layers for size in layer.mask_sizes] if dropout else []
    drawn = [torch.rand(RUNS, STEPS, BATCH, size) for size in masks]
    weight = torch.randn(RUNS, STEPS, BATCH, SIZE).double()
    return networks, x, states, drawn, weight


def computed(network, parameters, x, state, drawn, weight):
    outputs, after = functional_call(network, parameters, (x, state), {"generator": Given(drawn)})
    total = (outputs * weight).sum() + sum(tensor.square().sum() for layer in after for tensor in layer)
    return total, outputs


@pytest.mark.parametrize("symbols", [True, False], ids=["symbols", "numbers"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_values_and_gradients(spec, symbols):
    networks, x, states, drawn, weight = example(spec, symbols)
    parameters = {
        name: torch.stack([network.get_parameter(name) for network in networks]).detach().requires_grad_()
        for name, _ in networks[0].named_parameters()
    }
    state = tuple(type(layers[0])(*stacked(layers)) for layers in zip(*states, strict=True))
    with fused.packed():
        together = torch.vmap(lambda *inputs: computed(networks[0], *inputs))
        totals, outputs = together(parameters, x, state, drawn, weight)
    gradients = torch.autograd.grad(totals.sum(), list(parameters.values()))
    for run, network in enumerate(networks):
        own = dict(network.named_parameters())
        total, expected = computed(network, own, x[run], states[run], [u[run] for u in drawn], weight[run])
        torch.testing.assert_close(outputs[run], expected, rtol=1e-10, atol=1e-12)
        for found, alone in zip(gradients, torch.autograd.grad(total, list(own.values())), strict=True):
            torch.testing.assert_close(found[run], alone, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("spec", [Lstm(), HyperLstm(4, 2)], ids=lambda spec: spec.name)
def test_they_are_one_window(spec, monkeypatch):
    """Once a layer forward and once backward; without `packed`, by loops."""
    taken = []
    for window in (LstmWindow, HyperWindow):
        for way in ("forward", "backward"):
            own = getattr(window, way)
            monkeypatch.setattr(window, way, lambda *args, own=own, way=way: (taken.append(way), own(*args))[1])
    networks, x, states, drawn, weight = example(spec, True)
    shared = {name: parameter.detach().requires_grad_() for name, parameter in networks[0].named_parameters()}
    together = torch.vmap(
        lambda x, drawn, weight: computed(networks[0], shared, x, states[0], drawn, weight)[0], in_dims=0
    )
    with fused.packed():
        both = together(x, drawn, weight)
    first = torch.autograd.grad(both.sum(), list(shared.values()))
    assert taken == ["forward"] * 2 + ["backward"] * 2
    by_loops = together(x, drawn, weight)
    assert len(taken) == 4
    torch.testing.assert_close(both, by_loops)
    torch.testing.assert_close(first, torch.autograd.grad(by_loops.sum(), list(shared.values())))


def test_every_cell_is_among_them():
    assert {spec.name for spec in SPECS} == set(CELLS)
