"""Importances, anatomies, costs, sharing, spreads: what is drawn is what was found, on light pages and dark ones."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from hyperbudget.analyze.anatomy import shown
from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.dynamics import spreads
from hyperbudget.analyze.fronts import fronts
from hyperbudget.analyze.importance import Importance, Importances
from hyperbudget.analyze.learning import learning_curves
from hyperbudget.analyze.sharing import Embedded, sharings
from hyperbudget.figures.anatomy import COLORS, anatomy_bars
from hyperbudget.figures.costs import learning_costs
from hyperbudget.figures.importances import importance_bars
from hyperbudget.figures.sharing import LEVELS, sharing_maps, sharing_shapes
from hyperbudget.figures.spread import spread_figure
from hyperbudget.figures.style import DARK
from hyperbudget.figures.svg import to_svg
from hyperbudget.study.results.metrics import BPC, ERROR
from tests.report.frames import demo, frame, moving, row, sharing_nets

FOUND = [
    Importances("hyper", 60, 6, (Importance("model.embedding_size", 0.7, 0.6), Importance("model.width", 0.1, 0.3),
                                 Importance("model.depth", None, 0.1)), 0.05),
    Importances("free", 12, 5, (Importance("model.width", 0.9, 0.8), Importance("model.depth", 0.01, 0.2)), 0.04),
    Importances("shared", 12, 5, (Importance("model.width", 0.9, 1.0), Importance("model.depth", 0.0, 0.0)), 0.04),
]  # fmt: skip


def timed():
    made = demo(2)
    made["flops.step"] = 3e9
    return learning_curves(made)


def whole():
    """Every group of image networks, in bars of which some are too short for their names."""
    groups = ("stem", "generator", "embeddings", "shortcuts", "biases", "norms", "head")
    rows = [
        row("hyper", sum(counts), 0, 0.1 / n, label=f"hyper depth 40 N_z {n} d 64 in 16 out 16 rank of all things {n}")
        | {f"params.{group}": count for group, count in zip(groups, counts, strict=True)}
        for n, counts in enumerate(([10, 200, 30, 40, 50, 60, 70], [1, 2, 3_000, 400, 5, 6, 7]), start=1)
    ]
    rows += [row("free", 1_000, 0, 0.2, label="free width 8") | {"params.kernels": 900, "params.head": 100}]
    return shown(fronts(configurations(frame(rows))))


def nets():
    made = sharing_nets()
    return sharings(made, configurations(made))


DRAWN = {
    "importances": lambda: importance_bars(FOUND),
    "one family": lambda: importance_bars(FOUND[:1]),
    "anatomy": lambda: anatomy_bars(whole()),
    "costs": lambda: learning_costs(timed(), ERROR),
    "times": lambda: learning_costs(learning_curves(moving()), BPC),
    "maps": lambda: sharing_maps(nets()),
    "shapes": lambda: sharing_shapes(nets()),
    "spread": lambda: spread_figure(spreads(moving(families=("hyper_lstm",)))),
    "spreads": lambda: spread_figure(spreads(moving(families=("hyper_lstm", "ln_hyper_lstm", "hyper_rnn")))),
}


def beyond(figure):
    """Labels of ticks outside of their axes, which are not drawn."""
    found = set()
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        found |= {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    return found


@pytest.mark.parametrize("name", DRAWN)
def test_text_does_not_overlap(name):
    figure = DRAWN[name]()
    FigureCanvasAgg(figure).draw()
    texts = [t for t in figure.findobj(Text) if t.get_text() and t.get_visible() and t not in beyond(figure)]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts]
    assert len(boxes) > 5
    for i, (one, a) in enumerate(boxes):
        assert -1 < a.x0 < a.x1 < figure.bbox.width + 1, one
        assert -1 < a.y0 < a.y1 < figure.bbox.height + 1, one
        for other, b in boxes[i + 1 :]:
            overlap = min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
            assert not overlap, (one, other)


@pytest.mark.parametrize("name", DRAWN)
def test_every_colour_follows_the_page_and_every_id_is_its_own(name):
    texts = [to_svg(DRAWN[name](), "name", "t", "d", themed=True) for _ in range(2)]
    assert texts[0] == texts[1]
    assert "var(--figure-" in texts[0]
    assert not re.findall(r"#[0-9a-f]{6}\b", texts[0]), "a colour that has no dark counterpart"
    ElementTree.fromstring(texts[0])
    ids = re.findall(r'\bid="([^"]*)"', texts[0])
    assert len(ids) == len(set(ids))


def test_nothing_to_draw():
    assert importance_bars([]) is None
    assert anatomy_bars([]) is None
    assert learning_costs([], ERROR) is None
    assert sharing_maps([]) is None
    assert sharing_shapes([]) is None
    assert spread_figure([]) is None


def test_bars_are_the_importances():
    ax = importance_bars(FOUND[:1]).axes[0]
    widths = [patch.get_width() for patch in ax.patches]
    assert widths == [0.7, 0.6, 0.1, 0.3, 0.1]  # the last axis has no share of the variance
    ticks = [line.get_xdata()[0] for line in ax.lines]
    assert ticks == [0.05, 0.05]


def test_parts_of_a_bar_add_up_and_keep_their_colours():
    figure = anatomy_bars(whole())
    ends = {}
    for patch in figure.axes[0].patches:
        ends.setdefault(round(patch.get_y(), 3), []).append((patch.get_x(), patch.get_width()))
    assert len(ends) == 3
    for parts in ends.values():
        assert sum(width for _, width in parts) == pytest.approx(1)
    assert set(COLORS.values()) <= set(DARK)
    images = {"stem", "kernels", "generator", "embeddings", "shortcuts", "biases", "norms", "head"}
    texts = {"recurrent", "hyper_cell", "projections", "norms", "head"}
    for together in (images, texts):
        assert len({COLORS[group] for group in together}) == len(together)


def test_axes_of_time_and_of_operations():
    left, right = learning_costs(timed(), ERROR).axes
    assert "2 s" in [label.get_text() for label in left.get_xticklabels()]
    assert "500G" in [label.get_text() for label in right.get_xticklabels()]
    assert len(learning_costs(learning_curves(moving()), BPC).axes) == 1
    assert right.lines[0].get_xdata().tolist() == [3e11, 6e11]


def test_cells_of_a_map_are_the_cosines():
    found = {each.configuration.family: each for each in nets()}
    figure = sharing_maps(list(found.values()))
    for family, each in found.items():
        ax = next(ax for ax in figure.axes if ax.get_label() == family)
        drawn = np.full(each.cosines.shape, np.nan)
        for text in ax.texts:
            if re.fullmatch(r"\d\.\d\d", text.get_text()):
                x, y = text.get_position()
                drawn[int(y), int(x)] = float(text.get_text())
        below = np.tril_indices(6, -1)
        assert np.allclose(drawn[below], each.cosines[below], atol=0.0051)
        corners = sum(len(patch.get_path().vertices) // 5 for patch in ax.patches)
        assert corners == 15
        assert max(patch.get_alpha() for patch in ax.patches) <= 1
    assert LEVELS >= 10


def test_single_numbers_lie_on_lines_and_groups_share_a_mark():
    each = nets()[1]
    assert each.configuration.family == "hyper"
    line = Embedded(each.embedded.places[:, :1], each.embedded.kernels, (1.0,))
    figure = sharing_shapes([type(each)(**{**vars(each), "embedded": line})])
    ax = next(ax for ax in figure.axes if ax.get_label() == "embeddings")
    assert len({float(y) for mark in ax.lines for y in mark.get_ydata() if mark.get_label().startswith("kernel")}) == 6
    many = tuple((number, 16 * 2 ** (number // 4)) for number in range(1, 13) for _ in range(2))
    grouped = Embedded(each.embedded.places, many, (0.5, 0.3))
    figure = sharing_shapes([type(each)(**{**vars(each), "embedded": grouped})])
    ax = next(ax for ax in figure.axes if ax.get_label() == "embeddings")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        f"{width} channels" for width in (16, 32, 64, 128)
    ]
