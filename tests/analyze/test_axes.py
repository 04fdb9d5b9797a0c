import math

import pytest

from hyperbudget.analyze import configurations, effects
from hyperbudget.analyze.axes import axes_of
from hyperbudget.analyze.health import edges
from tests.report.frames import demo, frame, row

AXES = [
    {"name": "model.family", "role": "science"},
    {"name": "model.width", "role": "science"},
    {"name": "model.embedding_size", "role": "science"},
    {"name": "training.learning_rate", "role": "nuisance"},
]


def constructed():
    """Test error 0.32 / width for the better learning rate, whichever it is; the other one is twice as bad.

    On test alone the worse rate would look best: it has a test error of 0.001 at one point.
    """
    rows = []
    for width in (4, 8, 16):
        for size in (1, 2):
            for rate in (0.01, 0.03, 0.1):
                good = rate == (0.01 if width == 4 else 0.03)
                error = 0.32 / width / size * (1 if good else 2)
                test = 0.001 if (width, size, rate) == (8, 1, 0.1) else error
                rows.append(
                    row("hyper", 10 * width * size, 0, test, error, label=f"hyper {width} {size}", model__width=width,
                        model__embedding_size=size, training__learning_rate=rate)
                )  # fmt: skip
    rows += [
        row("free", 100 * width, 0, 0.4 / width, model__width=width, training__learning_rate=0.03) for width in (4, 8)
    ]
    return frame(rows, axes=AXES)


def found():
    made = constructed()
    return {(e.axis.name, e.family): e for e in effects(configurations(made), axes_of(made.attrs["study"]))}


def test_nuisance_is_tuned_away_by_validation():
    width = found()["model.width", "hyper"]
    assert width.values == (4, 8, 16)
    assert len(width.lines) == len(width.complete) == 2
    medians = dict(width.median)
    assert medians == pytest.approx({4: 0.06, 8: 0.03, 16: 0.015})
    ratio, fell, lines, cost = width.end_to_end()
    assert (ratio, fell, lines, cost) == (pytest.approx(0.25), 2, 2, pytest.approx(4))


def test_conditional_axis_uses_its_own_family_alone():
    assert set(found()) == {("model.width", "hyper"), ("model.width", "free"), ("model.embedding_size", "hyper")}
    assert len(found()["model.embedding_size", "hyper"].lines) == 3


def test_median_leaves_out_settings_that_lack_a_value():
    made = constructed()
    made = made[~((made["model.width"] == 16) & (made["model.embedding_size"] == 2))]
    made.attrs = constructed().attrs
    width = next(e for e in effects(configurations(made), axes_of(made.attrs["study"])) if e.family == "hyper")
    assert (len(width.lines), len(width.complete)) == (2, 1)
    assert dict(width.median)[4] == pytest.approx(0.08)


def test_random_search_leaves_loose_points():
    rows = [
        row("hyper", 100 + i, 0, 0.05, model__width=4 + i, model__embedding_size=1.5 + i, label=f"hyper {i}")
        for i in range(4)
    ]
    made = frame(rows, axes=AXES)
    for effect in effects(configurations(made), axes_of(made.attrs["study"])):
        assert not effect.lines
        assert len(effect.loose) == 4
        assert not effect.median


def test_edges():
    made = constructed()
    sentences = edges(configurations(made), axes_of(made.attrs["study"]))
    assert sentences == [
        "The best learning rate is the smallest tried, 0.01, in 2 of 6 settings: "
        "a wider range may change the comparison."
    ]
    assert "Only two values" in edges(configurations(demo()), axes_of(demo().attrs["study"]))[0]


def drawn_rates(best):
    """Twelve configurations of one width with learning rates drawn from a range, of which `best` is the best."""
    rates = [10 ** (-3 + i / 6) for i in range(13)]
    rows = [
        row("free", 100, 0, 0.1 + abs(math.log(rate / best)), label=f"free {rate}", model__width=4,
            training__learning_rate=rate)
        for rate in rates
    ]  # fmt: skip
    axis = {"name": "training.learning_rate", "role": "nuisance", "low": 1e-3, "high": 1e-1, "log": True}
    return frame(rows, axes=[*AXES[:3], axis])


@pytest.mark.parametrize(
    ("best", "expected"),
    [
        (10**-2.8, ["The best learning rate is in the lowest tenth of the range tried, from 0.001, in 1 of 1 settings: "
                    "a wider range may change the comparison."]),
        (10**-1.1, ["The best learning rate is in the highest tenth of the range tried, to 0.1, in 1 of 1 settings: "
                    "a wider range may change the comparison."]),
        (10**-2.0, []),
        (10**-1.6, []),
    ],
)  # fmt: skip
def test_the_edge_of_a_range_is_its_outer_tenth_on_its_scale(best, expected):
    made = drawn_rates(best)
    assert edges(configurations(made), axes_of(made.attrs["study"])) == expected


def test_an_edge_in_a_quarter_of_the_settings_is_no_pattern():
    """Of four settings one has its best at the edge: of as many values that is chance."""
    rows = [
        row("hyper", 10 * width, 0, 0.1 * (1 if rate == (0.1 if width == 4 else 0.03) else 2), label=f"hyper {width}",
            model__width=width, training__learning_rate=rate)
        for width in (4, 8, 16, 32)
        for rate in (0.01, 0.03, 0.1)
    ]  # fmt: skip
    made = frame(rows, axes=AXES)
    assert edges(configurations(made), axes_of(made.attrs["study"])) == []


def test_the_best_at_an_edge_is_so_by_validation():
    """By test the largest rate would be the best everywhere."""
    rows = [
        row("hyper", 10 * width, 0, 0.1 / rate, 0.1 if rate == 0.03 else 0.2, label=f"hyper {width}",
            model__width=width, training__learning_rate=rate)
        for width in (4, 8)
        for rate in (0.01, 0.03, 0.1)
    ]  # fmt: skip
    made = frame(rows, axes=AXES)
    assert edges(configurations(made), axes_of(made.attrs["study"])) == []
