"""Scaling vectors and changes of weights: beside what the layers' steps use, and beside whole matrices in float64."""

import pytest
import torch

from hyperbudget.nn.cells import CELLS, HyperLstm, HyperRnn, LnHyperLstm
from hyperbudget.nn.recurrent import HyperRnnLayer
from hyperbudget.nn.recurrent.dynamics import gates_of, scaling_vectors, shown_cell, trace, weight_changes
from hyperbudget.nn.recurrent.gates import LayerNorms
from tests.nn.recurrent.examples import EXAMPLES, network, random_state
from tests.nn.recurrent.reference import sigmoid

SCALED = [
    spec for spec in EXAMPLES if isinstance(spec, HyperLstm | LnHyperLstm | HyperRnn)
    if getattr(spec, "form", "efficient") == "efficient"
]  # fmt: skip
TIME, BATCH, SIZE = 5, 2, 4


@pytest.fixture
def traced():
    """Makes a network of random parameters in float64, an input, a first state and the states of its last layer."""

    def make(spec):
        torch.manual_seed(1)
        built = network(spec, size=SIZE).double().eval()
        x = torch.randn(TIME, BATCH, built.input_size, dtype=torch.float64)
        before = random_state(built, BATCH)
        return built, x, before, trace(built, x, before)

    return make


def matrices(layer, vectors, t):
    """The weights of each gate that step t uses for the first sample: [W_h(t), W_x(t)] and b_z(t), built in full."""
    gates = vectors.shape[1]
    weight_h, weight_x = (w.view(gates, SIZE, -1) for w in (layer.weight_h, layer.weight_x))
    built = []
    for gate in range(gates):
        d_h, d_x, d_b = (vectors[k, gate, t + 1, 0] for k in range(3))
        whole = torch.cat([torch.diag(d_h) @ weight_h[gate], torch.diag(d_x) @ weight_x[gate]], 1)
        built.append((whole, d_b + layer.bias.view(gates, SIZE)[gate]))
    return built


@pytest.mark.parametrize("spec", EXAMPLES, ids=str)
def test_the_trace_is_what_the_network_does(spec, traced):
    built, x, before, states = traced(spec)
    outputs, after = built(x, before)
    torch.testing.assert_close(states[0][1:], outputs)
    for name, tensor in states._asdict().items():
        assert tensor.shape[:2] == (TIME + 1, BATCH)
        torch.testing.assert_close(tensor[0], getattr(before[-1], name))
        torch.testing.assert_close(tensor[-1], getattr(after[-1], name))


@pytest.mark.parametrize("spec", SCALED, ids=str)
def test_whole_matrices_of_these_vectors_give_what_a_step_gives(spec, traced):
    """Eq. 12 with matrices of our vectors, beside the layer's own h and c."""
    built, x, before, states = traced(spec)
    layer = built.layers[-1]
    vectors = scaling_vectors(layer, states.hyper_h)
    below = trace_of_the_first(built, x, before)
    for t in range(TIME):
        seen = torch.cat([states.h[t, 0], below[t, 0]])
        sums = [weight @ seen + bias for weight, bias in matrices(layer, vectors, t)]
        if isinstance(layer, HyperRnnLayer):
            torch.testing.assert_close(torch.tanh(sums[0]), states.h[t + 1, 0], rtol=0, atol=1e-12)
            continue
        if isinstance(spec, LnHyperLstm):
            sums = LayerNorms.of(layer, spec.norm_epsilon).gates(torch.stack(sums)[None])[0]
        i, g, f, o = sums
        c = sigmoid(f + spec.forget_bias) * states.c[t, 0] + sigmoid(i) * torch.tanh(g)
        torch.testing.assert_close(c, states.c[t + 1, 0], rtol=0, atol=1e-12)
        h = sigmoid(o) * shown_cell(layer, c)
        torch.testing.assert_close(h, states.h[t + 1, 0], rtol=0, atol=1e-12)


