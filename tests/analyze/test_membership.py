import math

import numpy as np
import pytest
from scipy import integrate, stats

from hyperbudget.analyze.draws import Draws, Spread, draw_means
from hyperbudget.analyze.fronts import front
from hyperbudget.analyze.membership import NEAR, front_probabilities, members
from tests.analyze.made import STEP, made


def drawn(configurations, logs):
    return Draws(dict(zip([c.name for c in configurations], logs, strict=True)), Spread(1.0, math.inf, 1))


def test_against_brute_force():
    """In every draw: no other has as few parameters and an error as low."""
    random = np.random.default_rng(0)
    counts = (10, 20, 20, 20, 30, 40, 40, 70)
    found = [made("free", count, (0.1 + i,)) for i, count in enumerate(counts)]
    logs = random.normal(0, 1, (len(counts), 500))
    wins = np.zeros(len(counts))
    for draw in logs.T:
        for i, mine in enumerate(counts):
            wins[i] += all(j == i or theirs > mine or draw[j] > draw[i] for j, theirs in enumerate(counts))
    probabilities = front_probabilities(found, drawn(found, logs))
    assert [probabilities[c.name] for c in found] == pytest.approx((wins / 500).tolist())


def test_two_configurations_in_closed_form():
    """The difference of two t, by quadrature."""
    noise = np.array([-0.1, 0.0, 0.1])
    found = [made("free", 10 * (i + 1), 0.1 * np.exp(noise - 0.05 * i)) for i in range(2)]
    probabilities = front_probabilities(found, draw_means(found, "validation", STEP, draws=100_000))
    assert probabilities[found[0].name] == 1, "nothing is smaller than the smallest"
    scale = 0.1 / math.sqrt(3)  # of either mean; 3 degrees of freedom: 2 of its own and 1 of the other's
    x = np.linspace(-12, 12, 20_001)
    expected = integrate.trapezoid(stats.t.pdf(x, 3) * stats.t.cdf(x + 0.05 / scale, 3), x)
    assert probabilities[found[1].name] == pytest.approx(expected, abs=0.006)


def test_probabilities_are_calibrated():
    """Of the configurations with a probability of about p a share of p is on the front of the true means."""
    random = np.random.default_rng(3)
    said, true = [], []
    for _ in range(150):
        means = random.uniform(-3, -1.5, 12)
        found = [made("free", 10 + i, np.exp(m + random.normal(0, 0.1, 3))) for i, m in enumerate(means)]
        probabilities = front_probabilities(found, draw_means(found, "validation", STEP, draws=500))
        said += [probabilities[c.name] for c in found]
        true += (means == np.minimum.accumulate(means)).tolist()
    said, true = np.array(said), np.array(true)
    for low, high in ((0.0, 0.1), (0.1, 0.4), (0.4, 0.6), (0.6, 0.9), (0.9, 1.01)):
        chosen = (said >= low) & (said < high)
        allowed = 3.5 * math.sqrt(0.25 / chosen.sum()) if low else 0.02
        assert abs(said[chosen].mean() - true[chosen].mean()) < allowed, (low, chosen.sum())


def test_the_front_and_those_near_it():
    errors = {10: 0.3, 20: 0.27, 30: 0.28, 40: 0.9, 50: 0.1}
    noise = np.exp(np.array([-0.05, 0.0, 0.05]))
    found = [made("free", count, error * noise) for count, error in errors.items()]
    probabilities = front_probabilities(found, draw_means(found, "validation", STEP))
    chosen = members(found, probabilities)
    assert [m.configuration.parameters for m in chosen] == [10, 20, 30, 50]
    assert [m.on_front for m in chosen] == [True, True, False, True]
    assert [m.configuration for m in chosen if m.on_front] == front(found)
    assert chosen[0].probability == 1
    assert 0.05 < chosen[2].probability < 0.4


def test_who_is_on_the_front_is_named_however_unlikely():
    found = [made("free", count, (error,)) for count, error in ((10, 0.3), (20, 0.2), (30, 0.25), (40, 0.26))]
    probabilities = dict(zip([c.name for c in found], (1.0, NEAR / 5, NEAR, NEAR * 0.99), strict=True))
    assert [m.configuration.parameters for m in members(found, probabilities)] == [10, 20, 30]
