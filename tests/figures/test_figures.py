import re
from xml.etree import ElementTree

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from hyperbudget.figures import axis_effects, budget_ratios, to_svg, trade_off
from hyperbudget.figures.scales import alike, close_ticks, log_ticks, short_count
from hyperbudget.figures.style import DARK, family_styles
from tests.report.frames import cells, demo, frame, mnist, row

FIGURES = (trade_off, axis_effects, budget_ratios)
CELLS = ("lstm", "ln_lstm", "rnn", "hyper_rnn", "hyper_lstm", "ln_hyper_lstm")


@pytest.mark.parametrize("draw", FIGURES)
@pytest.mark.parametrize("make", [demo, mnist, lambda: demo(1), cells])
def test_svg_is_xml_with_ids_of_its_own_and_the_same_twice(draw, make):
    texts = [to_svg(draw(make()), "name", "A <title>", "Says & means", themed=True) for _ in range(2)]
    assert texts[0] == texts[1]
    root = ElementTree.fromstring(texts[0])
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "name-title name-description"
    ids = re.findall(r'\bid="([^"]*)"', texts[0])
    assert len(ids) == len(set(ids))
    assert all(i.startswith("name-") for i in ids)
    targets = re.findall(r'(?:url\(#|xlink:href="#)([^")]*)', texts[0])
    assert targets
    assert set(targets) <= set(ids)


@pytest.mark.parametrize("draw", FIGURES)
def test_every_colour_follows_the_page(draw):
    text = to_svg(draw(demo()), "name", "t", "d", themed=True)
    assert "var(--figure-" in text
    assert not re.findall(r"#[0-9a-f]{6}\b", text), "a colour that has no dark counterpart"
    assert "DejaVu" not in text
    assert "<style" not in text
    assert "<metadata" not in text
    assert "var(" not in to_svg(draw(demo()), "name", "t", "d", themed=False)


@pytest.mark.parametrize("draw", FIGURES)
def test_nothing_to_draw(draw):
    assert draw(frame([])) is None
    assert draw(frame([row("free", 9, 0, None, status="failed", reason="x")])) is None


def test_one_run_draws():
    assert trade_off(frame([row("free", 900, 0, 0.05)])) is not None
    assert trade_off(frame([row("free", 900, 0, 0.0)])) is not None


@pytest.mark.parametrize("draw", FIGURES)
def test_text_does_not_overlap(draw):
    """Every pair of texts keeps its distance in matplotlib's own, wide, typeface."""
    for made in (demo(), mnist(), cells(), cells(families=CELLS)):
        figure = draw(made)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [
            (text.get_text(), text.get_window_extent())
            for text in figure.findobj(Text)
            if text.get_text() and text.get_visible()
        ]
        inside = [(t, b) for t, b in boxes if b.x1 > 0 and b.x0 < figure.bbox.width]
        for i, (one, a) in enumerate(inside):
            assert -1 < a.x0 < a.x1 < figure.bbox.width + 1, one
            for other, b in inside[i + 1 :]:
                overlap = min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
                assert not overlap, (one, other)


@pytest.mark.parametrize(
    ("low", "high"), [(0.2, 12), (0.6, 1.4), (1, 1.2), (300, 40_000), (2e3, 3e8), (0.05, 90), (3.1, 3.4)]
)
def test_log_ticks_are_few_and_round(low, high):
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
    assert all(float(f"{tick:.3g}") == pytest.approx(tick) for tick in ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1.1, 3.2, ["1.2", "1.5", "2.0", "2.5", "3.0"]),
        (1.25, 1.45, ["1.25", "1.30", "1.35", "1.40", "1.45"]),
        (1.304, 1.331, ["1.305", "1.310", "1.315", "1.320", "1.325", "1.330"]),
        (0.97, 1.02, ["0.97", "0.98", "0.99", "1.00", "1.01", "1.02"]),
    ],
)
def test_close_ticks_are_written_alike(low, high, ticks):
    found = close_ticks(low, high)
    assert [alike(found)(tick) for tick in found] == ticks


def test_close_ticks_are_few_in_any_range():
    for low in (0.4, 0.95, 1.27, 1.9, 2.6, 4.9):
        for ratio in (1.01, 1.03, 1.1, 1.3, 1.7, 2.4, 3.9, 4.1, 9):
            assert 3 <= len(close_ticks(low, low * ratio)) <= 7


def test_axes_in_bits():
    ax = trade_off(cells()).axes[0]
    assert ax.get_ylabel() == "test bits per character"
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["1.18", "1.20", "1.22", "1.24", "1.26"]
    ratios = budget_ratios(cells()).axes[0]
    assert ratios.get_xlabel() == "test bits per character over those of the best LSTM; below 1 is better"
    assert "× 1.00" in [label.get_text() for label in ratios.get_xticklabels()]


def test_counts_and_styles():
    assert [short_count(x) for x in (500, 1500, 20_000, 2e6)] == ["500", "1.5k", "20k", "2M"]
    styles = family_styles(["free", "shared", "hyper", "low_rank", "dct", "coordinate"])
    for what in ("color", "marker", "dashes"):
        assert len({getattr(style, what) for style in styles.values()}) == 6
    assert all(style.color in DARK for style in styles.values())


def test_cells_are_told_apart():
    styles = family_styles([*CELLS, "gru"])
    for what in ("color", "marker", "dashes"):
        assert len({getattr(style, what) for style in styles.values()}) == 7
    assert all(style.color in DARK for style in styles.values())
