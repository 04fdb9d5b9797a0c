import numpy as np
import pytest

from hyperbudget.analyze.draws import draw_means
from hyperbudget.analyze.exchange import exchange_rates
from hyperbudget.analyze.fronts import fronts
from tests.analyze.made import STEP, made

COUNTS = np.array([100, 230, 400, 900, 1600])


def test_a_power_law_is_found_again():
    """Halving the error for four times the parameters: x 0.5 ** 0.5 for a doubling, and nothing off the line."""
    found = fronts([made("free", int(n), [3.0 * float(n) ** -0.5]) for n in COUNTS])
    (rate,) = exchange_rates(found, None)
    assert rate.factor.mean == pytest.approx(0.5**0.5, rel=1e-12)
    assert rate.off == pytest.approx(1, abs=1e-12)
    assert rate.factor.low is None
    assert len(rate.members) == 5


def test_two_by_hand():
    found = fronts([made("free", 100, [0.4]), made("free", 400, [0.1])])
    (rate,) = exchange_rates(found, None)
    assert rate.factor.mean == pytest.approx(0.5)
    assert rate.off is None


def test_off_the_line_by_hand():
    """Logs to base 2 of 0, -1 and -1.5 at 0, 1 and 2 doublings: slope -0.75, the middle one 1/6 too low."""
    found = fronts([made("free", 100, [0.8]), made("free", 200, [0.4]), made("free", 400, [0.8 * 2**-1.5])])
    (rate,) = exchange_rates(found, None)
    assert rate.factor.mean == pytest.approx(2**-0.75)
    assert rate.off == pytest.approx(2 ** (1 / 6))


def test_selected_on_validation_measured_on_the_test():
    cells = [made("free", n, [v], [t]) for n, v, t in ((100, 0.4, 0.30), (200, 0.2, 0.24), (300, 0.3, 0.01))]
    (rate,) = exchange_rates(fronts(cells), None)
    assert rate.factor.mean == pytest.approx(0.8), "what validation left out has no say"


def test_a_narrow_front_says_nothing():
    narrow = [made("free", 100, [0.4]), made("free", 130, [0.1])]
    assert exchange_rates(fronts([*narrow, made("hyper", 100, [0.1])]), None) == []


def test_coverage():
    random = np.random.default_rng(4)
    inside = []
    for _ in range(400):
        means = 3.0 * COUNTS**-0.4
        cells = [
            made("free", int(n), [float(m)] * 3, m * np.exp(random.normal(0, 0.1, 3)))
            for n, m in zip(COUNTS, means, strict=True)
        ]
        (rate,) = exchange_rates(fronts(cells), draw_means(cells, "test", STEP, draws=800))
        inside.append(rate.factor.low <= 2**-0.4 <= rate.factor.high)
    assert 0.92 < np.mean(inside) < 0.98
