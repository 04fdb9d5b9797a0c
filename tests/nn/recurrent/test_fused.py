"""LSTM and HyperLSTM with a backward pass written by hand, by every implementation, against the loop over its steps."""

import dataclasses
import itertools
import os
import subprocess
import sys

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hyperbudget.nn.cells import HyperLstm, LnHyperLstm, LnLstm, Lstm
from hyperbudget.nn.recurrent import HyperLstmState, Recurrent, build_layer, detach, fused
from hyperbudget.nn.recurrent.fused import native, products
from tests.nn.recurrent.examples import network, random_state, tensors

TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5}
SPECS = [Lstm(), Lstm(forget_bias=0.0), LnLstm()]
SPECS += [
    HyperLstm(5, 3, z_from=z_from, hyper_dropout=dropout, forget_bias=forget)
    for z_from, dropout, forget in itertools.product(["current", "previous"], [False, True], [1.0, 0.0])
] + [
    LnHyperLstm(5, 3, z_from=z_from, hyper_dropout=dropout, hyper_bias=bias)
    for z_from, dropout, bias in itertools.product(["current", "previous"], [False, True], [False, True])
]


@pytest.fixture(autouse=True)
def whatever_the_environment_says():
    with fused.plain_loops(False):
        yield


@pytest.fixture(autouse=True, params=["pytorch", "native"])
def path(request):
    """Every test runs with each implementation."""
    if request.param == "native" and not native.available():
        pytest.skip("needs a C++ compiler, and not HYPERBUDGET_NATIVE=0")
    chosen = {"pytorch": fused.PYTORCH, "native": fused.NATIVE}[request.param]
    with fused.by(chosen):
        yield chosen


def name(spec):
    """The cell, and what is not as usual: options of two values."""
    usual = type(spec)(5, 3) if hasattr(spec, "hyper_size") else type(spec)()
    fields = [field.name for field in dataclasses.fields(spec)]
    return "-".join([spec.name, *(field for field in fields if getattr(spec, field) != getattr(usual, field))])


every_spec = pytest.mark.parametrize("spec", SPECS, ids=name)
FEW_SPECS = [Lstm(), LnLstm(), HyperLstm(5, 3), LnHyperLstm(5, 3, z_from="previous", hyper_dropout=True)]
few_specs = pytest.mark.parametrize("spec", FEW_SPECS, ids=name)


def agree(found, expected, tolerance):
    """Relative to the length of `expected`."""
    assert found.dtype == expected.dtype
    error = torch.linalg.vector_norm(found.double() - expected.double())
    assert error <= tolerance * torch.linalg.vector_norm(expected.double())


def a_layer(spec, inputs=6, size=4, dtype=torch.float64):
    return network(spec, inputs, size, layers=1).to(dtype).layers[0]


def a_state(layer, batch):
    sizes, dtype = layer.state_sizes.values(), layer.weight_h.dtype
    return layer.state_type(*(torch.randn(batch, n, dtype=dtype, requires_grad=True) for n in sizes))


