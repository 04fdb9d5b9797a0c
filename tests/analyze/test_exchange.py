import math

import numpy as np
import pytest

from hyperbudget.analyze.axes import Axis, Effect, Line, axes_of, effects
from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.draws import draw_means
from hyperbudget.analyze.exchange import axis_rates, exchange_rates
from hyperbudget.analyze.fronts import fronts
from tests.analyze.made import STEP, made
from tests.report.frames import frame, row

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


def grid(error, sizes=(1, 2, 4, 8), widths=(10, 20), step=None):
    """A hypernetwork for each width and N_z, of 100 times their product in parameters."""
    rows = []
    for width in widths:
        for size in sizes:
            count = 100 * width * size
            rows.append(
                row("hyper", count, 0, error(width, size, count), label=f"hyper {width} {size}", model__width=width,
                    model__embedding_size=size)
            )  # fmt: skip
    axes = [{"name": f"model.{name}", "role": "science"} for name in ("width", "embedding_size")]
    made_frame = frame(rows, axes=axes)
    return effects(configurations(made_frame), axes_of(made_frame.attrs["study"]))


def test_the_rate_of_each_axis_is_found_again():
    """Errors of width ** -0.5 and N_z ** -0.2: a doubling by the one buys 0.5 ** 0.5, by the other 0.5 ** 0.2."""
    found = axis_rates(grid(lambda width, size, _: 0.8 * width**-0.5 * size**-0.2), None)
    rates = {rate.axis: rate for rate in found}
    assert rates["model.width"].factor.mean == pytest.approx(0.5**0.5)
    assert rates["model.embedding_size"].factor.mean == pytest.approx(0.5**0.2)
    assert (rates["model.width"].lines, rates["model.width"].n) == (4, 8)
    assert (rates["model.embedding_size"].lines, rates["model.embedding_size"].n) == (2, 8)
    assert rates["model.width"].factor.low is None


def test_lines_of_other_levels_share_their_slope_alone():
    """A width that is ten times as bad changes no rate of N_z, as it would if all lay on one line."""
    found = axis_rates(grid(lambda width, size, _: (0.05 if width == 10 else 0.5) * size**-0.3), None)
    rate = next(rate for rate in found if rate.axis == "model.embedding_size")
    assert rate.factor.mean == pytest.approx(0.5**0.3)


def test_an_axis_that_costs_nothing_has_no_rate():
    rows = [
        row("hyper", 100, 0, 0.1 / size, label=f"hyper {size}", model__embedding_size=size) for size in (1, 2, 4)
    ] + [row("free", 100 + width, 0, 0.1, label=f"free {width}", model__width=width) for width in (1, 40)]
    rows += [row("dct", 100 * n, 0, 0.1, label=f"dct {n}", model__init=name) for n, name in ((1, "he"), (2, "zero"))]
    axes = [{"name": f"model.{name}", "role": "science"} for name in ("width", "embedding_size", "init")]
    cells = configurations(frame(rows, axes=axes))
    assert axis_rates(effects(cells, axes_of({"axes": axes})), None) == []


def test_coverage_of_an_axis():
    random = np.random.default_rng(6)
    inside = []
    for _ in range(200):
        cells = {
            (line, n): made("hyper", n, 0.4 * line * n**-0.3 * np.exp(random.normal(0, 0.1, 3)))
            for line in (1, 3)
            for n in (100 + line, 200 + line, 400 + line, 800 + line)
        }
        lines = tuple(
            Line((("other", line),), tuple((n, c) for (own, n), c in cells.items() if own == line)) for line in (1, 3)
        )
        effect = Effect(Axis("model.width", "science", False), "hyper", (100, 200, 400, 800), lines, ())
        (rate,) = axis_rates([effect], draw_means(list(cells.values()), "test", STEP, draws=800))
        slope = math.exp(_slope([(math.log2(n), math.log(line * n**-0.3)) for line, n in cells], list(cells)))
        inside.append(rate.factor.low <= slope <= rate.factor.high)
    assert 0.9 < np.mean(inside) < 0.99


def _slope(points, keys):
    """The least-squares slope with an intercept for each line, by a plain solver."""
    matrix = [[x, key[0] == 1, key[0] == 3] for (x, _), key in zip(points, keys, strict=True)]
    return np.linalg.lstsq(np.array(matrix, dtype=float), np.array([y for _, y in points]), rcond=None)[0][0]
