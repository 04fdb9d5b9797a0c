import math

import numpy as np
import pytest
from scipy import stats

from hyperbudget.analyze import mean_interval, ratio_interval
from hyperbudget.analyze.intervals import probability_lower, resolution
from hyperbudget.study.results.metrics import BPC
from tests.report.frames import cells, demo, frame, row

ERRORS = (0.021, 0.025, 0.018, 0.03, 0.022)
OTHERS = (0.031, 0.04, 0.036)


def test_mean_is_the_t_interval_of_scipy_on_log_error():
    found = mean_interval(ERRORS, step=1e-6)
    logs = np.log(ERRORS)
    low, high = stats.t.interval(0.95, 4, loc=logs.mean(), scale=stats.sem(logs))
    assert found.mean == pytest.approx(stats.gmean(ERRORS), rel=1e-12)
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)), rel=1e-12)
    assert found.n == 5


def test_two_seeds_by_hand():
    found = mean_interval((0.01, 0.04), step=1e-6)  # t(0.975, 1) = 12.7062; sd of the logs = ln 4 / sqrt 2
    half = 12.706204736 * math.log(4) / 2
    assert found.mean == pytest.approx(0.02, rel=1e-12)
    assert found.high == pytest.approx(0.02 * math.exp(half), rel=1e-8)


def test_ratio_is_welch_on_log_error():
    found = ratio_interval(ERRORS, OTHERS, step=1e-6)
    expected = stats.ttest_ind(np.log(ERRORS), np.log(OTHERS), equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((math.exp(expected.low), math.exp(expected.high)), rel=1e-9)


def test_one_seed_has_no_interval():
    assert mean_interval((0.02,), 0.0025).low is None
    assert ratio_interval((0.02,), OTHERS, 0.0025).high is None


def test_an_error_of_zero_counts_as_half_a_sample():
    assert mean_interval((0.0, 0.0), step=0.0025).mean == pytest.approx(0.00125)


def test_seeds_that_agree_claim_no_certainty():
    found = mean_interval((0.01, 0.01, 0.01), step=0.0025)
    assert found.low < 0.0093
    assert found.high > 0.0107


@pytest.mark.parametrize("n", [3, 5])
def test_coverage_of_the_mean(n):
    random = np.random.default_rng(n)
    draws = 0.03 * np.exp(random.normal(0, 0.3, size=(4000, n)))
    found = [mean_interval(errors, step=1e-6) for errors in draws]
    share = np.mean([interval.low <= 0.03 <= interval.high for interval in found])
    assert 0.94 < share < 0.96  # binomial standard deviation: 0.0034


def test_coverage_of_the_ratio_with_unequal_spread():
    random = np.random.default_rng(3)
    ours = 0.02 * np.exp(random.normal(0, 0.1, size=(4000, 5)))
    theirs = 0.03 * np.exp(random.normal(0, 0.4, size=(4000, 5)))
    found = [ratio_interval(a, b, step=1e-6) for a, b in zip(ours, theirs, strict=True)]
    share = np.mean([interval.low <= 2 / 3 <= interval.high for interval in found])
    assert 0.935 < share < 0.965


def test_coverage_of_counted_errors():
    """Errors that are whole samples of 400, as on the digits: rounding must not cost coverage."""
    random = np.random.default_rng(4)
    draws = random.binomial(400, 0.02, size=(4000, 5)) / 400
    found = [mean_interval(errors, step=1 / 400) for errors in draws]
    truth = math.exp(np.log(np.maximum(random.binomial(400, 0.02, size=200_000) / 400, 1 / 800)).mean())
    share = np.mean([interval.low <= truth <= interval.high for interval in found])
    assert 0.93 < share < 0.97


def test_resolution_is_one_sample_of_the_split():
    assert resolution(demo()).test == 1 / 400
    assert resolution(demo()).validation == 1 / 300


def test_bits_have_no_samples_to_be_rounded_to():
    assert resolution(cells()).test == BPC.step
    bits = (1.312, 1.3121, 1.3119)
    found, continuous = mean_interval(bits, BPC.step), mean_interval(bits, 1e-12)
    assert (found.low, found.high) == pytest.approx((continuous.low, continuous.high), rel=1e-9)


def test_resolution_of_a_task_unknown_here_is_the_smallest_gap():
    unknown = frame([row("free", 10, seed, error, task="other") for seed, error in enumerate((0.02, 0.024, 0.05))])
    assert resolution(unknown).test == pytest.approx(0.004)


def test_probability_is_the_one_sided_welch_test():
    expected = stats.ttest_ind(np.log(ERRORS), np.log(OTHERS), equal_var=False, alternative="less").pvalue
    assert probability_lower(ERRORS, OTHERS, step=1e-6) == pytest.approx(1 - expected, rel=1e-9)
    assert probability_lower(OTHERS, ERRORS, step=1e-6) == pytest.approx(expected, rel=1e-9)
    assert probability_lower((0.02,), OTHERS, 1e-6) is None


@pytest.mark.parametrize(("n", "low", "high"), [(3, 0.70, 0.78), (5, 0.79, 0.86)])
def test_a_percentile_bootstrap_of_few_seeds_fails(n, low, high):
    """Why the intervals are Student's: at 95% a percentile bootstrap of 3 to 5 seeds covers three quarters to 83%."""
    random = np.random.default_rng(n)
    logs = random.normal(0, 0.3, size=(4000, n))
    resampled = random.integers(0, n, size=(2000, n))
    means = logs[:, resampled].mean(axis=2)
    ends = np.quantile(means, [0.025, 0.975], axis=1)
    assert low < np.mean((ends[0] <= 0) & (ends[1] >= 0)) < high


def test_resolution_of_several_tasks_is_the_coarsest():
    both = frame([row("free", 10, 0, 0.1, task=task) for task in ("digits", "mnist")])
    assert (resolution(both).validation, resolution(both).test) == (1 / 300, 1 / 400)