def trace_of_the_first(built, x, before):
    """What the last layer sees: the outputs of the one below."""
    outputs, _ = built.layers[0](x, before[0])
    return outputs


@pytest.mark.parametrize("z_from", ["current", "previous"])
def test_the_vectors_are_those_that_step_multiplies_with(z_from, traced, monkeypatch):
    """Taken out of `HyperLstmLayer.step` itself, where they come from its one batched product."""
    built, x, before, states = traced(HyperLstm(5, 3, z_from=z_from))
    layer, used = built.layers[-1], []
    real = torch.bmm

    def remember(*arguments):
        used.append(real(*arguments))
        return used[-1]

    below = trace_of_the_first(built, x, before)
    monkeypatch.setattr(torch, "bmm", remember)
    for t in range(TIME):
        state = type(states)(*(tensor[t] for tensor in states))
        main = below[t] @ layer.weight_x.T
        small = below[t] @ layer.hyper_weight_x[:, : layer.input_size].T + layer.hyper_bias
        layer.step(main, small, state, layer.step_weights())
    vectors = scaling_vectors(layer, states.hyper_h)
    assert len(used) == TIME
    for t, found in enumerate(used):  # (12, batch, size)
        torch.testing.assert_close(found.view(3, 4, BATCH, SIZE), vectors[:, :, t + 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("spec", SCALED, ids=str)
def test_changes_are_frobenius_norms_of_differences_of_matrices(spec, traced):
    built, _, _, states = traced(spec)
    layer = built.layers[-1]
    vectors = scaling_vectors(layer, states.hyper_h)
    changes = weight_changes(layer, vectors)
    assert changes.shape == (len(gates_of(layer)), TIME, BATCH)
    for t in range(TIME):
        now, last = matrices(layer, vectors, t), matrices(layer, vectors, t - 1)
        for gate, ((weight, _), (earlier, _)) in enumerate(zip(now, last, strict=True)):
            expected = torch.linalg.matrix_norm(weight - earlier).item()
            assert changes[gate, t, 0].item() == pytest.approx(expected, abs=1e-12)
    assert (changes[:, 1:] > 1e-3).all()


def test_the_first_step_of_previous_changes_nothing(traced):
    """Its weights are those that the first state gives."""
    built, _, _, states = traced(HyperLstm(5, 3, z_from="previous"))
    layer = built.layers[-1]
    changes = weight_changes(layer, scaling_vectors(layer, states.hyper_h))
    assert (changes[:, 0] == 0).all()
    assert (changes[:, 1:] > 0).all()


def test_gates():
    assert {name: gates_of(network(cell()).layers[-1]) for name, cell in CELLS.items()} == {
        "lstm": (), "ln_lstm": (), "rnn": (), "hyper_rnn": ("h",),
        "hyper_lstm": ("i", "g", "f", "o"), "ln_hyper_lstm": ("i", "g", "f", "o"),
    }  # fmt: skip
    assert gates_of(network(HyperRnn(form="full")).layers[-1]) == ()


@pytest.mark.parametrize("name", ["lstm", "rnn"])
def test_layers_that_have_none_are_refused(name):
    layer = network(CELLS[name]()).layers[-1]
    with pytest.raises(ValueError, match="has no scaling vectors"):
        scaling_vectors(layer, torch.zeros(2, 1, 5))
    if name == "rnn":
        with pytest.raises(ValueError, match="has no c"):
            shown_cell(layer, torch.zeros(2, 1, 4))


def test_the_shown_cell_is_the_tanh_in_h(traced):
    """A main cell whose output gate is held wide open shows it as its h."""
    built, x, before, _ = traced(CELLS["ln_lstm"]())
    layer = built.layers[-1]
    with torch.no_grad():
        layer.norm_gain[3], layer.norm_offset[3] = 0, 50
    states = trace(built, x, before)
    torch.testing.assert_close(shown_cell(layer, states.c[1:]), states.h[1:])