def both(layer, x, state, masks=(), wanted=None):
    """Outputs, last state and gradients: of the loop, and of the function."""
    leaves = [*state, *layer.parameters()] + ([x] if x.is_floating_point() else [])
    results = []
    for plain in (True, False):
        with fused.plain_loops(plain):
            outputs, last = layer(x, state, masks)
        generator = torch.Generator().manual_seed(3)
        values = [outputs, *last]
        weights = [torch.randn(v.shape, generator=generator, dtype=torch.float64).to(v.dtype) for v in values]
        terms = [(v * w).sum() for v, w in zip(values, weights, strict=True)]
        total = sum(term for n, term in enumerate(terms) if wanted is None or n in wanted)
        gradients = torch.autograd.grad(total, leaves, materialize_grads=True)
        results.append(values + list(gradients))
    return results


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("masked", [False, True])
@every_spec
def test_it_is_the_loop(spec, masked, dtype):
    """In outputs, last state and all gradients: windows of one step and of more, whose products are packed."""
    random = torch.Generator().manual_seed(SPECS.index(spec))
    for steps in (1, 2, 7):
        torch.manual_seed(steps)
        batch, inputs, size = torch.randint(1, 9, (3,), generator=random).tolist()
        layer = a_layer(spec, inputs, size + 4, dtype)  # the layer norm of two or three numbers magnifies rounding
        x = torch.randn(steps, batch, inputs, dtype=dtype, requires_grad=True)
        masks = [(torch.rand(steps, batch, n) < 0.6).to(dtype) / 0.6 for n in layer.mask_sizes] if masked else []
        for expected, found in zip(*both(layer, x, a_state(layer, batch), masks), strict=True):
            agree(found, expected, TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@few_specs
def test_gradients_of_weights_are_gathered_over_several_products(spec, dtype, monkeypatch):
    layer, x = a_layer(spec, size=9, dtype=dtype), torch.randn(11, 3, 6, dtype=dtype, requires_grad=True)
    for rows in (1, 3, 12, 33):  # of one step each, even below one; of four steps, with three left over; of all
        monkeypatch.setattr(products, "ROWS", rows)
        for expected, found in zip(*both(layer, x, a_state(layer, 3)), strict=True):
            agree(found, expected, TOLERANCES[dtype])


@few_specs
def test_packed_products_are_for_many_steps_on_a_processor_with_avx(spec, path, monkeypatch):
    if path is fused.NATIVE:
        pytest.skip("has products of its own")
    packed, own = [], products.packs
    monkeypatch.setattr(products, "packs", lambda *arguments: (packed.append(own(*arguments)), packed[-1])[1])
    has_avx = torch.backends.mkldnn.is_available() and "AVX" in torch.backends.cpu.get_cpu_capability()
    of_weights = 2 if hasattr(spec, "hyper_size") else 1
    for steps, dtype, expected in ((3, torch.float32, False), (4, torch.float32, has_avx), (4, torch.float64, False)):
        layer = a_layer(spec, dtype=dtype)
        outputs, _ = layer(torch.randint(6, (steps, 2)), a_state(layer, 2))
        assert packed == [expected] * of_weights
        outputs.sum().backward()
        assert packed[: 2 * of_weights] == [expected] * 2 * of_weights
        packed.clear()


@few_specs
def test_token_ids(spec):
    layer = a_layer(spec)
    for expected, found in zip(*both(layer, torch.randint(6, (5, 3)), a_state(layer, 3)), strict=True):
        agree(found, expected, 1e-10)


@few_specs
def test_token_ids_of_other_types_and_layouts(spec):
    layer, ids = a_layer(spec), torch.randint(6, (3, 5), dtype=torch.int32).T
    for expected, found in zip(*both(layer, ids, a_state(layer, 3)), strict=True):
        agree(found, expected, 1e-10)


@pytest.mark.parametrize("token", [-1, 6])
@few_specs
def test_token_ids_that_are_none(spec, token):
    layer = a_layer(spec)
    with pytest.raises(IndexError):
        layer(torch.tensor([[0, 1], [2, token]]), a_state(layer, 2))


@pytest.mark.parametrize("wanted", [[0], [1], [2], [3], [4], [2, 4]], ids=str)
@few_specs
def test_a_loss_of_some_results_alone(spec, wanted):
    """Outputs, h, c, hyper_h, hyper_c: where no gradient comes from one of them, there is none rather than a 0."""
    if not hasattr(spec, "hyper_size") and max(wanted) > 2:
        pytest.skip("an LSTM has no such result")
    layer, x = a_layer(spec), torch.randn(5, 3, 6, dtype=torch.float64, requires_grad=True)
    for expected, found in zip(*both(layer, x, a_state(layer, 3), wanted=wanted), strict=True):
        agree(found, expected, 1e-10)


@few_specs
def test_gradcheck(spec):
    """With masks; tests/nn/recurrent/test_equations.py has it without, for every option."""
    torch.manual_seed(0)
    layer = a_layer(spec, 2, 2)
    x, state = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True), a_state(layer, 2)
    masks = [(torch.rand(3, 2, n) < 0.6).double() / 0.6 for n in layer.mask_sizes]
    names, parameters = zip(*layer.named_parameters(), strict=True)

    def compute(x, *values):
        count = len(state)
        weights = dict(zip(names, values[count:], strict=True))
        outputs, last = torch.func.functional_call(layer, weights, (x, layer.state_type(*values[:count]), masks))
        return outputs, *last

    assert torch.autograd.gradcheck(compute, (x, *state, *parameters))


