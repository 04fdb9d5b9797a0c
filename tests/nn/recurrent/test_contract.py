"""The contract of every recurrent cell: the interface of nn.LSTM."""

import copy

import pytest
import torch

from hyperbudget.nn.cells import CELLS, Lstm
from hyperbudget.nn.fields import SpecError
from hyperbudget.nn.recurrent import Recurrent, detach
from tests.nn.recurrent.examples import EXAMPLES, network, random_state, tensors


def test_every_cell_has_an_example():
    assert {cell.name for cell in EXAMPLES} == set(CELLS)


def test_no_layers_are_refused():
    with pytest.raises(SpecError, match="num_layers: 0 should be at least 1"):
        Recurrent(Lstm(), 6, 4, 0)


def same(first: torch.Tensor, second: torch.Tensor) -> None:
    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("spec", EXAMPLES, ids=str)
class TestContract:
    @pytest.fixture
    def built(self, spec):
        torch.manual_seed(0)
        return network(spec).double()

    @pytest.fixture
    def x(self):
        return torch.randn(5, 3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def test_shapes_are_nn_lstms(self, built, x):
        outputs, state = built(x)
        assert outputs.shape == (5, 3, 4)
        assert len(state) == 2
        assert [tuple(t.shape) for t in tensors(state)] == [tuple(t.shape) for t in tensors(built.initial_state(3))]
        same(state[-1].h, outputs[-1])

    def test_without_a_state_it_starts_from_zeros(self, built, x):
        assert not any(tensor.any() for tensor in tensors(built.initial_state(3)))
        same(built(x)[0], built(x, built.initial_state(3))[0])

    def test_batch_first(self, built, x):
        other = Recurrent(built.spec, 6, 4, 2, batch_first=True).double()
        other.load_state_dict(built.state_dict())
        outputs, state = built(x)
        turned, turned_state = other(x.transpose(0, 1))
        same(turned.transpose(0, 1), outputs)
        for tensor, expected in zip(tensors(turned_state), tensors(state), strict=True):
            same(tensor, expected)

    def test_windows_with_a_carried_state_are_one_long_window(self, built, x):
        whole, end = built(x, random_state(built, 3))
        torch.manual_seed(0)
        state, parts = random_state(network(built.spec).double(), 3), []
        for window in (x[:2], x[2:3], x[3:]):  # one of a single step, as generation has it
            outputs, state = built(window, state)
            state = detach(state)
            parts.append(outputs)
        assert not any(tensor.requires_grad for tensor in tensors(state))
        same(torch.cat(parts), whole)
        for tensor, expected in zip(tensors(state), tensors(end), strict=True):
            same(tensor, expected)

    def test_a_stack_is_one_layer_on_the_other(self, built, x):
        state = random_state(built, 3)
        outputs, last = built(x, state)
        below, first = built.layers[0](x, state[0])
        above, second = built.layers[1](below, state[1])
        same(outputs, above)
        for tensor, expected in zip(tensors(last), tensors([first, second]), strict=True):
            same(tensor, expected)

    def test_every_parameter_has_a_group_and_receives_a_gradient(self, built, x):
        outputs, _ = built(x, random_state(built, 3))
        outputs.square().sum().backward()
        for layer in built.layers:
            for name, parameter in layer.named_parameters():
                assert name in layer.groups
                assert parameter.grad.any(), name
        assert sum(built.anatomy().values()) == sum(parameter.numel() for parameter in built.parameters())

    def test_samples_are_independent(self, built, x):
        state = random_state(built, 3)
        alone = tuple(type(layer)(*(tensor[1:2] for tensor in layer)) for layer in state)
        same(built(x[:, 1:2], alone)[0], built(x, state)[0][:, 1:2])

    def test_state_dict_and_copies_restore_it(self, built, x):
        other = Recurrent(built.spec, 6, 4, 2).double()
        other.load_state_dict(built.state_dict())
        for restored in (other, copy.deepcopy(built)):
            assert torch.equal(restored(x)[0], built(x)[0])

    def test_a_plain_tuple_is_a_state(self, built, x):
        state = random_state(built, 3)
        same(built(x, [tuple(layer) for layer in state])[0], built(x, state)[0])

    def test_a_wrong_state_is_named(self, built, x):
        good = built.initial_state(3)
        shapes = ", ".join(rf"{name} \(3, {size}\)" for name, size in built.layers[0].state_sizes.items())
        expected = f"a state of {built.spec.name} cells should have 2 layers, each of {shapes}$"
        with pytest.raises(ValueError, match=f"state: 1 layers; {expected}"):
            built(x, good[:1])
        with pytest.raises(ValueError, match=rf"state: \(2, 4\).* in layer 0; {expected}"):
            built(x, built.initial_state(2))
        with pytest.raises(ValueError, match=rf"state: \(3, 4\).* in layer 1; {expected}"):
            built(x, [good[0], (*good[1], good[1].h)])
        with pytest.raises(ValueError, match=rf"state: \(4,\).* in layer 0; {expected}"):
            built(x, [[tensor[0] for tensor in layer] for layer in good])

    def test_a_wrong_x_is_named(self, built):
        for x in (
            torch.randn(5, 3, 7),
            torch.randn(5, 6),
            torch.zeros(5, 3, 6, dtype=torch.int64),
            torch.ones(0, 3, 6),
        ):
            with pytest.raises(
                ValueError, match=r"x: .* it should be numbers of shape \(time, batch, 6\), or token ids"
            ):
                built(x)

    def test_bfloat16_products_keep_c_in_full_precision(self, spec, x):
        torch.manual_seed(0)
        built = network(spec)
        x = x.float()
        exact, _ = built(x)
        with torch.autocast("cpu", torch.bfloat16):
            outputs, state = built(x)
        assert (outputs - exact).abs().max() < 0.1
        assert all(layer.c.dtype == torch.float32 for layer in state if hasattr(layer, "c"))
