"""Figures 4 to 6: what is drawn is what was measured, on light pages and dark ones."""

import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from hyperbudget.analyze.dynamics import Saturation, WeightChanges, best_weight_changes, saturations
from hyperbudget.analyze.learning import learning_curves
from hyperbudget.figures.learning import learning
from hyperbudget.figures.saturation import saturation
from hyperbudget.figures.svg import to_svg
from hyperbudget.figures.weight_changes import COLUMNS, LEVELS, LINES, OTHER, visible, weight_changes
from hyperbudget.nn.cells import PHI_BINS, SATURATED
from hyperbudget.study.results.metrics import BPC
from tests.report.frames import moving

CELLS = ("lstm", "ln_lstm", "hyper_lstm", "ln_hyper_lstm", "rnn", "hyper_rnn")
WORDS = ["run 0123456789abcdef, language_model hidden size 64 layers 1, hyper_lstm hyper size 8 N_z 4, on pydocs", "b"]
DRAWN = {
    "weights": lambda words: weight_changes(best_weight_changes(moving())[1], 5, words),
    "units": lambda words: saturation(saturations(moving(families=CELLS)), words),
    "one": lambda words: saturation({"lstm": saturations(moving())["lstm"]}, words),
    "learning": lambda words: learning(learning_curves(moving(families=CELLS)), BPC, words),
}


def changes(symbols, **gates):
    return WeightChanges(symbols, {g: np.array(v, float) for g, v in gates.items()}, {})


def cells_of(figure):
    """Opacity in steps -> the lower left corners of its cells, of the strips' axes."""
    ax = next(ax for ax in figure.axes if ax.get_label() == "text")
    return {round(p.get_alpha() * LEVELS): p.get_path().vertices.reshape(-1, 5, 2)[:, 0] for p in ax.patches}


def beyond(figure):
    """Labels of ticks outside of their axes, which are not drawn."""
    found = set()
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        found |= {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    return found


@pytest.mark.parametrize("words", [None, WORDS])
@pytest.mark.parametrize("name", DRAWN)
def test_text_does_not_overlap(name, words):
    figure = DRAWN[name](words)
    FigureCanvasAgg(figure).draw()
    texts = [t for t in figure.findobj(Text) if t.get_text() and t.get_visible() and t not in beyond(figure)]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts]
    assert len(boxes) > 5
    for i, (one, a) in enumerate(boxes):
        assert -1 < a.x0 < a.x1 < figure.bbox.width + 1, one
        assert -1 < a.y0 < a.y1 < figure.bbox.height + 1, one
        for other, b in boxes[i + 1 :]:
            across, down = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert not (across > 1 and down > 1), (one, other)


@pytest.mark.parametrize("name", DRAWN)
def test_every_colour_and_face_follows_the_page(name):
    texts = [to_svg(DRAWN[name](None), "name", "t", "d", themed=True) for _ in range(2)]
    assert texts[0] == texts[1]
    ElementTree.fromstring(texts[0])
    assert not re.findall(r"#[0-9a-f]{6}\b", texts[0]), "a colour that has no dark counterpart"
    assert "DejaVu" not in texts[0]
    assert ("var(--mono)" in texts[0]) == (name == "weights")
    printed = to_svg(DRAWN[name](None), "name", "t", "d", themed=False)
    assert "var(" not in printed
    assert ("monospace" in printed) == (name == "weights")


def test_nothing_to_draw():
    assert weight_changes(None) is None
    assert saturation({}) is None
    assert learning([], BPC) is None


