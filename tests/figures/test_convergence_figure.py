import re

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from hyperbudget.analyze import analyze
from hyperbudget.figures import to_svg
from hyperbudget.figures.convergence import convergence_figure
from tests.report.frames import demo, mnist


@pytest.fixture(scope="module")
def figure():
    return convergence_figure(analyze(demo(2)).convergence)


def test_every_colour_follows_the_page(figure):
    text = to_svg(figure, "name", "t", "d", themed=True)
    assert not re.findall(r"#[0-9a-f]{6}\b", text)
    assert text == to_svg(figure, "name", "t", "d", themed=True)


def test_text_does_not_overlap(figure):
    FigureCanvasAgg(figure).draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in figure.findobj(Text) if t.get_text() and t.get_visible()]
    boxes = [(text, box) for text, box in boxes if box.x1 > 0 and box.x0 < figure.bbox.width]
    for i, (one, a) in enumerate(boxes):
        assert -1 < a.x0 < a.x1 < figure.bbox.width + 1, one
        assert all(not a.overlaps(b) for _, b in boxes[i + 1 :]), one


def test_nothing_without_numbered_trials():
    assert convergence_figure(analyze(mnist()).convergence) is None
