import math

import numpy as np
import pytest

from hyperbudget.analyze.compare.changes import count_changes, factor, movement, status_changes
from hyperbudget.analyze.compare.match import matched_runs
from tests.analyze.test_compare import like, only, study


def runs(first, other):
    return matched_runs(first, other, {name: name for name in first["configuration"]})


def test_movement_is_of_the_runs_that_changed():
    other = study()
    other.loc[:4, "test_error"] *= [1.1, 1 / 1.3, 1.2, 1.0, 1.0]
    other.loc[3, "validation_error"] = 0.5  # its test error is as it was
    found = movement(runs(study(), other), 1e-9)
    assert (found.runs, found.equal) == (4, 1)
    assert (found.median, found.largest) == pytest.approx((1.2, 1.3))
    assert movement(runs(study(), study()), 1e-9).median is None


def test_an_error_of_none_counts_as_half_a_step():
    first, other = study(), study()
    first.loc[0, "test_error"], other.loc[0, "test_error"] = 0.0, 0.02
    assert movement(runs(first, other), 0.01).largest == pytest.approx(4)


def test_how_runs_ended_the_gravest_first():
    first = study(seeds=(0, 1, 2, 3))
    other = study()
    first.loc[1, ["status", "reason", "test_error"]] = ["failed", "killed", np.nan]
    other.loc[[6, 7], ["status", "reason", "test_error"]] = ["failed", "diverged\n  in detail", np.nan]
    other.loc[2, ["status", "reason", "test_error"]] = ["pruned", "stopped at step 100", np.nan]
    found = status_changes(runs(first, other))
    assert [(each.label, each.seeds, each.before, each.after, each.reason) for each in found] == [
        ("free width 24", (0, 1), "finished", "failed", "diverged"),
        ("free width 8", (1,), "failed", "finished", "killed"),
        ("free width 8", (2,), "finished", "pruned", "stopped at step 100"),
        *[(f"free width {width}", (3,), "finished", "no run", "") for width in (8, 16, 24)],
    ]


def test_counts_that_changed_by_group():
    first = study().assign(**{"params.head": 10, "params.stem": 5})
    other = like(first.copy(), first)
    other.loc[other["model.width"] == 16, ["params.learnable", "params.head"]] += 3
    (found,) = count_changes(first, other, {name: name for name in first["configuration"]})
    assert (found.label, found.learnable, found.groups) == ("free width 16", (1600, 1603), {"head": (10, 13)})


def test_speed_by_family():
    first = study(training__batch_size=50)
    other = like(first.copy(), first)
    other["seconds"] *= other["model.width"].map({8: 0.5, 16: 2.0, 24: 4.0})
    found, _ = only(first, other)
    (speed,) = found.speeds
    assert (speed.family, speed.configurations) == ("free", 3)
    assert speed.step == pytest.approx((3 / 400, 3 / 400 * 4 ** (1 / 3)))
    assert speed.samples == pytest.approx((400 * 50 / 3, 400 * 50 / 3 / 4 ** (1 / 3)))
    assert (speed.ratio.low, speed.ratio.high) == pytest.approx((0.5, 4.0))
    assert found.time.mean == pytest.approx(math.exp((math.log(0.5) + math.log(2) + math.log(4)) / 3))


def test_speed_is_of_the_runs_that_both_have():
    first, other = study(), study(seeds=(0, 1))
    first.loc[first["seed"] == 2, "seconds"] = 1000.0
    found, _ = only(first, other)
    assert found.time.mean == pytest.approx(1.0)
    assert factor([]) is None
