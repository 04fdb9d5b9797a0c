import html
import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from hyperbudget.analyze.anatomy import groups_of, shown
from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.convergence import Convergence
from hyperbudget.analyze.dynamics import WeightChanges, best_weight_changes, saturations, spreads
from hyperbudget.analyze.fronts import fronts
from hyperbudget.analyze.importance import Importance, Importances
from hyperbudget.analyze.learning import learning_curves
from hyperbudget.analyze.sharing import sharings
from hyperbudget.figures.anatomy import anatomy_bars
from hyperbudget.figures.axis_effects import axis_effects
from hyperbudget.figures.budget_ratios import budget_ratios
from hyperbudget.figures.convergence import convergence_figure
from hyperbudget.figures.costs import learning_costs
from hyperbudget.figures.importances import importance_bars
from hyperbudget.figures.learning import learning
from hyperbudget.figures.points import FEW, MOST, ON_A_LINE, evenly, tell, tell_boxes
from hyperbudget.figures.saturation import saturation
from hyperbudget.figures.sharing import sharing_maps, sharing_shapes
from hyperbudget.figures.spread import spread_figure
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.trade_off import trade_off
from hyperbudget.figures.weight_changes import weight_changes
from hyperbudget.nn.cells import PHI_BINS
from hyperbudget.study.results.metrics import BPC, ERROR
from tests.report.frames import demo, frame, moving, row, sharing_nets

EVIL = ["<b>\"one\" & 'two'", "N_z 4: 0.123456 % #0072b2", "naïve ×"]


def drawn(texts, themed=True, rank=0):
    figure = Figure()
    ax = figure.add_subplot()
    ax.plot([1, 2, 3], [3, 1, 2], "o")
    tell(ax, [1, 2, 3], [3, 1, 2], texts, rank=rank)
    return to_svg(figure, "x", "Title", "Description", themed)


def series(svg):
    """[(x, y, text, width, height), ...] of every series."""
    found = json.loads(ElementTree.fromstring(svg).get("data-points", "[]"))
    whole = [[start, *([*point, 0, 0][:5] for point in points)] for start, *points in found]
    return [[(x, y, start + text, w, h) for x, y, text, w, h in points] for start, *points in whole]


def labels(svg):
    return [text for points in series(svg) for _, _, text, _, _ in points]


def test_every_mark_has_its_text_in_the_order_of_the_points():
    svg = drawn(EVIL)
    assert labels(svg) == EVIL
    assert "<b>" not in svg


def test_a_text_is_where_its_mark_is():
    svg = drawn(EVIL)
    marks = re.findall(r'<use xlink:href="[^"]*" x="([\d.]+)" y="([\d.]+)"', svg)[-3:]
    for (x, y), (at_x, at_y, *_) in zip(marks, series(svg)[0], strict=True):
        assert (float(x), float(y)) == pytest.approx((at_x, at_y), abs=0.06)


def test_a_bar_has_its_size():
    figure = Figure()
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, 10)
    ax.set_ylim(10, 0)
    tell_boxes(ax, [(1, 2, 3, 4)], ["bar"])
    ((place,),) = series(to_svg(figure, "x", "", "", True))
    assert place == (46.1, 69.1, "bar", 138.2, 138.2)


def test_what_texts_begin_with_is_said_once():
    svg = drawn(["net, step 1: 5%", "net, step 20: 3%", "net, step 3: 2%"])
    assert html.unescape(svg).count("net, step ") == 1
    assert labels(svg)[1] == "net, step 20: 3%"
    assert labels(drawn(["same"] * 3)) == ["same"] * 3


def test_paper_needs_no_texts_and_has_the_description_in_its_alt_text():
    svg = drawn(EVIL, themed=False)
    assert labels(svg) == []
    assert "naïve" not in svg
    assert ">Title. Description</title>" in svg
    assert ">Title</title>" in drawn(EVIL)


def test_as_many_texts_as_points():
    with pytest.raises(ValueError, match="got 2 for 3 places"):
        drawn(EVIL[:2])


def test_what_is_outside_of_the_axes_has_no_text():
    figure = Figure()
    ax = figure.add_subplot()
    ax.set_xlim(0, 2)
    tell(ax, [1, 5], [0.5, 0.5], ["in", "out"])
    assert labels(to_svg(figure, "x", "", "", True)) == ["in"]


