import pytest
from matplotlib.figure import Figure

from hyperbudget.figures.stretch import elastic_share, stretched
from hyperbudget.figures.svg import to_svg


def two_rows():
    """10 inches high: axes from 1 to 3 and from 5 to 9, a text at 4, a legend at 9.5."""
    figure = Figure(figsize=(4, 10))
    for bottom, high in ((0.1, 0.2), (0.5, 0.4)):
        figure.add_axes((0.1, bottom, 0.8, high), label=str(bottom)).plot([0, 1], [0, 1], label="line")
    figure.text(0.5, 0.4, "between")
    figure.legend(loc="upper left", bbox_to_anchor=(0.1, 0.95))
    return figure


def test_axes_alone_are_stretched():
    figure = two_rows()
    assert elastic_share(figure) == pytest.approx(0.6)
    with stretched(figure, 1.5):
        assert figure.get_figheight() == pytest.approx(13)
        inches = [(13 * ax.get_position().y0, 13 * ax.get_position().y1) for ax in figure.axes]
        assert inches == [pytest.approx((1, 4)), pytest.approx((6, 12))]
        assert 13 * figure.texts[0].get_position()[1] == pytest.approx(5)
        anchor = figure.legends[0].get_bbox_to_anchor().transformed(figure.transFigure.inverted())
        assert 13 * anchor.y1 == pytest.approx(12.5)


def test_a_figure_is_as_it_was_afterwards():
    figure = two_rows()
    before = to_svg(figure, "f", "title", "description", themed=True)
    with stretched(figure, 0.7):
        assert to_svg(figure, "f", "title", "description", themed=True) != before
    assert to_svg(figure, "f", "title", "description", themed=True) == before


def test_axes_side_by_side_are_one_band():
    figure = Figure()
    figure.add_axes((0.1, 0.2, 0.3, 0.5), label="a")
    figure.add_axes((0.6, 0.3, 0.3, 0.6), label="b")
    assert elastic_share(figure) == pytest.approx(0.7)
