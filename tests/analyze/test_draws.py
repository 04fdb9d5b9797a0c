import math

import numpy as np
import pytest
from scipy import stats

from hyperbudget.analyze.draws import draw_means, spread_of
from tests.analyze.made import STEP, made


def sample(random, spreads, seeds=3, level=0.1):
    """A configuration for each of `spreads`, the deviation of its log errors."""
    return [made("free", 100 + i, level * np.exp(random.normal(0, spread, seeds))) for i, spread in enumerate(spreads)]


def test_two_seeds_of_one_configuration_are_their_own_t():
    drawn = draw_means([made("free", 9, (0.01, 0.04))], "validation", STEP, draws=200_000)
    (logs,) = drawn.logs.values()
    scale = math.log(4) / 2  # the deviation ln 4 / sqrt 2, over sqrt 2
    for share in (0.1, 0.25, 0.5, 0.8):
        expected = math.log(0.02) + scale * stats.t.ppf(share, 1)
        assert np.quantile(logs, share) == pytest.approx(expected, abs=0.02)


def test_configurations_that_spread_alike_share_one_spread():
    found = spread_of([0.0401, 0.0398, 0.04, 0.0402, 0.0399], [3, 3, 3, 3, 5])
    assert (found.freedom, found.pooled) == (4, 12), "no more than there are others"
    assert found.moderated(0.06, 3) == (pytest.approx((4 * 0.04 + 2 * 0.06) / 6, rel=1e-3), 6)
    assert found.moderated(None, 1) == (pytest.approx(0.04, rel=1e-3), 4), "one seed borrows the others' spread"
    assert found.moderated(0.06, 20) == (pytest.approx((4 * 0.04 + 19 * 0.06) / 23, rel=1e-3), 12)


def test_the_prior_is_found_again():
    """Variances around 0.01 that are known beforehand as if from 8 degrees of freedom."""
    random = np.random.default_rng(0)
    true = 0.01 * 8 / random.chisquare(8, 20_000)
    found = spread_of((true * random.chisquare(2, 20_000) / 2).tolist(), [3] * 20_000)
    assert found.freedom == pytest.approx(8, rel=0.15)
    assert found.variance == pytest.approx(0.01, rel=0.05)


def test_without_a_second_seed_there_are_no_draws():
    assert draw_means([made("free", 9, (0.1,)), made("free", 10, (0.2,))], "test", STEP) is None
    assert draw_means([], "test", STEP) is None


def test_the_same_data_give_the_same_draws():
    random = np.random.default_rng(1)
    found = sample(random, [0.1] * 4)
    one, two = (draw_means(found, "test", STEP) for _ in range(2))
    assert all((one.logs[c.name] == two.logs[c.name]).all() for c in found)


@pytest.mark.parametrize("kind", ["alike", "apart", "few"])
def test_coverage(kind):
    """How often the central 95% of the draws hold the true mean: three seeds, all spreads alike or far apart."""
    random = np.random.default_rng(2)
    count, repeats = (5, 240) if kind == "few" else (30, 60)
    inside = []
    for _ in range(repeats):
        spreads = np.full(count, 0.1) if kind == "alike" else 0.1 * np.sqrt(6 / random.chisquare(6, count))
        found = sample(random, spreads)
        drawn = draw_means(found, "validation", STEP, draws=1000)
        for c in found:
            low, high = np.quantile(drawn.logs[c.name], [0.025, 0.975])
            inside.append(low <= math.log(0.1) <= high)
    assert (0.91 if kind == "few" else 0.93) < np.mean(inside) < 0.97


def test_no_more_is_borrowed_than_there_are_others():
    """Four spreads that differ by little more than chance: without that as if known from fifty degrees of freedom."""
    assert spread_of([0.03, 0.04, 0.045, 0.06], [51] * 4).freedom == 3
    assert spread_of([0.0001, 0.04, 1.0, 9.0], [51] * 4).freedom < 3


def test_one_seed_with_few_mistakes_is_rounded_to_whole_samples():
    """Others of many mistakes agree to 0.6%: one of two samples in a hundred is known to 14% at best."""
    step = 0.01
    cells = [made("free", 9 + i, (0.5, 0.5, 0.5)) for i in range(5)]
    lone = made("free", 20, (0.02,))
    drawn = draw_means([*cells, lone], "test", step)
    low, high = np.quantile(drawn.logs[lone.name], [0.25, 0.75])
    freedom = 4  # of the five others
    assert high - low == pytest.approx(2 * step / math.sqrt(12) / 0.02 * stats.t.ppf(0.75, freedom), rel=0.08)


def test_seeds_that_agree_are_rounded_to_whole_samples():
    """No error is known better than its rounding: step / sqrt 12 of a sample, over sqrt n."""
    step = 0.01
    drawn = draw_means([made("free", 9, (0.05, 0.05, 0.05)), made("free", 10, (0.05, 0.05, 0.05))], "test", step)
    (logs, _) = drawn.logs.values()
    scale = step / math.sqrt(12) / 0.05 / math.sqrt(3)
    low, high = np.quantile(logs, [0.25, 0.75])
    freedom = 3  # 2 of its own, 1 of the other's
    assert high - low == pytest.approx(2 * scale * stats.t.ppf(0.75, freedom), rel=0.08)