def test_ranks_come_before_the_order_of_telling():
    figure = Figure()
    ax = figure.add_subplot()
    for rank, text in ((2, "last"), (0, "first"), (0, "second")):
        tell(ax, [0.5], [0.5], [text], rank=rank)
    assert labels(to_svg(figure, "x", "", "", True)) == ["first", "second", "last"]


def test_places_are_taken_evenly_with_both_ends():
    assert evenly(5) == [0, 1, 2, 3, 4]
    assert evenly(1) == [0]
    chosen = evenly(1_000)
    assert (len(chosen), chosen[0], chosen[-1]) == (ON_A_LINE, 0, 999)
    assert {b - a for a, b in pairwise(chosen)} <= {52, 53}


def test_the_trade_off_tells_every_run_and_every_configuration():
    made = demo(2)
    found = labels(to_svg(trade_off(made), "x", "", "", True))
    done = made[made["status"] == "finished"]
    assert len(found) >= len(done) + done["configuration"].nunique()
    assert re.fullmatch(r"\S.*: [\d,]+ parameters; test error .*; 2 seeds", found[0]), "a front comes first"
    assert re.fullmatch(r".*, seed 1: test error [\d.]+%, validation error .*", found[-1])


def test_many_runs_become_a_picture():
    rows = [row("free", 1_000 + i, seed, 0.1, label=f"free {i}") for i in range(MOST // 8 + 1) for seed in range(8)]
    svg = to_svg(trade_off(frame(rows)), "x", "", "What it finds.", True)
    assert svg.count("<image") == 1
    assert sum(text.endswith("; 8 seeds") for text in labels(svg)) == MOST // 8 + 1, "configurations are still told"
    assert not any(", seed " in text for text in labels(svg))
    assert "What it finds. Too many for a text each: single runs.</desc>" in svg


def test_of_many_configurations_those_on_a_front_are_told():
    rows = [row("free", 1_000 + i, 0, 0.1 if i else 0.05, label=f"free {i}") for i in range(MOST + 1)]
    svg = to_svg(trade_off(frame(rows)), "x", "", "", True)
    assert len([text for text in labels(svg) if "; 1 seed" in text]) == 1
    assert "Too many for a text each: single runs and configurations off the fronts." in svg
    assert len(svg) < 200_000


def curves():
    made = demo(2)
    made["flops.step"] = 3e9
    return learning_curves(made)


def nets(make=sharing_nets):
    made = make()
    return sharings(made, configurations(made))


def anatomies():
    made = sharing_nets()
    return shown(fronts(configurations(made)))


def importances():
    axes = (Importance("model.embedding_size", 0.7, 0.6), Importance("model.depth", None, 0.4))
    return [Importances("hyper", 60, 6, axes, 0.05), Importances("free", 12, 5, axes, 0.04)]


def searched():
    tried = np.array([0.2, 0.2, 0.9, 0.9, 0.95, 1.0, 1.0])
    return Convergence(tried, tried / 2, tried / 1.5, tried)


def ratios():
    return budget_ratios(demo())


FIGURES = {
    "ratios": (ratios, r"(hypernetwork|shared kernel) .* at [\d,]+: × [\d.]+ \[[\d.]+, [\d.]+\], .*"),
    "effects": (lambda: axis_effects(demo(2)), r".*: (median )?test error [\d.]+%|.*; 2 seeds"),
    "learning": (lambda: learning(curves(), ERROR),
                 r"\S.*, step \d+: validation error [\d.]+%, seeds [\d.]+ to [\d.]+%"),
    "costs": (lambda: learning_costs(curves(), ERROR),
              r".*, after [\d.]+ ?(s|min|[GT] operations): validation error [\d.]+%, seeds [\d.]+ to [\d.]+%"),
    "anatomy": (lambda: anatomy_bars(anatomies()), r".*, [a-z]+: [\d,]+ of [\d,]+ parameters, [\d.]+%"),
    "importances": (lambda: importance_bars(importances()), r"(hypernetwork|free kernels), .*\((fANOVA|PED-ANOVA)\).*"),
    "maps": (lambda: sharing_maps(nets()), r".*, kernels \d and \d: [01]\.\d\d"),
    "shapes": (lambda: sharing_shapes(nets()),
               r".*, kernel \d: effective rank \d\.\d of 8|kernel \d, 16 channels, tile \d: −?[01]\.\d+, −?[01]\.\d+"),
    "convergence": (lambda: convergence_figure(searched()),
                    r"\d of 7 configurations tried: [01]\.\d\d of the final .*"),
    "changes": (lambda: weight_changes(best_weight_changes(moving())[1]),
                r"(“.”|space|line break|tab): i [\d.e-]+, g [\d.e-]+, f [\d.e-]+, o [\d.e-]+"),
    "spread": (lambda: spread_figure(spreads(moving())),
               r"HyperLSTM, d_[hxb], gate [igfo]: standard deviation [\d.]+, seeds [\d.]+ to [\d.]+"),
    "saturation": (lambda: saturation(saturations(moving())),
                   r"\S*LSTM, φ\(c\) from −?[01]\.\d\d to −?[01]\.\d\d: [\d.]+% of units"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_tells_its_marks(name):
    draw, form = FIGURES[name]
    svg = to_svg(draw(), "x", "Title", "Description", True)
    found = labels(svg)
    assert len(found) > 3
    for text in found:
        assert re.fullmatch(form, text), text
    assert svg == to_svg(draw(), "x", "Title", "Description", True), "the same bytes"
    _, _, width, height = map(float, ElementTree.fromstring(svg).get("viewBox").split())
    for x, y, _, wide, high in (place for points in series(svg) for place in points):
        assert -1 <= x <= x + wide <= width + 1
        assert -1 <= y <= y + high <= height + 1


def test_numbers_that_are_told_are_those_that_were_found():
    curve = curves()[0]
    first = labels(to_svg(learning([curve], ERROR), "x", "", "", True))
    assert [text.partition(", step ")[2].partition(":")[0] for text in first] == ["100", "200"]
    assert f"validation error {100 * curve.mean[1]:.2f}%" in first[1]
    chosen = anatomies()
    told = labels(to_svg(anatomy_bars(chosen), "x", "", "", True))
    assert len(told) == sum(len(groups_of(c)) for c in chosen)
    assert len(labels(to_svg(saturation(saturations(moving())), "x", "", "", True))) == 3 * PHI_BINS
    steps = labels(to_svg(convergence_figure(searched()), "x", "", "", True))
    assert [text[0] for text in steps] == ["1", "3", "5", "6", "7"], "where it rises, and both ends"


def test_bits_are_told_in_bits():
    found = labels(to_svg(learning(learning_curves(moving()), BPC), "x", "", "", True))
    assert all(re.search(r"validation 1?\d\.\d{3} bpc", text) for text in found)


def test_large_maps_have_a_text_a_row():
    n = 40
    made = sharing_nets(1)
    attrs, size = made.attrs, n * (n - 1) // 2
    records = made.to_dict("records")
    for record in records:
        record |= {
            "dynamics.sharing.part": list(range(1, n + 1)),
            "dynamics.sharing.channels": [8] * n,
            "dynamics.sharing.cosine": np.linspace(0, 1, size).tolist(),
        }
    made = frame(records)
    made.attrs = attrs
    found = sharings(made, configurations(made))
    assert size * len(found) > FEW
    svg = to_svg(sharing_maps(found), "x", "", "", True)
    told = labels(svg)
    assert len(told) == n * len(found)
    assert told[n - 1].endswith(f"kernel {n}: rms {0.976:.2f}, largest 1.00 with kernel {n - 1}"), told[n - 1]
    assert "Too many for a text each: cells of the maps" in svg


def test_of_a_long_text_the_largest_changes_are_told():
    length = 2 * FEW
    changes = {gate: np.arange(length) / length for gate in "igfo"}
    found = WeightChanges(b"x" * length, changes, {})
    svg = to_svg(weight_changes(found), "x", "", "", True)
    told = labels(svg)
    assert len(told) == FEW
    assert told[0] == "“x”: i 0.5, g 0.5, f 0.5, o 0.5"
    assert "Too many for a text each: characters beyond the 600" in svg
