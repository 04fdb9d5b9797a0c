"""Recurrent dropout without memory loss (Semeniuta et al. 2016)."""

import math

import pytest
import torch

from hyperbudget.nn.cells import HyperRnn, LnHyperLstm, Rnn
from hyperbudget.nn.fields import SpecError
from hyperbudget.nn.recurrent import Recurrent
from tests.nn.recurrent.examples import DROPPING, network, random_state


def seed(number: int) -> torch.Generator:
    return torch.Generator().manual_seed(number)


@pytest.mark.parametrize("spec", DROPPING, ids=str)
class TestDropout:
    @pytest.fixture
    def built(self, spec):
        torch.manual_seed(0)
        return network(spec, recurrent_dropout=0.3)

    @pytest.fixture
    def x(self):
        return torch.randn(5, 3, 6, generator=seed(1))

    def test_a_generator_makes_it_reproducible(self, built, x):
        first, _ = built(x, generator=seed(0))
        assert torch.equal(first, built(x, generator=seed(0))[0])
        assert not torch.equal(first, built(x, generator=seed(1))[0])
        torch.manual_seed(5)  # without one, torch's own
        first, _ = built(x)
        torch.manual_seed(5)
        assert torch.equal(first, built(x)[0])

    def test_it_is_off_in_evaluation(self, built, x):
        plain = Recurrent(built.spec, 6, 4, 2)
        plain.load_state_dict(built.state_dict())
        assert torch.equal(built.eval()(x)[0], plain(x)[0])
        assert not torch.equal(built.train()(x)[0], plain(x)[0])

    def test_what_c_remembers_is_never_dropped(self, built, x):
        """With every candidate dropped, c is the old one times the forget gate, the same as without a mask."""
        layer, state = built.layers[0], random_state(built, 3)[0]
        none = [torch.zeros(1, 3, size) for size in layer.mask_sizes]
        dropped, kept = (layer(x[:1], state, masks)[1] for masks in (none, [torch.ones_like(mask) for mask in none]))
        forget = dropped.c / state.c
        assert ((forget > 0) & (forget < 1)).all()
        other = layer(x[:1], state._replace(c=2 * state.c), none)[1]
        torch.testing.assert_close(other.c, 2 * dropped.c)
        assert ((kept.c - dropped.c).abs() < 1).all()  # sigmoid(i) tanh(g)

    def test_the_expectation_is_the_value_without(self, built, x):
        """Of c after one step: what is kept is larger by as much as is dropped."""
        layer, draws = built.layers[0], 40_000
        state = random_state(built, 1)[0]
        many = type(state)(*(tensor.expand(draws, -1) for tensor in state))
        mask = built._masks(layer, 1, draws, seed(2))[:1]
        assert mask[0].unique().tolist() == pytest.approx([0, 1 / 0.7])
        small = [torch.ones(1, draws, size) for size in layer.mask_sizes[1:]]
        c = layer(x[:1, :1].expand(-1, draws, -1), many, [*mask, *small])[1].c
        exact = layer(x[:1, :1], state)[1].c[0]
        error = c.std(0) / math.sqrt(draws)
        assert ((c.mean(0) - exact).abs() < 5 * error + 1e-6).all()


@pytest.mark.parametrize("spec", [spec for spec in DROPPING if hasattr(spec, "hyper_size")], ids=str)
def test_the_small_cell_is_left_alone_unless_asked(spec):
    torch.manual_seed(0)
    built = network(spec, recurrent_dropout=0.3)
    x, state = torch.randn(1, 3, 6), random_state(built, 3)
    dropped, kept = built(x, state, generator=seed(0))[1][0], built.eval()(x, state)[1][0]
    assert torch.equal(dropped.hyper_c, kept.hyper_c) != spec.hyper_dropout
    assert not torch.equal(dropped.c, kept.c)


def test_masks_are_drawn_anew_for_every_step_sample_and_layer():
    built = Recurrent(LnHyperLstm(16, hyper_dropout=True), 6, 32, 2, recurrent_dropout=0.25)
    generator = seed(0)
    masks = [built._masks(layer, 50, 8, generator) for layer in built.layers]
    assert [tuple(mask.shape) for own in masks for mask in own] == [(50, 8, 32), (50, 8, 16)] * 2
    first, second = masks[0][0], masks[1][0]
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[:, 0], first[:, 1])
    assert (first == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("spec", [Rnn(), HyperRnn()], ids=str)
def test_cells_without_memory_have_none(spec):
    with pytest.raises(SpecError, match=f"recurrent_dropout: there is none without memory loss for {spec.name} cells"):
        Recurrent(spec, 6, 4, recurrent_dropout=0.1)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_cannot_be_is_named(share):
    with pytest.raises(SpecError, match=r"recurrent_dropout: .* at least 0 and below 1"):
        Recurrent(LnHyperLstm(), 6, 4, recurrent_dropout=share)
