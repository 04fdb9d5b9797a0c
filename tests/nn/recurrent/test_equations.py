"""Every cell against its equations written out, in outputs, states and gradients; the LSTM against torch's."""

import pytest
import torch
from torch.nn.functional import one_hot

from hyperbudget.nn.cells import LnHyperLstm, Lstm
from hyperbudget.nn.recurrent import Recurrent
from tests.nn.recurrent import reference
from tests.nn.recurrent.examples import DROPPING, EXAMPLES, network, random_state, tensors

TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5}


def agree(found: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
    """Relative to the length of `expected`."""
    error = torch.linalg.vector_norm(found.to(expected.dtype) - expected) / torch.linalg.vector_norm(expected)
    assert error <= tolerance


def gradients(outputs: torch.Tensor, state: list[torch.Tensor], wanted: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Of a sum in which every output and every number of the last state has its own weight."""
    generator = torch.Generator().manual_seed(3)
    total = sum(
        (tensor.double() * torch.randn(tensor.shape, generator=generator, dtype=torch.float64)).sum()
        for tensor in [outputs, *state]
    )
    return torch.autograd.grad(total, wanted)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize(
    ("spec", "dropout"), [*((spec, 0.0) for spec in EXAMPLES), *((spec, 0.4) for spec in DROPPING)], ids=str
)
def test_equations_written_out(spec, dropout, dtype):
    torch.manual_seed(0)
    steps, batch, inputs, size = 3, 3, 6, 8
    built = network(spec, inputs, size, recurrent_dropout=dropout).to(dtype)
    parameters = dict(built.named_parameters())
    x = torch.randn(steps, batch, inputs, dtype=dtype, requires_grad=True)
    state = tuple(type(layer)(*(t.requires_grad_() for t in layer)) for layer in random_state(built, batch))
    outputs, last = built(x, state, generator=torch.Generator().manual_seed(1))
    found = gradients(outputs, tensors(last), [x, *tensors(state), *parameters.values()])

    again = [tensor.detach().double().requires_grad_() for tensor in (x, *tensors(state), *parameters.values())]
    x64, *rest = again
    states = [[rest.pop(0) for _ in layer] for layer in state]
    layers = [{}, {}]
    for name, tensor in zip(parameters, rest, strict=True):
        _, number, own = name.split(".")
        layers[int(number)][own] = tensor
    masks = None
    if dropout:  # as the network draws them
        generator = torch.Generator().manual_seed(1)
        masks = [built._masks(layer, steps, batch, generator) for layer in built.layers]
        masks = [[mask.double() for mask in own] + [torch.ones(steps, batch, 5)] * (2 - len(own)) for own in masks]
    expected, end = reference.run(spec, layers, x64, states, masks)

    agree(outputs, expected, TOLERANCES[dtype])
    for tensor, other in zip(tensors(last), tensors(end), strict=True):
        agree(tensor, other, TOLERANCES[dtype])
    names = ["x", *(f"state {n}" for n in range(len(tensors(state)))), *parameters]
    for name, own, other in zip(names, found, gradients(expected, tensors(end), again), strict=True):
        assert other.any(), name
        agree(own, other, TOLERANCES[dtype])


@pytest.mark.parametrize("spec", EXAMPLES, ids=str)
def test_token_ids_are_one_hot_vectors(spec):
    """In the outputs and in every gradient."""
    torch.manual_seed(0)
    built = network(spec, inputs=7).double()
    ids = torch.randint(7, (5, 3))
    state = random_state(built, 3)
    results = []
    for x in (ids, one_hot(ids, 7).double()):
        outputs, last = built(x, state)
        results.append([outputs, *tensors(last), *gradients(outputs, tensors(last), list(built.parameters()))])
    for found, expected in zip(*results, strict=True):
        agree(found, expected, 1e-12)


@pytest.mark.parametrize("spec", EXAMPLES, ids=str)
def test_gradcheck(spec):
    """Against differences of the function's values."""
    torch.manual_seed(0)
    built = network(spec, inputs=2, size=2, layers=1).double()
    names, parameters = zip(*built.named_parameters(), strict=True)
    state = random_state(built, 2)
    leaves = [tensor.requires_grad_() for tensor in (torch.randn(2, 2, 2, dtype=torch.float64), *tensors(state))]

    def compute(*values):
        x, own, weights = values[0], values[1 : len(leaves)], values[len(leaves) :]
        parts = (x, (type(state[0])(*own),))
        outputs, last = torch.func.functional_call(built, dict(zip(names, weights, strict=True)), parts)
        return (outputs, *tensors(last))

    assert torch.autograd.gradcheck(compute, (*leaves, *parameters))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("forget_bias", [0.0, 1.0])
def test_lstm_is_torchs(batch_first, forget_bias):
    """With copied weights: its gates are in the order i, f, g, o, and a forget bias is part of its bias."""
    torch.manual_seed(0)
    own = network(Lstm(forget_bias), inputs=5, size=6, layers=3, batch_first=batch_first).double()
    torchs = torch.nn.LSTM(5, 6, 3, batch_first=batch_first).double()
    with torch.no_grad():
        for number, layer in enumerate(own.layers):
            shift = torch.zeros(24).double()
            shift[12:18] = forget_bias
            for name, value in (
                ("weight_ih", layer.weight_x), ("weight_hh", layer.weight_h), ("bias_ih", layer.bias + shift),
            ):  # fmt: skip
                i, g, f, o = value.chunk(4)
                getattr(torchs, f"{name}_l{number}").copy_(torch.cat([i, f, g, o]))
            getattr(torchs, f"bias_hh_l{number}").zero_()
    x = torch.randn(3, 4, 5).double()
    state = random_state(own, 3 if batch_first else 4)
    outputs, last = own(x, state)
    expected, (h, c) = torchs(x, tuple(torch.stack(part) for part in zip(*state, strict=True)))
    agree(outputs, expected, 1e-10)
    for layer, (own_h, own_c) in enumerate(last):
        agree(own_h, h[layer], 1e-10)
        agree(own_c, c[layer], 1e-10)


def test_the_carried_c_is_not_normalised():
    """With closed input gates and open forget gates it stays what it was."""
    torch.manual_seed(0)
    built = Recurrent(LnHyperLstm(hyper_size=5), 6, 4)
    (layer,) = built.layers
    with torch.no_grad():
        layer.norm_offset[0], layer.norm_offset[2] = -1e4, 1e4
    state = random_state(built, 3)
    (last,) = built(torch.randn(9, 3, 6), state)[1]
    torch.testing.assert_close(last.c, state[0].c, rtol=0, atol=0)
