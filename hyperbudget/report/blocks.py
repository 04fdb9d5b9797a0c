"""WeasyPrint's boxes of an endless page -> the blocks that no page break divides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hyperbudget.report.paging import Block

PAPER = 297 / 25.4 * 96
"""Height of A4, in CSS pixels."""
LISTS = ("ul", "ol", "dl")
CONTENTS, ROOMY = "contents", 1.3
"""What stretches as figures do: the contents, from several columns to one, whose lines are so much taller."""
KEPT = 8
"""Rows of a text in columns that stay together at its beginning, and at its end."""


def bare(page: str) -> str:
    """A page whose figures are empty boxes: as tall as they are, and laid out in half the time."""
    return re.sub(r"(<svg[^>]*>).*?</svg>", r"\1</svg>", page, flags=re.DOTALL)


def endless(source: Any) -> tuple[list[Block], float]:
    """The blocks of `source`, WeasyPrint's HTML, and how high a sheet of it is, margins aside, in CSS pixels."""
    from weasyprint import CSS

    places = {element: place for place, element in enumerate(elements(source.etree_element))}
    (sheet,) = source.render(stylesheets=[CSS(string="@page { size: 210mm 999999mm !important }")]).pages
    box = sheet._page_box
    (root,) = [child for child in box.children if child.element is source.etree_element]
    return list(_blocks(root, places, bound=False)), PAPER - box.margin_top - box.margin_bottom


def elements(root: Any) -> Iterator[Any]:
    """`root` and all elements in it, those of a figure aside, in the order of the page."""
    yield root
    if root.tag != "svg" and not root.tag.endswith("}svg"):
        for child in root:
            yield from elements(child)


def _blocks(box: Any, places: Mapping[Any, int], bound: bool) -> Iterator[Block]:
    """The blocks of a box. bound: whether the first of them is."""
    bound = bound or box.style["break_before"] == "avoid"
    if box.style["column_count"] != "auto" and box.style["break_inside"] != "avoid":
        yield from _rows(box, places, bound)
        return
    if _whole(box):
        yield _block(box, places, bound)
        return
    head = next((child.height for child in box.children if getattr(child, "is_header", False)), 0.0)
    listed = box.element_tag in LISTS
    before = None
    for child in box.children:
        bound_here = bound if before is None else _holds(before)
        for block in _blocks(child, places, bound_here):
            within = block.within or head > 0 or (listed and before is not None)
            yield replace(block, head=block.head or head, within=within)
        before = child


def _whole(box: Any) -> bool:
    """Whether no page break may be in a box."""
    from weasyprint.formatting_structure import boxes

    return (
        box.style["break_inside"] == "avoid"
        or getattr(box, "is_header", False)
        or isinstance(box, boxes.TableRowBox | boxes.FlexContainerBox | boxes.GridContainerBox)
        or not box.children
        or any(isinstance(child, boxes.LineBox | boxes.ReplacedBox) for child in box.children)
    )


def _holds(box: Any) -> bool:
    """Whether what follows a box must be on its page."""
    inside = [] if _whole(box) else box.children[-1:]
    header = getattr(box, "is_header", False)
    return header or box.style["break_after"] == "avoid" or any(_holds(child) for child in inside)


def _block(box: Any, places: Mapping[Any, int], bound: bool) -> Block:
    top = box.border_box_y()
    block = Block(top, top + box.border_height(), places.get(box.element), bound)
    if box.element_tag == "nav":
        lines = [each.height for each in box.descendants() if each.element_tag == "li"]
        grow = ROOMY * sum(lines) - sum(lines[:: box.children[0].style["column_count"]])
        block = replace(block, figure=CONTENTS, grow=grow)
    for svg in box.descendants():
        given = {} if svg.element is None else svg.element.attrib
        if "data-figure" in given and not _beside(box):
            shrink, grow = (float(given[f"data-{limit}"]) * svg.height for limit in ("shrink", "grow"))
            block = replace(block, figure=given["data-figure"], shrink=shrink, grow=grow)
    return block


def _beside(box: Any) -> bool:
    """Whether a figure stands beside its caption, so that what is taller of the two decides."""
    from weasyprint.formatting_structure import boxes

    return isinstance(box, boxes.FlexContainerBox)


def _rows(box: Any, places: Mapping[Any, int], bound: bool) -> Iterator[Block]:
    """A text in columns, row by row: a page break divides all columns at once, wherever the page is full.

    Where exactly that is depends on how the columns are balanced: the rest may be higher by two rows.
    """
    lines = box.children[0].children
    last = len(lines) - 1
    for number, line in enumerate(lines):
        top = line.position_y if number else box.border_box_y()
        bottom = line.position_y + line.height if number < last else box.border_box_y() + box.border_height()
        kept = 0 < number < KEPT or number > last + 1 - KEPT
        place = None if number else places.get(box.element)
        head = 2 * line.height if number else 0.0
        yield Block(top, bottom, place, kept or (bound and not number), within=number > 0, head=head)
