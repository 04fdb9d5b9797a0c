"""A page as a PDF, by WeasyPrint, which is imported only here: it needs native libraries."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hyperbudget.report.blocks import CONTENTS, bare, elements, endless
from hyperbudget.report.headers import complete_headers
from hyperbudget.report.paging import pages

Draw = Callable[[Mapping[str, float]], str]
"""A page (HTML for print), its figures stretched as told, by name."""

SLACK = 4.0
"""CSS pixels of a page that are not planned with, for rounding."""
SINGLE = 0.7
"""From this ratio on, a page has room for the contents in one column; at 1, for roomy lines."""


def to_pdf(draw: Draw, attached: Mapping[str, str]) -> bytes:
    """A page as a tagged PDF; the same bytes for the same page.

    It is laid out twice: endless, to find where its pages should end and how tall their figures should be
    (`hyperbudget.report.paging`), and on them. attached: text by file name, for the reader to save.

    Raises ImportError or OSError when WeasyPrint or a native library that it needs is missing.
    """
    from weasyprint import Attachment

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = "0"  # else the embedded fonts carry the time
    epoch = datetime.fromtimestamp(0, UTC)
    files = [Attachment(string=text, name=name, created=epoch, modified=epoch) for name, text in attached.items()]
    try:
        data = _paged(draw).write_pdf(pdf_tags=True, attachments=files, finisher=complete_headers)
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
    assert isinstance(data, bytes)
    return data


def _paged(draw: Draw) -> Any:
    """WeasyPrint's document: pages as they are best, or as they come where those overflow."""
    from weasyprint import HTML

    blocks, height = endless(HTML(string=bare(draw({})), url_fetcher=_refuse))
    planned = pages(blocks, height - SLACK)
    stretches = {b.figure: page.ratio for page in planned for b in blocks[page.first : page.last] if b.figure}
    source = HTML(string=draw(stretches), url_fetcher=_refuse)
    begins = {blocks[page.first].place for page in planned[1:]}
    marked = [element for place, element in enumerate(elements(source.etree_element)) if place in begins]
    for element in marked:
        element.set("style", "break-before: page; margin-top: 0")
    if (ratio := stretches.get(CONTENTS, 0.0)) > SINGLE:
        next(source.etree_element.iter("nav"))[0].set("class", "single roomy" if ratio == 1 else "single")
    document = source.render()
    if len(document.pages) > len(planned):
        for element in marked:
            element.attrib.pop("style")
        document = source.render()
    return document


def _refuse(url: str, *_: object, **__: object) -> object:
    raise ValueError(f"a report fetches nothing, and this one asks for {url[:80]}")
