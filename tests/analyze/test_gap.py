import numpy as np
import pytest

from hyperbudget.analyze.fronts import fronts
from hyperbudget.analyze.gap import gap, gap_sentences
from hyperbudget.study.results.metrics import BPC, ERROR
from tests.analyze.made import made


def test_by_hand():
    """Test errors of twice the validation errors, but thrice on the front: x 1.5."""
    on = [made("free", 100 * 2**i, [0.4 / 2**i], [1.2 / 2**i]) for i in range(4)]
    off = [made("free", 100 * 2**i + 1, [0.45 / 2**i], [0.9 / 2**i]) for i in range(4)]
    found = gap([*on, *off], fronts([*on, *off]))
    assert found.selected == 4
    assert found.ratio.mean == pytest.approx(6**0.5)
    assert found.flattery.mean == pytest.approx(1.5)


def test_selection_flatters_where_validation_is_noise():
    random = np.random.default_rng(0)
    found = [made("free", 100 + i, 0.2 * np.exp(random.normal(0, 0.2, 1)), [0.2]) for i in range(200)]
    found[0] = made("free", 100, [0.2], [0.21])
    seen = gap(found, fronts(found))
    assert seen.flattery.low > 1
    assert abs(seen.rank) < 0.2
    assert "selecting on validation flatters them." in gap_sentences(seen, ERROR)[1]


def test_no_sign_where_splits_agree():
    random = np.random.default_rng(1)
    levels = 0.2 * np.exp(random.normal(0, 0.5, 60))
    noise = np.exp(random.normal(0, 0.01, 60))
    found = [made("free", 100 + i, [v], [v * e]) for i, (v, e) in enumerate(zip(levels, noise, strict=True))]
    seen = gap(found, fronts(found))
    assert seen.rank > 0.98
    sentences = gap_sentences(seen, BPC)
    assert "the ratio of test to validation bits per character is 0.999 [0.997, 1.002]; the two" in sentences[0]
    assert len(sentences) < 2 or "no sign" in sentences[1]


def test_too_few_say_nothing():
    few = [made("free", 100, [0.1]), made("free", 200, [0.2])]
    assert gap(few, fronts(few)) is None
    assert gap([made("free", 100 + i, [0.1]) for i in range(9)], {}) is None
    assert gap_sentences(None, ERROR) == []


def test_what_is_not_clear_is_left_open():
    """On the front a larger ratio, but no clearly larger one."""
    on = [made("free", 100 * 2**i, [0.4 / 2**i], [e * 0.4 / 2**i]) for i, e in enumerate((1.3, 0.9, 1.4, 0.95))]
    off = [made("free", 100 * 2**i + 1, [0.45 / 2**i], [e * 0.45 / 2**i]) for i, e in enumerate((1.2, 0.9, 1.1, 1.0))]
    found = gap([*on, *off], fronts([*on, *off]))
    assert found.flattery.low < 1 < found.flattery.mean
    assert not found.flatters
    assert gap_sentences(found, ERROR)[1].endswith("which leaves open whether selecting on validation flatters them.")
