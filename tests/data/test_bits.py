"""Bits per character, and the floor under them."""

from __future__ import annotations

import math

import pytest
import torch

from hyperbudget.data import bits
from hyperbudget.data.bits import SHARE, check_plausible, compressibility_floor, total_bits
from hyperbudget.data.load_text import load_text
from hyperbudget.data.tasks import TextTask
from hyperbudget.data.text import TextData, text_data
from hyperbudget.data.text_splits import Texts
from hyperbudget.errors import UserError


def noise(size: int, symbols: int, seed: int) -> torch.Tensor:
    return torch.randint(symbols, (size,), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_bits_are_negative_log2_likelihoods() -> None:
    likelihood = torch.tensor([0.5, 0.25, 0.125, 0.125])
    logits = likelihood.log().expand(2, 3, 4)  # an offset does not matter
    targets = torch.tensor([[0, 1, 2], [3, 0, 0]])
    total = total_bits(logits + 7, targets)
    assert total.dtype == torch.float64
    assert float(total) == pytest.approx(1 + 2 + 3 + 3 + 1 + 1)
    scored = torch.tensor([[True, False, True], [False, False, True]])
    assert float(total_bits(logits, targets, scored)) == pytest.approx(1 + 3 + 1)
    assert float(total_bits(logits, targets, torch.zeros_like(scored))) == 0.0


def test_what_is_not_scored_may_be_anything() -> None:
    logits = torch.zeros(2, 1, 50)
    logits[1] = math.nan
    assert float(total_bits(logits, torch.zeros(2, 1, dtype=torch.int64), torch.tensor([[True], [False]]))) == (
        pytest.approx(math.log2(50))
    )


def test_half_precision_loses_nothing_in_the_sum() -> None:
    logits = torch.zeros(1_000, 10, 2, dtype=torch.bfloat16)
    assert float(total_bits(logits, torch.zeros(1_000, 10, dtype=torch.int64))) == pytest.approx(10_000)


def test_the_floor_of_noise_is_its_share_of_the_entropy() -> None:
    floor = compressibility_floor(noise(20_000, 16, 0), noise(100_000, 16, 1))
    assert SHARE * 4 <= floor <= SHARE * 4 * 1.1
    assert floor == compressibility_floor(noise(20_000, 16, 0), noise(100_000, 16, 1))


def test_what_the_training_text_repeats_costs_nothing() -> None:
    train = noise(50_000, 16, 0)
    assert compressibility_floor(train[10_000:20_000], train) < 0.05
    assert compressibility_floor(train[10_000:20_000], train[20_000:]) > SHARE * 4


def test_only_the_end_of_a_long_training_text_is_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = noise(50_000, 16, 0), noise(5_000, 16, 1)
    expected = compressibility_floor(test, train[-1_000:])
    monkeypatch.setattr(bits, "CONTEXT", 1_000)
    assert compressibility_floor(test, train) == expected


def test_a_result_below_the_floor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = Texts(*(bytes(noise(size, 16, size).tolist()) for size in (9_000, 500, 501)))
    data = text_data(TextTask("made up"), texts)
    floor = compressibility_floor(data.test, data.train)
    for honest in (4.0, floor + 1e-6, math.inf, math.nan):
        check_plausible(honest, data)
    with pytest.raises(UserError) as caught:
        check_plausible(0.01, data)
    message = str(caught.value)
    assert message.startswith(
        f"made up: 0.010 bits per character on the test text cannot be, {floor:.3f} (0.4 of what "
    )
    assert "something leaks" in message
    monkeypatch.setattr(bits, "compressibility_floor", None)
    check_plausible(4.0, data.to("cpu"))  # known by its digest


def test_an_honest_count_of_pairs_is_above_the_floor_and_a_leak_below() -> None:
    """A bigram model of pydocs, and one that sees its targets and is right in 99 of 100 cases."""
    data: TextData = load_text("pydocs")
    symbols = len(data.vocabulary)
    counts = torch.zeros(symbols, symbols)
    ids = data.train.long()
    counts.index_put_((ids[:-1], ids[1:]), torch.ones(len(ids) - 1), accumulate=True)
    likelihood = (counts + 0.01) / (counts + 0.01).sum(1, keepdim=True)
    inputs, targets = data.test[:-1, None].long(), data.test[1:, None].long()
    honest = float(total_bits(likelihood.log()[inputs], targets)) / len(targets)
    assert 2.5 < honest < 4.0
    check_plausible(honest, data)
    leaking = torch.full((symbols, symbols), 0.01 / (symbols - 1)).fill_diagonal_(0.99).log()
    with pytest.raises(UserError, match="something leaks"):
        check_plausible(float(total_bits(leaking[targets], targets)) / len(targets), data)
