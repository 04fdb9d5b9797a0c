"""A page as a PDF, by WeasyPrint, which is imported only here: it needs native libraries."""

from __future__ import annotations

import logging
import os


def to_pdf(page: str) -> bytes:
    """The page (HTML for print) as a tagged PDF; the same bytes for the same page.

    Raises ImportError or OSError when WeasyPrint or a native library that it needs is missing.
    """
    from weasyprint import HTML

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = "0"  # else the embedded fonts carry the time
    try:
        data = HTML(string=page, url_fetcher=_refuse).write_pdf(pdf_tags=True)
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
    assert isinstance(data, bytes)
    return data


def _refuse(url: str, *_: object, **__: object) -> object:
    raise ValueError(f"a report fetches nothing, and this one asks for {url[:80]}")
