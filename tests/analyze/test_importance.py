"""Importances on functions whose shares of the variance are known."""

import itertools
import math

import numpy as np
import pytest

from hyperbudget.analyze.axes import Axis, axes_of
from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.importance import FEWEST, MOST, importance_sentences, importances
from tests.report.frames import demo, frame, row

GRID = tuple(Axis(f"model.{name}", "science", False) for name in ("a", "b", "c"))


def study(points, log_error, family="hyper"):
    """A configuration for each point, a mapping of axes to values."""
    rows = []
    for number, point in enumerate(points):
        fields = {f"model__{name}": value for name, value in point.items()}
        error = math.exp(-4 + log_error(point))
        rows.append(row(family, 900, 0, error, label=f"{family} {number}", **fields))
    return configurations(frame(rows))


def grid(**values):
    return [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]


def of(found):
    return {axis.axis.removeprefix("model."): axis for axis in found.axes}


def test_an_additive_function_has_the_variances_of_its_parts():
    """Levels 0 to 4 have variance 2: shares 9 / (9 + 4 + 0) and 4 / 13; shuffled axes beside take a few hundredths."""
    points = grid(a=[1, 2, 4, 8, 16], b=[3, 5, 7, 9, 11], c=["x", "y", "z"])
    (found,) = importances(study(points, lambda p: 0.3 * math.log2(p["a"]) + 0.1 * (p["b"] - 3)), GRID)
    axes = of(found)
    assert found.n == 75
    assert axes["a"].variance == pytest.approx(9 / 13, abs=0.05)
    assert axes["b"].variance == pytest.approx(4 / 13, abs=0.05)
    assert axes["c"].variance == pytest.approx(0, abs=0.01)
    assert found.rest == pytest.approx(0, abs=0.1)
    assert [axis.axis for axis in found.axes] == ["model.a", "model.b", "model.c"]
    assert sum(axis.best for axis in found.axes) == pytest.approx(1)
    assert axes["a"].best >= axes["b"].best > axes["c"].best


def test_an_interaction_is_no_axis_alone():
    """The sign of a product explains nothing by either factor."""
    points = grid(a=[0, 1, 2, 3], b=[0, 1, 2, 3])
    (found,) = importances(study(points, lambda p: float((p["a"] < 2) == (p["b"] < 2))), GRID)
    assert found.rest > 0.6
    assert all(axis.variance < found.chance for axis in found.axes)
    assert "explain no more than chance would" in importance_sentences([found])[0]


def test_noise_is_no_more_than_chance():
    random = np.random.default_rng(0)
    points = grid(a=[0, 1, 2, 3], b=[0, 1, 2, 3], c=[0, 1, 2])
    noise = iter(random.normal(0, 0.3, len(points)))
    (found,) = importances(study(points, lambda p: 2.0 * p["a"] + next(noise)), GRID)
    axes = of(found)
    assert axes["a"].variance > 0.9 > found.chance
    assert axes["b"].variance < found.chance + 0.02
    (sentence,) = importance_sentences([found])
    assert "by itself, the a 0.9" in sentence
    assert sentence.startswith("Hypernetwork: of the variance over 48 configurations")


def test_a_range_counts_evenly_on_its_scale():
    """log2 of a log axis over 8 doublings is even: a and a grid of 9 doublings weigh the same."""
    random = np.random.default_rng(1)
    points = [{"a": float(2 ** random.uniform(0, 8)), "b": int(2 ** random.integers(0, 9))} for _ in range(250)]
    made = study(points, lambda p: 0.1 * (math.log2(p["a"]) + math.log2(p["b"])))
    axes = (Axis("model.a", "science", True, continuous=True), Axis("model.b", "science", True))
    (found,) = importances(made, axes)
    values = of(found)
    share = 64 / (64 + 80)  # variances of 8 U(0, 1) and of 0 to 8, times 12
    assert values["a"].variance == pytest.approx(share, abs=0.08)
    assert values["b"].variance == pytest.approx(1 - share, abs=0.08)


def test_a_conditional_axis_has_no_share_of_the_variance():
    points = grid(a=[0, 1, 2, 3], b=[0, 1, 2]) + [{"a": a} for a in range(4)]
    (found,) = importances(study(points, lambda p: p["a"] + 0.1 * p.get("b", 0)), GRID)
    axes = of(found)
    assert axes["b"].variance is None
    assert axes["b"].best >= 0
    assert axes["a"].variance is not None
    assert "The b is not in all configurations." in importance_sentences([found])[0]


def test_nothing_is_said_of_few_or_of_one_axis():
    few = grid(a=[0, 1, 2], b=[0, 1, 2])
    assert len(few) < FEWEST
    assert importances(study(few, lambda p: p["a"]), GRID) == []
    assert importances(study(grid(a=list(range(20))), lambda p: p["a"]), GRID) == []
    assert importances(study(grid(a=[0, 1, 2, 3], b=[0, 1, 2]), lambda p: 0.0), GRID) == []
    assert importances([], GRID) == []


def test_families_are_apart_and_the_same_twice():
    made = demo(2)
    found = importances(configurations(made), axes_of(made.attrs["study"]))
    assert [each.family for each in found] == ["free", "hyper", "shared"]
    assert {axis.axis for axis in found[0].axes} == {"model.width", "model.depth", "training.learning_rate"}
    assert found == importances(configurations(made), axes_of(made.attrs["study"]))


def test_many_configurations_are_sampled():
    points = grid(a=list(range(20)), b=list(range(20)))
    (found,) = importances(study(points, lambda p: p["a"] / 10), GRID[:2])
    assert found.n == MOST
    assert of(found)["a"].variance > 0.95


def test_optuna_says_nothing(capfd):
    importances(study(grid(a=[0, 1, 2, 3], b=[0, 1, 2]), lambda p: 0.01 * p["a"]), GRID)
    assert capfd.readouterr() == ("", "")


def test_it_is_the_validation_error_that_is_explained():
    """The test error goes with b alone."""
    rows = [
        row("hyper", 900, 0, 0.01 * (1 + b), 0.01 * (1 + a), label=f"hyper {a} {b}", model__a=a, model__b=b)
        for a in range(4)
        for b in range(4)
    ]
    (found,) = importances(configurations(frame(rows)), GRID[:2])
    axes = of(found)
    assert axes["a"].variance > 0.9
    assert axes["a"].best > axes["b"].best


def test_the_best_stand_out_not_the_worst():
    """The worst have an a of 0, whatever their b; the best have a b of 0, and one of five other a."""
    points = grid(a=[0, 1, 2, 3, 4, 5], b=[0, 1, 2, 3, 4])
    (found,) = importances(study(points, lambda p: 3.0 * (p["a"] == 0) + 0.1 * p["b"]), GRID[:2])
    axes = of(found)
    assert axes["b"].best > 0.8
    assert axes["a"].variance > axes["b"].variance


def test_where_all_is_noise_no_axis_stands_out():
    """Of five studies of three axes of noise: what a forest explains of noise is no more than it does of shuffles."""
    points, clear = grid(a=[0, 1, 2, 3], b=[0, 1, 2], c=[0, 1, 2, 3, 4]), 0
    for seed in range(5):
        noise = iter(np.random.default_rng(seed).normal(0, 0.3, len(points)))
        (found,) = importances(study(points, lambda p, noise=noise: next(noise)), GRID)
        clear += sum(axis.variance > found.chance for axis in found.axes)
    assert clear <= 2, "of 15"
