"""What a budget buys, over draws: against brute force, and without the luck of the selected."""

import math

import numpy as np
import pytest

from hyperbudget.analyze.attainment import attainment, attainments
from hyperbudget.analyze.draws import Draws, Spread
from hyperbudget.analyze.intervals import Resolution
from tests.analyze.made import STEP, made

STEPS = Resolution(STEP, STEP)


def drawn(configurations, logs):
    return Draws(dict(zip([c.name for c in configurations], logs, strict=True)), Spread(1.0, math.inf, 1))


def test_against_brute_force():
    """In every draw the test error of the one with the lowest validation error within the budget."""
    random = np.random.default_rng(0)
    counts = (20, 10, 30, 20, 50)
    found = [made("free", count, (0.1 + i,)) for i, count in enumerate(counts)]
    validation, test = random.normal(0, 1, (2, len(counts), 400))
    steps = attainment(found, drawn(found, validation), drawn(found, test))
    assert steps.parameters.tolist() == [10, 20, 30, 50]
    for place, budget in enumerate((10, 20, 30, 50)):
        within = [i for i, count in enumerate(counts) if count <= budget]
        reached = [test[min(within, key=lambda i: validation[i, n]), n] for n in range(400)]
        expected = np.exp(np.quantile(reached, [0.025, 0.5, 0.975]))
        assert (steps.low[place], steps.middle[place], steps.high[place]) == pytest.approx(tuple(expected))


def test_a_step_that_changes_nothing_is_left_out():
    found = [made("free", 10 * (i + 1), (0.1 * (i + 1),)) for i in range(3)]
    logs = np.array([[-3.0] * 50, [-1.0] * 50, [-4.0] * 50])
    assert attainment(found, drawn(found, logs), drawn(found, logs)).parameters.tolist() == [10, 30]


def test_luck_in_the_selection_buys_nothing():
    """Sixty configurations of one true error: the mean of the one that validation likes best is far below it."""
    random = np.random.default_rng(1)
    found = [
        made("free", 100 + i, 0.1 * np.exp(random.normal(0, 0.3, 3)), 0.1 * np.exp(random.normal(0, 0.3, 3)))
        for i in range(60)
    ]
    luckiest = min(c.validation.mean for c in found)
    steps = attainments(found, STEPS)["free"]
    assert luckiest < 0.075
    assert steps.middle[-1] == pytest.approx(0.1, rel=0.12)
    assert steps.low[-1] < 0.1 < steps.high[-1]


def test_families_are_apart_and_one_seed_has_no_band():
    noise = np.array([0.9, 1.0, 1.1])
    found = [made("free", 100, 0.2 * noise), made("hyper", 90, 0.1 * noise)]
    steps = attainments(found, STEPS)
    assert sorted(steps) == ["free", "hyper"]
    assert steps["free"].middle[0] == pytest.approx(0.2 * 0.99 ** (1 / 3), rel=0.02)
    assert attainments([made("free", 100, (0.2,))], STEPS) == {}
    assert attainments([], STEPS) == {}
