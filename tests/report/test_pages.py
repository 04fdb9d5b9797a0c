import pytest

from hyperbudget.report import build
from hyperbudget.report.paging import Block, Page, pages
from tests.report.frames import cells, demo, frame, mixed, mnist, moving, row, sharing_nets
from tests.report.pages import blanks, orphans

LIMIT = 0.25
SHAPES = {
    "one run": lambda: frame([row("free", 900, 0, 0.05)]),
    "one family": lambda: frame(
        [row("hyper", 900 + i, seed, 0.05 / i, label=f"hyper {i}") for i in (1, 2) for seed in (0, 1)]
    ),
    "mnist": mnist,
}
LONG = {"cells": cells, "moving": moving, "sharing": sharing_nets, "mixed": mixed, "demo": lambda: demo(2)}


def check(pdf):
    *before_last, _ = blanks(pdf)
    assert all(share < LIMIT for share in before_last), [f"{share:.0%}" for share in before_last]
    assert not orphans(pdf)


@pytest.mark.parametrize("name", SHAPES)
def test_no_page_but_the_last_is_a_quarter_blank(name, tmp_path):
    (pdf,) = build(SHAPES[name](), tmp_path, "pdf")
    check(pdf)


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_nor_is_one_of_a_long_report(name, tmp_path):
    (pdf,) = build(LONG[name](), tmp_path, "pdf")
    check(pdf)


def stack(*heights):
    """Blocks of these heights, one below the other, 10 pixels apart."""
    made, top = [], 0.0
    for height in heights:
        made.append(Block(top, top + height, place=len(made)))
        top += height + 10
    return made


def test_pages_are_filled_in_order():
    assert pages(stack(40, 40, 40, 40), 100) == [Page(0, 2, 0.0), Page(2, 4, 0.0)]


def test_a_figure_shrinks_to_fit_on_a_page():
    text, figure, rest = stack(60, 60, 80)
    figure = Block(figure.top, figure.bottom, 1, figure="f", shrink=40, grow=20)
    assert pages([text, figure, rest], 100) == [Page(0, 2, -0.75), Page(2, 3, 0.0)]


def test_a_figure_grows_where_what_follows_does_not_fit():
    figure, text = stack(80, 60)
    figure = Block(figure.top, figure.bottom, 0, figure="f", grow=20)
    assert pages([figure, text], 100)[0] == Page(0, 1, 1.0)


def test_figures_of_the_last_page_stay_as_they_were_drawn():
    assert pages([Block(0, 50, 0, figure="f", grow=20)], 100) == [Page(0, 1, 0.0)]


def test_what_is_bound_is_never_the_first_of_a_page():
    blocks = [Block(0, 70, 0), Block(80, 95, 1), Block(105, 170, 2, bound=True)]
    assert [page.first for page in pages(blocks, 100)] == [0, 1]


def test_a_table_head_is_counted_on_every_page():
    rows = [Block(10.0 * n, 10.0 * n + 10, n, within=n > 0, head=10) for n in range(18)]
    assert all((page.last - page.first) * 10 + 10 <= 100 for page in pages(rows, 100)[1:])


def test_what_is_taller_than_a_page_has_one_of_its_own():
    assert [page.first for page in pages(stack(50, 150, 50), 100)] == [0, 1, 2]
