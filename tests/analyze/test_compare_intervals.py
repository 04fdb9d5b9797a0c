import math

import numpy as np
import pytest
from scipy import stats

from hyperbudget.analyze.compare.intervals import block, holm, overall_ratio, paired_ratio
from hyperbudget.analyze.configurations import Configuration
from hyperbudget.analyze.intervals import Interval

STEP = 1e-9


def test_paired_interval_is_that_of_the_textbook():
    errors, reference = [0.11, 0.13, 0.10, 0.15], [0.10, 0.14, 0.09, 0.13]
    found, p = paired_ratio(errors, reference, STEP)
    known = stats.ttest_rel(np.log(errors), np.log(reference))
    low, high = known.confidence_interval(0.95)
    assert p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))
    assert found.mean == pytest.approx(math.exp(np.mean(np.log(errors) - np.log(reference))))


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_paired_interval_covers(seeds):
    random, hits, times = np.random.default_rng(4), 0, 1500
    for _ in range(times):
        shared = random.normal(0, 0.3, seeds)  # a hard seed is hard for both
        one, other = 0.1 * np.exp(shared + random.normal(0, 0.05, (2, seeds)))
        found, _ = paired_ratio(0.9 * one, other, STEP)
        hits += found.low <= 0.9 <= found.high
    assert 0.935 <= hits / times <= 0.965


def test_pairing_takes_what_seeds_share_away():
    random = np.random.default_rng(0)
    shared = random.normal(0, 0.5, 5)
    one, other = np.exp(shared) * 0.1, np.exp(shared + random.normal(0, 0.01, 5)) * 0.1
    found, _ = paired_ratio(one, other, STEP)
    assert found.high / found.low < 1.06


def test_rounding_is_not_certainty():
    found, p = paired_ratio([0.10, 0.10], [0.10, 0.10], 0.01)
    assert found.low < 0.8 < 1.2 < found.high
    assert p == pytest.approx(1)


def test_one_seed_has_no_interval():
    found, p = paired_ratio([0.1], [0.2], STEP)
    assert (found.mean, found.low, found.high, p) == (pytest.approx(0.5), None, None, None)


def test_holm_stops_at_the_first_that_is_too_large():
    assert holm([0.01, 0.04, 0.03, 0.005]) == [True, False, False, True]
    assert holm([0.04, 0.03]) == [False, False]
    assert holm([]) == []


def test_holm_keeps_the_chance_of_any_false_alarm():
    random = np.random.default_rng(2)
    alarms = np.mean([any(holm(list(random.random(20)))) for _ in range(4000)])
    assert alarms < 0.06


def made(name, errors):
    """A configuration of these test errors by seed."""
    seeds, values = tuple(errors), tuple(errors.values())
    known = Interval(values[0], None, None, len(values))
    return Configuration(
        name, name, "free", {}, {"params.learnable": 9}, None, None, seeds, values, values, known, known, 0
    )


def pairs(random, configurations, seeds, together, other_seeds=None, effect=0.9, own=0.05, each=0.3):
    """Studies whose ratio over all configurations is `effect`. Of the log errors `together` is the spread that all
    configurations of a study and seed share, `own` that of a run, `each` that of the configurations' own ratios."""
    differences = random.normal(0, each, configurations)
    differences -= differences.mean() - math.log(effect)
    sides = []
    for numbers, by in ((seeds, np.zeros(configurations)), (other_seeds or seeds, differences)):
        shared = random.normal(0, together, len(numbers))
        logs = math.log(0.1) + by[:, None] + shared + random.normal(0, own, (configurations, len(numbers)))
        sides.append([made(f"c{k}", dict(zip(numbers, np.exp(row), strict=True))) for k, row in enumerate(logs)])
    return list(zip(*sides, strict=True))


def covered(seed, times, *arguments, **more):
    """The share of intervals that hold the ratio, and of those that take configurations as independent."""
    random, hits, apart = np.random.default_rng(seed), 0, 0
    for _ in range(times):
        found = overall_ratio(pairs(random, *arguments, **more), STEP)
        hits += found.ratio.low <= 0.9 <= found.ratio.high
        apart += found.apart is not None and found.apart.low <= 0.9 <= found.apart.high
    return hits / times, apart / times


@pytest.mark.parametrize("together", [0.0, 0.02, 0.05])
@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("configurations", [10, 60])
def test_the_whole_is_covered_whatever_seeds_share(configurations, seeds, together):
    hits, apart = covered(1, 300, configurations, range(seeds), together)
    assert hits >= 0.92
    if together == 0.05:
        assert apart < 0.7, "the interval of independent configurations is no such thing here"


def test_the_whole_is_covered_over_different_seeds():
    hits, _ = covered(2, 500, 20, range(3), 0.05, other_seeds=range(5, 9))
    assert 0.92 <= hits <= 0.98


def test_the_whole_is_that_of_the_seeds_means():
    random = np.random.default_rng(3)
    found = overall_ratio(both := pairs(random, 12, range(4), 0.1), STEP)
    logs = np.log([[o / f for f, o in zip(one.test_errors, other.test_errors, strict=True)] for one, other in both])
    known = stats.ttest_1samp(logs.mean(0), 0).confidence_interval(0.95)
    assert (found.ratio.low, found.ratio.high) == pytest.approx((math.exp(known.low), math.exp(known.high)))
    assert (found.configurations, found.paired, found.seeds) == (12, True, (0, 1, 2, 3))
    residual = logs - logs.mean(1, keepdims=True)
    half = stats.t.ppf(0.975, 36) * math.sqrt((residual**2).sum() / 36 / 48)
    assert found.apart.high / found.ratio.mean == pytest.approx(math.exp(half))


def test_means_that_agree_by_chance_claim_no_more_than_the_runs():
    logs = np.array([[0.1, -0.1, 0.1, -0.1], [-0.1, 0.1, -0.1, 0.1001]])
    both = [(made(f"{k}", dict.fromkeys(range(4), 0.1)), made(f"{k}", dict(enumerate(0.1 * np.exp(row))))) for k, row in
            enumerate(logs)]  # fmt: skip
    found = overall_ratio(both, STEP)
    assert found.ratio == found.apart
    assert found.ratio.high > 1.05


def test_the_whole_is_of_the_configurations_that_have_the_seeds():
    random = np.random.default_rng(4)
    both = [*pairs(random, 8, range(3), 0.0), *pairs(random, 30, range(1), 0.0)]
    found = overall_ratio(both, STEP)
    assert (found.configurations, found.seeds) == (8, (0, 1, 2))


def test_one_seed_has_no_interval_of_the_whole():
    found = overall_ratio(pairs(np.random.default_rng(5), 9, range(1), 0.0, each=0, own=0), STEP)
    assert (found.ratio.mean, found.ratio.low, found.configurations) == (pytest.approx(0.9), None, 9)
    assert overall_ratio([], STEP) is None


def test_block():
    known = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 0, 1]], dtype=bool)
    rows, columns = block(known)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 1, 2])
    rows, columns = block(np.array([[1, 1, 0]] * 50 + [[1, 1, 1]], dtype=bool))
    assert (len(rows), columns.tolist()) == (51, [0, 1])
    assert len(block(np.eye(3, dtype=bool))[1]) == 0