@few_specs
def test_windows_of_a_long_text(spec):
    """Truncated backpropagation: the state is handed on without its history, through two layers."""
    torch.manual_seed(0)
    built = network(spec, recurrent_dropout=0.3).double()
    x = torch.randn(9, 3, 6, dtype=torch.float64)
    results = []
    for plain in (True, False):
        torch.manual_seed(1)
        state, generator = random_state(built, 3), torch.Generator().manual_seed(2)
        built.zero_grad()
        with fused.plain_loops(plain):
            for part in (x[:4], x[4:]):
                outputs, state = built(part, state, generator=generator)
                state = detach(state)
                outputs.square().sum().backward()
        results.append([*tensors(state), *(parameter.grad.clone() for parameter in built.parameters())])
    for expected, found in zip(*results, strict=True):
        agree(found, expected, 1e-10)


@few_specs
def test_weights_that_are_not_learnt(spec):
    layer = a_layer(spec)
    names = {"weight_h", "z_weight", "weight_x"} & dict(layer.named_parameters()).keys()
    for frozen in names:
        layer.get_parameter(frozen).requires_grad_(False)
    outputs, _ = layer(torch.randn(5, 3, 6, dtype=torch.float64), a_state(layer, 3))
    outputs.sum().backward()
    assert {n for n, p in layer.named_parameters() if p.grad is None} == names


class Made(TorchDispatchMode):
    """Counts the tensors that are made without being the result of anything."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function is torch.ops.aten.new_empty.default
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("how", ["no_grad", "frozen"])
@few_specs
def test_without_a_backward_pass_nothing_is_kept(spec, how):
    layer = a_layer(spec)
    state = layer.state_type(*(tensor.detach() for tensor in a_state(layer, 3)))
    expected, last = layer(x := torch.randn(9, 3, 6, dtype=torch.float64), state)
    counts = []
    layer.requires_grad_(how != "frozen")
    with torch.set_grad_enabled(how != "no_grad"):
        for steps in (5, 9):
            with Made() as made:
                outputs, end = layer(x[:steps], state)
            counts.append(made.count)
    assert counts[0] == counts[1]
    assert not any(tensor.requires_grad for tensor in (outputs, *end))
    for found, before in zip((outputs, *end), (expected, *last), strict=True):
        agree(found, before, 1e-14)  # MKL's last bits depend on where numbers lie
    assert len({tensor.untyped_storage().data_ptr() for tensor in (outputs, *end, *state)}) == 1 + 2 * len(state)


@few_specs
def test_what_is_kept(spec, path):
    """As the functions' docstrings say; and of the initial state, c, h^ and c^, in C++ also what is computed of h^."""
    layer, steps, batch = a_layer(spec, size=7), 5, 3
    outputs, _ = layer(torch.randn(steps, batch, 6, dtype=torch.float64), a_state(layer, batch))
    hyper, less = hasattr(spec, "hyper_size"), path is fused.NATIVE  # for C++, only what cannot be computed again
    gates = [7, 5] if hyper else [7]
    step = sum(6 * size + (5 * size + 5) * spec.layer_norm for size in gates)
    step -= sum(size + 4 * size * spec.layer_norm for size in gates) if less else 0
    step += 4 * 7 + 5 + 4 * 5 + 4 * 5 + 12 * (3 + 1) if hyper else 0
    kind = fused.inputs.HyperInputs if hyper else fused.inputs.LstmInputs
    tape = outputs.grad_fn.saved_tensors[1 + len(kind._fields) :]
    initial = sum(gates) + (5 if hyper else 0) + (4 * 5 + 12 * (3 + 1) if hyper and less else 0)
    assert sum(tensor.numel() for tensor in tape) == batch * (steps * step + initial)


