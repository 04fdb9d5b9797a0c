import numpy as np
import pytest

from hyperbudget.analyze.draws import draw_means
from hyperbudget.analyze.fronts import fronts
from hyperbudget.analyze.targets import choose_targets, equal_quality
from tests.analyze.made import STEP, made

NOISE = np.exp(np.array([-0.02, 0.0, 0.02]))


def families(noise=NOISE, **errors):
    """Families from {parameters: error}."""
    found = [made(family, n, e * noise) for family, points in errors.items() for n, e in points.items()]
    return fronts(found), draw_means(found, "validation", STEP)


FREE = {100: 0.4, 200: 0.2, 400: 0.1, 800: 0.05}
HYPER = {50: 0.39, 100: 0.19, 200: 0.09}


def test_parameters_needed_and_their_ratio():
    by_family, drawn = families(free=FREE, hyper=HYPER)
    found = equal_quality(by_family, [0.3, 0.15, 0.07], "free", drawn)
    assert [(e.target, e.family) for e in found] == [(t, f) for t in (0.3, 0.15, 0.07) for f in ("free", "hyper")]
    assert [e.configuration and e.configuration.parameters for e in found] == [200, 100, 400, 200, 800, None]
    assert [e.reached for e in found] == pytest.approx([1, 1, 1, 1, 1, 0], abs=0.01)
    assert found[0].ratio is None, "the baseline against itself"
    assert (found[1].ratio.mean, found[1].ratio.low, found[1].ratio.high) == (0.5, 0.5, 0.5)
    assert found[5].ratio is None


def test_a_target_at_a_mean_is_reached_in_half_of_the_draws():
    by_family, drawn = families(free={100: 0.4, 200: 0.2})
    (entry,) = equal_quality(by_family, [0.2], "free", drawn)
    assert entry.reached == pytest.approx(0.5, abs=0.03)


def test_an_uncertain_step_widens_the_ratio():
    by_family, drawn = families(free=FREE, hyper={60: 0.203, 100: 0.19, 200: 0.09})
    entry = equal_quality(by_family, [0.2001], "free", drawn)[1]
    assert entry.configuration.parameters == 100
    assert (entry.ratio.low, entry.ratio.high) == (0.15, 0.5), "60 of 400 to 100 of 200"


def test_one_seed_has_no_shares():
    by_family, drawn = families(noise=np.ones(1), free=FREE, hyper=HYPER)
    assert drawn is None
    entry = equal_quality(by_family, [0.3], "free", drawn)[1]
    assert (entry.reached, entry.ratio.mean, entry.ratio.low) == (None, 0.5, None)


def test_no_baseline_no_ratio():
    by_family, drawn = families(hyper=HYPER)
    assert [e.ratio for e in equal_quality(by_family, [0.3, 0.1], "free", drawn)] == [None, None]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.301, 0.483, [0.45, 0.4, 0.35]),
        (0.0237, 0.512, [0.3, 0.1, 0.03]),
        (0.0075, 0.0094, [0.009, 0.0085, 0.008, 0.0075]),
        (2.034, 2.434, [2.4, 2.3, 2.2, 2.1]),
        (0.0011, 0.9, [0.3, 0.1, 0.03, 0.01, 0.003]),
        (1.2501, 1.2519, [1.2515, 1.251, 1.2505]),
    ],
)
def test_targets_are_few_and_round(low, high, expected):
    by_family, _ = families(noise=np.ones(1), free={100: high, 200: low})
    assert choose_targets(by_family) == pytest.approx(expected, rel=1e-12)


def test_no_targets_where_no_front_has_two():
    by_family, _ = families(free={100: 0.3}, hyper={100: 0.1})
    assert choose_targets(by_family) == []
    assert choose_targets({}) == []


def test_a_target_is_reached_on_validation_alone():
    lucky = [made("free", 100, 0.4 * NOISE, 0.01 * NOISE), made("free", 200, 0.2 * NOISE, 0.9 * NOISE)]
    (entry,) = equal_quality(fronts(lucky), [0.3], "free", draw_means(lucky, "validation", STEP))
    assert entry.configuration.parameters == 200


def test_the_ratio_is_of_the_draws_in_which_both_reach_it():
    """The baseline reaches 0.2 in half of its draws with 200, else with 400; the rival in nine of ten at all."""
    by_family, drawn = families(free={200: 0.2, 400: 0.1}, hyper={100: 0.197})
    entry = equal_quality(by_family, [0.2], "free", drawn)[1]
    assert 0.8 < entry.reached < 0.999
    assert (entry.ratio.low, entry.ratio.high) == (0.25, 0.5), "finite, though some draws reach nothing"


def test_no_interval_of_less_than_half_of_the_draws():
    wide = np.exp(np.array([-0.9, 0.0, 0.9]))
    found = [made("free", 200, 0.1 * wide), made("hyper", 100, 0.1 * wide)]
    entry = equal_quality(fronts(found), [0.1001], "free", draw_means(found, "validation", STEP))[1]
    assert entry.reached == pytest.approx(0.5, abs=0.05)
    assert (entry.ratio.mean, entry.ratio.low, entry.ratio.high) == (0.5, None, None), "a quarter of the draws"


def test_the_ratio_has_the_quantiles_of_95_percent():
    """Smaller ones of 20 sizes reach the target in some draws: the ends against the draws themselves."""
    sizes = {100 + 10 * i: 0.2 * 0.99**i for i in range(20)}
    by_family, drawn = families(noise=np.exp(np.array([-0.2, 0.0, 0.2])), free={1000: 0.05}, hyper=sizes)
    entry = equal_quality(by_family, [0.19], "free", drawn)[1]
    logs = np.stack([drawn.logs[c.name] for c in by_family["hyper"]])
    counts = np.array([c.parameters for c in by_family["hyper"]])
    needed = np.where(logs <= np.log(0.19), counts[:, None], np.inf).min(axis=0) / 1000
    low, high = np.quantile(needed[np.isfinite(needed)], [0.025, 0.975], method="nearest")
    assert (entry.ratio.low, entry.ratio.high) == (low, high)
    assert high > np.quantile(needed[np.isfinite(needed)], 0.95, method="nearest")
