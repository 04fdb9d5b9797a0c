"""How a report's pages look, read from its PDF: the blank at the foot of each, and headings or captions left alone.

python -m tests.report.pages reports/*/report.pdf
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

TOP, FOOT, DESCENT = 20 / 25.4 * 72, 21 / 25.4 * 72, 3.0
"""The margins of a page, whose foot has the page number, and what a last line has below its baseline, in points."""


def blanks(pdf: Path) -> list[float]:
    """Of each page the share of its height, margins aside, that is blank below its last line of text.

    A figure ends with its caption, so the last line of text is where a page ends.
    """
    return [_blank(page) for page in PdfReader(pdf).pages]


def orphans(pdf: Path) -> list[str]:
    """Headings at the foot of a page, and captions on another page than what they belong to, from the PDF's tags."""
    reader = PdfReader(pdf)
    numbers = {page.indirect_reference.idnum: n for n, page in enumerate(reader.pages, 1) if page.indirect_reference}
    places = list(_places(reader.root_object["/StructTreeRoot"]["/K"], numbers))  # type: ignore[index]
    found = []
    for (before, _), (kind, page), (after, next_page) in zip(places, places[1:], places[2:], strict=False):
        if kind in ("/H1", "/H2", "/H3") and next_page != page:
            found.append(f"{kind[1:]} at the foot of page {page}")
        if kind == "/Figure" and (after, next_page) != ("/Caption", page):
            found.append(f"a figure on page {page}, its caption elsewhere")
        if kind == "/Caption" and before != "/Figure" and next_page != page:
            found.append(f"the caption of a table at the foot of page {page}")
    return found


def _blank(page: PageObject) -> float:
    lines = []

    def visit(text: str, page_matrix: list[float], text_matrix: list[float], *_: Any) -> None:
        y = text_matrix[5] * page_matrix[3] + page_matrix[5]
        if text.strip() and y > FOOT and page_matrix[3] < 0:  # a figure's text has coordinates of its own
            lines.append(y)

    page.extract_text(visitor_text=visit)
    height = float(page.mediabox.height) - TOP - FOOT
    return (min(lines, default=height + FOOT) - DESCENT - FOOT) / height


def _places(node: Any, numbers: dict[int, int]) -> Iterator[tuple[str, int]]:
    """(tag, number of its page) of what stands alone on the page, in the order of reading."""
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from _places(child, numbers)
    elif isinstance(node, DictionaryObject) and "/K" in node:
        if node.get("/S") in ("/H1", "/H2", "/H3", "/P", "/LI", "/Figure", "/Caption", "/TR", "/Span"):
            yield str(node["/S"]), min(_pages(node, numbers))
        else:
            yield from _places(node["/K"], numbers)


def _pages(node: Any, numbers: dict[int, int]) -> Iterator[int]:
    node = node.get_object()
    if isinstance(node, DictionaryObject):
        if "/Pg" in node:
            yield numbers[node.raw_get("/Pg").idnum]
        if "/K" in node:
            yield from _pages(node["/K"], numbers)
    elif isinstance(node, list):
        for child in node:
            yield from _pages(child, numbers)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        found = blanks(Path(name))
        print(name, *(f"{share:.0%}" for share in found), *orphans(Path(name)))
