"""The harness, with a clock that only its variants move."""

import numpy as np
import pytest

from hyperbudget.bench.comparison import Comparison, Ratio
from hyperbudget.bench.interleaved import Rounds, Spread, measure


class Machine:
    """Keeps a log of what was done; a step of `variant` takes its cost, and each one more than the one before."""

    def __init__(self, **costs):
        self.costs, self.now, self.log, self.slowdown = costs, 0.0, [], 1.0

    def step(self, variant):
        def take():
            self.log.append(variant)
            self.now += self.costs[variant] * self.slowdown
            self.slowdown *= 1.05

        return take

    def measure(self, **settings):
        return measure({name: self.step(name) for name in self.costs}, clock=lambda: self.now, **settings)


def test_every_variant_has_a_turn_in_every_round_and_the_first_one_rotates():
    machine = Machine(a=1.0, b=2.0, c=3.0)
    machine.measure(repetitions=4, steps=2, warmup=1)
    assert "".join(machine.log) == "abc" + "aabbcc" + "bbccaa" + "ccaabb" + "aabbcc"


def test_the_device_is_waited_for_around_every_turn_and_not_within():
    log = []
    measure(
        {"a": lambda: log.append("a"), "b": lambda: log.append("b")},
        repetitions=1, steps=2, warmup=1, wait=lambda: log.append("|"), clock=lambda: 0.0,
    )  # fmt: skip
    assert "".join(log) == "ab|aa||bb|"


def test_seconds_are_of_one_step_without_the_warm_up():
    machine = Machine(a=2.0, b=5.0)
    machine.slowdown = 0.0  # and stays 0: only the wait takes time
    rounds = measure(
        {"a": machine.step("a"), "b": machine.step("b")}, repetitions=3, steps=4, clock=iter(range(12)).__next__
    )
    assert rounds.seconds == {"a": [0.25] * 3, "b": [0.25] * 3}


def test_ratios_are_taken_within_a_round():
    """A machine that becomes ten times slower meanwhile: the ratio of the medians would be far off."""
    rounds = Rounds({"base": [1.0, 10.0, 10.0, 1.0, 20.0], "ours": [1.5, 16.0, 15.0, 1.4, 30.0]})
    expected = np.quantile([1.5, 1.6, 1.5, 1.4, 1.5], [0.25, 0.5, 0.75])
    np.testing.assert_allclose(rounds.ratio("ours", "base"), expected)
    assert rounds.ratio("base", "base") == (1.0, 1.0, 1.0)


def test_drift_does_not_favour_a_variant():
    rounds = Machine(a=1.0, b=1.0, c=1.0).measure(repetitions=9, steps=1, warmup=0)
    ratios = [np.log(ours) - np.log(base) for ours, base in zip(rounds.seconds["c"], rounds.seconds["a"], strict=True)]
    assert sum(ratios) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 5, 14])
def test_quartiles_are_numpys(count):
    values = np.random.default_rng(count).gamma(2.0, size=count).tolist()
    spread = Spread.of(values)
    assert (spread.q1, spread.q3) == (np.percentile(values, 25), np.percentile(values, 75))
    assert spread.median == np.median(values)


class TestComparison:
    @pytest.fixture
    def comparison(self):
        rounds = Rounds({"free": [1.0, 1.25, 1.0], "hyper": [1.5, 1.25, 1.25]})
        return Comparison("kernels", 128, rounds, (Ratio("hyper", "free", "at most 1.03"),))

    def test_rows(self, comparison):
        assert comparison.time_rows() == [
            ("variant", "ms a step", "[q1, q3]", "images/s"),
            ("free", "1,000.00", "[1,000.00, 1,125.00]", "128"),
            ("hyper", "1,250.00", "[1,250.00, 1,375.00]", "102"),
        ]
        assert comparison.ratio_rows() == [
            ("ratio of times", "median", "[q1, q3]", "target"),
            ("hyper / free", "1.250", "[1.125, 1.375]", "at most 1.03"),
        ]

    def test_fields(self, comparison):
        fields = comparison.fields()
        assert (fields["name"], fields["batch"]) == ("kernels", 128)
        assert fields["variants"]["hyper"] == {
            "seconds_per_step": {"q1": 1.25, "median": 1.25, "q3": 1.375},
            "images_per_second": 102.4,
            "seconds_by_round": [1.5, 1.25, 1.25],
        }
        assert fields["ratios"] == [
            {"variant": "hyper", "baseline": "free", "target": "at most 1.03", "q1": 1.125, "median": 1.25, "q3": 1.375}
        ]
