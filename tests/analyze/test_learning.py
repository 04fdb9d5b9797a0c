import numpy as np
import pytest

from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.learning import learning_curves
from hyperbudget.analyze.throughput import throughputs
from tests.report.frames import frame, row


def run(seed, errors=(0.5, 0.2), steps=(100, 200), **columns):
    return row("free", 900, seed, errors[-1], label="free width 8") | {
        "curve.step": list(steps), "curve.validation_error": list(errors), "seconds": 4.0 + seed,
    } | columns  # fmt: skip


def curve_of(*rows):
    (curve,) = learning_curves(frame(list(rows)))
    return curve


def test_times_are_those_measured():
    curve = curve_of(*(run(seed, **{"curve.seconds": [1.0 + seed, 3.5 + seed]}) for seed in (0, 1)))
    assert curve.measured
    assert curve.seconds.tolist() == [[1.0, 3.5], [2.0, 4.5]]


def test_without_them_a_run_is_spread_evenly_over_its_steps():
    curve = curve_of(run(0), run(1))
    assert not curve.measured
    assert curve.seconds.tolist() == [[2.0, 4.0], [2.5, 5.0]]


def test_one_run_without_them_is_enough_to_spread_all():
    curve = curve_of(run(0, **{"curve.seconds": [1.0, 4.0]}), run(1, **{"curve.seconds": None}))
    assert not curve.measured
    assert curve.seconds.tolist() == [[2.0, 4.0], [2.5, 5.0]]


def test_no_time_no_seconds():
    assert curve_of(run(0, seconds=np.nan)).seconds is None


def test_operations_are_those_of_a_step_times_the_steps():
    assert curve_of(run(0, **{"flops.step": 5e6})).operations.tolist() == [5e8, 1e9]
    assert curve_of(run(0)).operations is None


def test_an_error_of_zero_is_half_a_sample():
    """Of the 300 samples of the validation split of digits."""
    assert curve_of(run(0, errors=(0.1, 0.0))).errors.tolist() == [[0.1, pytest.approx(0.5 / 300)]]


def test_pruned_and_failed_runs_are_in_no_curve():
    stopped = run(1, errors=(0.9, 0.9)) | {"status": "pruned", "validation_error": None, "test_error": None}
    assert curve_of(run(0), stopped).errors.shape == (1, 2)


def test_throughput():
    fields = {"training.steps": 200, "training.batch_size": 50, "flops.step": 4e6, "device": "cpu: 1 thread"}
    made = frame([run(seed, **fields) for seed in (0, 2)])
    (found,) = throughputs(made, configurations(made))
    assert found.seconds == 5
    assert found.samples == 200 * 50 / 5
    assert (found.step, found.total, found.rate) == (4e6, 8e8, 1.6e8)
    assert found.devices == ("cpu: 1 thread",)


def test_of_a_text_characters_count():
    fields = {"training.steps": 200, "training.batch_size": 50, "training.length": 10, "metric": "bpc"}
    made = frame([run(0, **fields) | {"model.network": "language_model", "task": "ptb"}])
    (found,) = throughputs(made, configurations(made))
    assert found.samples == 200 * 50 * 10 / 4
    assert found.rate is None


def test_the_mean_of_errors_is_geometric():
    assert curve_of(run(0, errors=(0.4, 0.09)), run(1, errors=(0.1, 0.01))).mean.tolist() == pytest.approx([0.2, 0.03])
