"""What the report takes from a frame of what cells do, and of how they learn."""

import numpy as np
import pytest

from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.dynamics import Saturation, WeightChanges, best_weight_changes, saturations, stored
from hyperbudget.analyze.learning import MOST, LearningCurve, learning_curves
from tests.report.frames import TEXT, cells, demo, frame, moving, row

CHANGES = {f"change.{gate}": [float(n), n + 0.5] for n, gate in enumerate("ofgi")}
SPREAD = {f"spread.{vector}": [1.0, 2.0, 3.0, 4.0] for vector in "bhx"}


def test_gates_are_in_their_order_whatever_the_columns_is():
    """The spread is stored in the order of the gates, and MLflow hands tags out in any."""
    found = WeightChanges.of({**CHANGES, **SPREAD, "symbols": [97, 98]})
    assert list(found.changes) == ["i", "g", "f", "o"]
    assert found.changes["i"].tolist() == [3.0, 3.5]
    assert found.symbols == b"ab"
    assert found.spread["x"] == {"i": 1.0, "g": 2.0, "f": 3.0, "o": 4.0}


def test_a_hyper_rnn_has_one_gate():
    found = WeightChanges.of({"change.h": [1.0], "symbols": [97], **{f"spread.{v}": [0.5] for v in "hxb"}})
    assert list(found.changes) == ["h"]
    assert found.spread["b"] == {"h": 0.5}


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan])
def test_what_a_row_lacks_is_not_there(missing):
    assert stored({"dynamics.phi": missing, "dynamics.saturated": 0.5, "seed": 1}) == {"saturated": 0.5}
    assert WeightChanges.of({}) is None
    assert Saturation.of({}) is None
    assert Saturation.of({"phi": [1, 2, 3], "saturated": 0.1}) is None, "another version's bins"


def test_the_best_run_by_validation_among_those_with_changes():
    made = moving()
    made.loc[made["model.family"] == "lstm", "validation_error"] = 0.1
    chosen, found = best_weight_changes(made)
    hyper = made[made["model.family"] == "hyper_lstm"]
    assert chosen["run"] == hyper.loc[hyper["validation_error"].idxmin(), "run"]
    assert found.symbols == TEXT
    assert found.changes["o"].tolist() == list(hyper.loc[hyper["validation_error"].idxmin(), "dynamics.change.o"])


def test_saturation_is_of_the_best_configuration_with_its_seeds_together():
    made = moving()
    found = saturations(made)
    assert set(found) == {"lstm", "ln_lstm", "hyper_lstm"}
    best = min((c for c in configurations(made) if c.family == "lstm"), key=lambda c: c.selection_key)
    own = made[(made["configuration"] == best.name) & (made["status"] == "finished")]
    assert found["lstm"].counts.tolist() == np.sum(own["dynamics.phi"].tolist(), axis=0).tolist()
    outer = found["lstm"].counts[[0, 1, -2, -1]].sum() / found["lstm"].counts.sum()
    assert found["lstm"].saturated == pytest.approx(outer)
    assert found["lstm"].shares.sum() == pytest.approx(1)


def test_an_older_frame_has_none():
    for made in (cells(), demo(2), frame([])):
        assert best_weight_changes(made) is None
        assert saturations(made) == {}
    assert learning_curves(cells()) == []


def test_runs_of_before_stand_beside_runs_of_today():
    made = moving()
    made.loc[made["seed"] > 0, [name for name in made.columns if name.startswith("dynamics.")]] = None
    assert best_weight_changes(made)[0]["seed"] == 0
    assert {each.counts.sum() for each in saturations(made).values()} <= {sum(x) for x in made["dynamics.phi"].dropna()}


def test_of_many_configurations_each_familys_best_is_shown():
    made = moving()
    every = configurations(made)
    assert len(every) > MOST
    curves = learning_curves(made)
    best = {c.family: c.label for c in sorted(every, key=lambda c: c.selection_key, reverse=True)}
    assert {curve.family: curve.label for curve in curves} == best
    few = learning_curves(made[made["model.family"] == "lstm"])
    assert len(few) == 4


def test_a_mean_is_geometric_and_seeds_at_other_steps_are_left_out():
    curve = LearningCurve.of("a", "lstm", [([1, 2], [4.0, 1.0]), ([1, 3], [9.0, 9.0]), ([1, 2], [1.0, 1.0])])
    assert curve.errors.shape == (2, 2)
    assert curve.mean.tolist() == pytest.approx([2.0, 1.0])


@pytest.mark.parametrize("values", [[1.0], [], None, float("nan"), [1.0, float("inf")], [1.0, 0.0]])
def test_what_cannot_be_drawn_is_no_curve(values):
    assert LearningCurve.of("a", "lstm", [([1, 2], values)]) is None


def test_failed_runs_have_no_curve():
    made = frame([row("lstm", 9, 0, None, status="failed", reason="x", curve__step=None, curve__validation_error=None)])
    assert learning_curves(made) == []
