import html
import re

from matplotlib.figure import Figure

from hyperbudget.figures.points import MOST, tell
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.trade_off import trade_off
from tests.report.frames import demo, frame, row

EVIL = ["<b>\"one\" & 'two'", "N_z 4: 0.123456 %", "naïve ×"]


def drawn(texts, themed=True):
    figure = Figure()
    ax = figure.add_subplot()
    (line,) = ax.plot([1, 2, 3], [3, 1, 2], "o")
    tell(line, texts)
    return to_svg(figure, "x", "Title", "Description", themed)


def labels(svg):
    return [html.unescape(text) for text in re.findall(r'<use aria-label="([^"]*)"', svg)]


def test_every_mark_has_its_text_in_the_order_of_the_points():
    svg = drawn(EVIL)
    assert labels(svg) == EVIL
    assert "<b>" not in svg
    places = [float(x) for x in re.findall(r'<use aria-label="[^"]*" xlink:href="[^"]*" x="([\d.]+)"', svg)]
    assert places == sorted(places)
    assert len(places) == 3


def test_paper_needs_no_texts():
    svg = drawn(EVIL, themed=False)
    assert labels(svg) == []
    assert "aria-label=" not in svg


def test_texts_that_do_not_fit_the_marks_are_left_out():
    assert labels(drawn(EVIL[:2])) == []


def test_the_trade_off_tells_every_run_and_every_configuration():
    made = demo(2)
    found = labels(to_svg(trade_off(made), "x", "", "", True))
    done = made[made["status"] == "finished"]
    assert len(found) == len(done) + done["configuration"].nunique()
    assert any(re.fullmatch(r"hypernetwork .*: [\d,]+ parameters; test error .*; 2 seeds", text) for text in found)
    assert any(
        re.fullmatch(r"free kernels .*, seed 1: test error [\d.]+%, validation error .*", text) for text in found
    )


def test_many_runs_become_a_picture():
    rows = [row("free", 1_000 + i, seed, 0.1, label=f"free {i}") for i in range(MOST // 8 + 1) for seed in range(8)]
    svg = to_svg(trade_off(frame(rows)), "x", "", "", True)
    assert svg.count("<image") == 1
    assert len(labels(svg)) == MOST // 8 + 1, "configurations are still told"


def test_numbers_of_a_point_are_short():
    assert not re.search(r' (x|y)="[\d.]*\.\d{3,}"', drawn(EVIL))