class TestStrips:
    def test_a_cell_is_as_opaque_as_its_change_is_large(self):
        """Full at the largest, half at a half, none at 0; each under its character and in its gate's strip."""
        figure = weight_changes(changes(b"abcd", i=[0, 8, 0, 0], o=[0, 0, 0, 4]))
        cells = cells_of(figure)
        (full,), (half,) = cells.pop(LEVELS), cells.pop(LEVELS // 2)
        assert not cells
        letters = {t.get_text(): t.get_position() for t in figure.findobj(Text) if t.get_text() in set("abcdio")}
        assert full[0] < letters["b"][0] < full[0] + 2 * (letters["b"][0] - full[0])
        assert letters["b"][0] - full[0] == pytest.approx(letters["d"][0] - half[0])
        assert full[1] > letters["b"][1], "below the text (y runs down)"
        assert half[1] > full[1]
        assert full[1] < letters["i"][1] < half[1] < letters["o"][1]

    def test_the_gates_share_one_scale(self):
        figure = weight_changes(changes(b"ab", i=[1, 1], g=[10, 10]))
        assert sorted(cells_of(figure)) == [2, LEVELS]
        assert "10" in [t.get_text() for t in figure.findobj(Text)]

    def test_one_large_change_does_not_pale_the_others(self):
        values = np.full(1_000, 5.0)
        values[3] = 1e6
        assert set(cells_of(weight_changes(changes(b"a" * 1_000, h=values)))) == {LEVELS}

    def test_weights_that_never_change_are_drawn(self):
        assert cells_of(weight_changes(changes(b"abc", i=[0, 0, 0]))) == {}

    def test_every_line_has_its_strips(self):
        figure = weight_changes(changes(b"a" * (2 * COLUMNS + 1), i=[1] * (2 * COLUMNS + 1), g=[1] * (2 * COLUMNS + 1)))
        corners = cells_of(figure)[LEVELS]
        assert len(corners) == 2 * (2 * COLUMNS + 1)
        assert len({round(float(y), 6) for _, y in corners}) == 3 * 2
        assert [t.get_text() for t in figure.findobj(Text)].count("g") == 3

    def test_a_long_text_is_cut_and_says_so(self):
        long = COLUMNS * LINES + 1_000
        figure = weight_changes(changes(b"a" * long, i=np.ones(long)), words=["x"])
        assert len(cells_of(figure)[LEVELS]) == COLUMNS * LINES
        assert any(f"The first {COLUMNS * LINES:,} of {long:,}" in t.get_text() for t in figure.findobj(Text))
        assert figure.get_size_inches()[1] < 20

    def test_the_prompt_is_pale(self):
        figure = weight_changes(changes(b"abc", i=[1, 1, 1]), given=2)
        colors = {t.get_text(): t.get_color() for t in figure.findobj(Text) if t.get_text() in set("abc")}
        assert colors["a"] == colors["b"] != colors["c"]


@pytest.mark.parametrize(
    ("symbols", "shown"),
    [
        (b"a b\n\t", ["a", " ", "b", "↵", "⇥"]),
        ("é€".encode(), ["é", " ", "€", " ", " "]),
        (b"\x00\x1b\x7f", [OTHER] * 3),
        (b"a\xff\xc3", ["a", OTHER, OTHER]),
        ("字".encode(), [OTHER, " ", " "]),
        (b"$x$ \\frac _^", list("$x$ \\frac _^")),
    ],
)
def test_every_byte_has_a_sign(symbols, shown):
    assert visible(symbols) == shown
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that the typeface lacks is one
        FigureCanvasAgg(weight_changes(changes(symbols, i=np.ones(len(symbols))))).draw()


class TestSaturation:
    def test_a_bar_a_bin_full_where_saturated(self):
        counts = np.arange(1, PHI_BINS + 1, dtype=float)
        (ax,) = saturation({"lstm": Saturation(counts, 0.3)}).axes
        bars = sorted((bar.get_x(), bar.get_height(), bar.get_alpha()) for bar in ax.patches)
        assert [height for _, height, _ in bars] == pytest.approx((counts / counts.sum()).tolist())
        full = [x for x, _, alpha in bars if alpha == 1]
        assert full == pytest.approx([-1, -0.95, SATURATED, 0.95])
        assert f"±{SATURATED:g}" in ax.get_xlabel()
        assert "30% saturated" in [text.get_text() for text in ax.texts]

    def test_panels_share_their_heights(self):
        found = saturations(moving())
        assert len({ax.get_ylim() for ax in saturation(found).axes}) == 1


def test_a_line_a_configuration_and_a_pale_one_a_seed():
    curves = learning_curves(moving(families=("lstm",)))
    (ax,) = learning(curves, BPC).axes
    pale = [line for line in ax.lines if line.get_alpha()]
    thick = [line for line in ax.lines if not line.get_alpha()]
    assert len(thick) == len(curves) == 4
    assert len(pale) == 3 * 4 - 1, "one run failed"
    for line, curve in zip(thick, curves, strict=True):
        assert line.get_ydata().tolist() == curve.mean.tolist()
        assert line.get_xdata().tolist() == [2_000, 8_000, 14_000, 20_000]
    assert ax.get_ylabel() == "validation bits per character"
    assert ax.get_yscale() == "log"
