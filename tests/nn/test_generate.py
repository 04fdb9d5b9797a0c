"""A language model writes what it says it expects."""

from collections import Counter

import pytest
import torch

from hyperbudget.nn.build import build
from hyperbudget.nn.cells import CELLS, LnHyperLstm
from hyperbudget.nn.generate import choose, generate
from hyperbudget.nn.spec import LanguageModel, ModelSpec

PROMPT = torch.tensor([3, 0, 5])


def model_of(cell, layers=1):
    torch.manual_seed(6)
    built = build(ModelSpec(LanguageModel(10, layers, output_dropout=0.5), cell), symbols=7).eval()
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            parameter.add_((2.0 if "weight_x" in name else 0.4) * torch.randn_like(parameter))
        built.head.bias.zero_()
    return built.double()  # what such weights do with rounding errors is chaotic


def drawn(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", CELLS)
def test_at_zero_it_is_the_most_likely_symbol_after_all_before_it(name):
    """Beside a plain loop that reads the whole text anew for every symbol."""
    model = model_of(CELLS[name](), layers=2)
    text = PROMPT.tolist()
    with torch.no_grad():
        for _ in range(30):
            logits, _ = model(torch.tensor(text)[:, None])
            text.append(int(logits[-1, 0].argmax()))
    found = generate(model, PROMPT, 30, 0.0, drawn(0))
    assert found.dtype == torch.int64
    assert found.tolist() == text[len(PROMPT) :]
    assert len(set(found.tolist())) > 1, "a model that always says the same would hide much"


def test_a_seed_is_a_text():
    model = model_of(LnHyperLstm(4, 2))
    first, again, other = (generate(model, PROMPT, 60, 1.0, drawn(seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert generate(model, PROMPT, 20, 1.0, drawn(1)).tolist() == first[:20]


def test_it_draws_from_its_own_generator_alone():
    before = torch.random.get_rng_state()
    generate(model_of(LnHyperLstm(4, 2)), PROMPT, 5, 1.0, drawn(0))
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    model = model_of(LnHyperLstm(4, 2))
    torch.random.set_rng_state(state)
    generate(model, PROMPT, 5, 1.0, drawn(0))
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.random.set_rng_state(before)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_symbols_come_as_often_as_they_are_likely(temperature):
    logits, generator, draws = torch.tensor([0.0, 1.0, 2.0, -1.0]), drawn(0), 4_000
    counts = Counter(choose(logits, temperature, generator).item() for _ in range(draws))
    for symbol, share in enumerate(torch.softmax(logits / temperature, 0).tolist()):
        assert counts[symbol] / draws == pytest.approx(share, abs=4 * (share * (1 - share) / draws) ** 0.5 + 1e-3)


@pytest.mark.parametrize("temperature", [1e-3, 1e-300, 5e-324])
def test_the_smallest_temperatures_are_zero(temperature):
    logits = torch.tensor([0.0, 40.0, 39.0])
    assert {choose(logits, temperature, drawn(seed)).item() for seed in range(20)} == {1}