@few_specs
def test_what_is_kept_is_given_back(spec):
    """After the backward pass, unless it is to be taken again."""
    layer = a_layer(spec)
    state = a_state(layer, 3)
    outputs, _ = layer(torch.randn(5, 3, 6, dtype=torch.float64), state)
    first = torch.autograd.grad(outputs.sum(), list(state), retain_graph=True)
    second = torch.autograd.grad(outputs.sum(), list(state))
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(outputs.sum(), list(state))


@few_specs
def test_gradients_of_gradients_are_refused(spec):
    layer = a_layer(spec)
    outputs, _ = layer(torch.randn(5, 3, 6, dtype=torch.float64), state := a_state(layer, 3))
    (gradient,) = torch.autograd.grad(outputs.square().sum(), [state.h], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


class TestWhenItIsUsed:
    @pytest.fixture
    def calls(self, monkeypatch):
        """One entry a call."""
        made, own = [], fused.hyper_lstm
        monkeypatch.setattr(fused, "hyper_lstm", lambda *arguments: (made.append(1), own(*arguments))[1])
        return made

    @pytest.fixture
    def layer(self):
        return build_layer(LnHyperLstm(5, 3), 6, 4)

    @pytest.fixture
    def x(self):
        return torch.randn(5, 3, 6)

    def zeros(self, layer, dtype=torch.float32):
        return HyperLstmState(*(torch.zeros(3, size, dtype=dtype) for size in layer.state_sizes.values()))

    def test_in_training_and_evaluation(self, layer, x, calls):
        layer(x, self.zeros(layer))
        layer.eval()(x, self.zeros(layer))
        assert len(calls) == 2

    def test_in_every_layer_of_a_network(self, x, calls):
        Recurrent(HyperLstm(5, 3), 6, 4, num_layers=3)(x)
        assert len(calls) == 3

    def test_it_can_be_switched_off(self, layer, x, calls):
        with fused.plain_loops():
            layer(x, self.zeros(layer))
            with fused.plain_loops(False):
                layer(x, self.zeros(layer))
            layer(x, self.zeros(layer))
        assert len(calls) == 1

    @pytest.mark.parametrize(("value", "plain"), [("1", True), ("0", False)])
    def test_the_environment_can_switch_it_off(self, value, plain):
        code = (
            "import sys, torch; from hyperbudget.nn.recurrent import fused; sys.exit(int(fused.usable(torch.ones(1))))"
        )
        environment = {**os.environ, "HYPERBUDGET_PLAIN": value}
        assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == (not plain)

    def test_mixed_precision_without_a_compiler_is_for_the_loop(self, layer, x, calls, monkeypatch):
        monkeypatch.setenv("HYPERBUDGET_NATIVE", "0")
        with torch.autocast("cpu", torch.bfloat16):
            layer(x, self.zeros(layer))
        assert not calls

    def test_other_types_are_for_the_loop(self, layer, x, calls):
        with torch.autocast("cpu", torch.float16):
            layer(x, self.zeros(layer))
        layer.bfloat16()(x.bfloat16(), self.zeros(layer, torch.bfloat16))
        with pytest.raises(RuntimeError, match="dtype"):  # the loop's own words
            layer.double()(x.double(), self.zeros(layer))
        assert not calls

    def test_masks_with_a_gradient_are_for_the_loop(self, layer, x, calls):
        mask = torch.ones(5, 3, 4, requires_grad=True)
        outputs, _ = layer(x, self.zeros(layer), [mask])
        outputs.sum().backward()
        assert mask.grad.any()
        assert not calls

    def test_transforms_are_for_the_loop(self, layer, x, calls):
        state = self.zeros(layer)
        several = torch.stack([x, 2 * x])
        mapped = torch.func.vmap(lambda one: layer(one, state)[0])(several)
        assert not calls
        torch.testing.assert_close(mapped[1], layer(2 * x, state)[0])

    def test_compilation_is_for_the_loop(self, layer, x, calls):
        compiled = torch.compile(layer, fullgraph=True, backend="eager")
        found = compiled(x[:2], self.zeros(layer))[0]
        assert not calls
        torch.testing.assert_close(found, layer(x[:2], self.zeros(layer))[0])
