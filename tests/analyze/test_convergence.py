import math

import numpy as np
import pytest

from hyperbudget.analyze import configurations
from hyperbudget.analyze.convergence import convergence, convergence_sentence, growth, hypervolume
from tests.report.frames import frame, row

POINTS = [(1.0, 3.0), (2.0, 1.0), (3.0, 2.0), (0.5, 5.0), (1.5, 3.0)]


def test_by_hand():
    """Below and left of (4, 4): 3 x 1, then 2 x 2 more; the third is beaten, the fourth beyond, the fifth beaten."""
    assert growth(POINTS, (4.0, 4.0)) == [3.0, 7.0, 7.0, 7.0, 7.0]
    assert hypervolume([], (1.0, 1.0)) == 0


def test_against_a_grid_of_cells():
    random = np.random.default_rng(0)
    for _ in range(20):
        points = [(float(x), float(y)) for x, y in random.integers(0, 12, (15, 2))]
        reference = (10.0, 9.0)
        x, y = np.meshgrid(np.arange(10) + 0.5, np.arange(9) + 0.5)
        volumes = [np.any([(x > a) & (y > b) for a, b in points[: n + 1]], axis=0).sum() for n in range(len(points))]
        assert growth(points, reference) == pytest.approx(volumes)


def study(errors, **changes):
    """A configuration a trial, each with twice the parameters of the one before."""
    rows = [row("free", 100 * 2**i, 0, error, label=f"free {i}") | {"trial": i} for i, error in enumerate(errors)]
    return frame(rows, **changes)


def test_the_last_trial_brings_all():
    made = study([0.9] * 11 + [0.1])
    found = convergence(made, configurations(made))
    assert found.tried[-1] == found.middle[-1] == 1
    assert found.tried[-2] < 0.9, "what only the last one has"
    assert (np.diff(found.tried) >= 0).all()
    assert (found.low <= found.high).all()
    assert found.last == 3
    (sentence,) = convergence_sentence(found)
    assert f"Without the last 3 of 12 configurations the front has {found.tried[8]:.2f} of" in sentence
    assert sentence.endswith("it was still growing.")


def test_a_search_that_found_all_at_first():
    made = study([0.1, *np.linspace(0.2, 0.9, 11)])
    found = convergence(made, configurations(made))
    assert found.tried == pytest.approx(np.ones(12))
    assert convergence_sentence(None) == []


def test_the_order_is_that_of_the_trials():
    made = study(np.geomspace(0.9, 0.1, 10))
    made["trial"] = 9 - made["trial"]
    found = convergence(made, configurations(made))
    assert found.tried[0] < 0.3, "the largest ran first"


def test_too_few_or_unnumbered_trials():
    few = study([0.3, 0.2, 0.1])
    assert convergence(few, configurations(few)) is None
    same = study([0.3] * 10)
    same["trial"] = 0
    assert convergence(same, configurations(same)) is None
    assert convergence(same.drop(columns="trial"), configurations(same)) is None


def test_a_search_that_hardly_grew_any_more():
    """Forty configurations of one front, of which any ten may be left out; a search that found all at once, and one
    whose last has all."""
    made = study([0.1] + [0.5] * 39)
    found = convergence(made, configurations(made))
    assert not found.settled, "without a quarter at random the best one is lost in one order of four"
    rows = [row("free", 100 + i % 2, 0, 0.1 + 0.001 * (i % 3), label=f"free {i}") | {"trial": i} for i in range(60)]
    alike = frame(rows)
    found = convergence(alike, configurations(alike))
    assert found.settled
    assert convergence_sentence(found)[0].endswith("it hardly grew any more.")


def test_it_is_the_hypervolume_of_validation_errors_with_room_beyond():
    """By hand: logs of two corners, the reference a tenth of their range beyond."""
    errors = [0.4, 0.2] + [0.9] * 6
    rows = [row("free", 100 * 2**i, 0, 0.5, e, label=f"free {i}") | {"trial": i} for i, e in enumerate(errors)]
    made = frame(rows)
    found = convergence(made, configurations(made))
    width, height = 7 * math.log(2), math.log(2)
    x, y = width * 1.1, height * 1.1  # of the first corner to the reference
    first, second = x * 0.1 * height, (x - math.log(2)) * (y - 0.1 * height)
    assert found.tried[0] == pytest.approx(first / (first + second))
    assert found.tried[1:] == pytest.approx(np.ones(7))


def test_a_configuration_counts_from_its_first_trial_on():
    made = study(np.geomspace(0.9, 0.1, 10))
    again = made[made["trial"] == 0].assign(trial=99, seed=1, run="again")
    both = frame([*made.to_dict("records"), *again.to_dict("records")])
    assert convergence(both, configurations(both)).tried == pytest.approx(convergence(made, configurations(made)).tried)


def test_parameters_do_not_order():
    """Trials in the reverse order of parameters, each with a shorter way to the next."""
    errors = [0.1 / (1 + i) for i in range(12)]
    rows = [row("free", 100 * 2**i, 0, error, label=f"free {i}") | {"trial": 11 - i} for i, error in enumerate(errors)]
    made = frame(rows)
    points = [(math.log(100 * 2**i), math.log(errors[i])) for i in reversed(range(12))]
    reference = (math.log(100) + 1.1 * 11 * math.log(2), math.log(0.1) + 0.1 * math.log(12))
    volumes = np.array(growth(points, reference))
    assert convergence(made, configurations(made)).tried == pytest.approx(volumes / volumes[-1])
