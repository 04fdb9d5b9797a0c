"""A page as a PDF, by WeasyPrint, which is imported only here: it needs native libraries."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime


def to_pdf(page: str, attached: Mapping[str, str]) -> bytes:
    """The page (HTML for print) as a tagged PDF; the same bytes for the same page.

    attached: text by file name, for the reader to save.

    Raises ImportError or OSError when WeasyPrint or a native library that it needs is missing.
    """
    from weasyprint import HTML, Attachment

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = "0"  # else the embedded fonts carry the time
    epoch = datetime.fromtimestamp(0, UTC)
    files = [Attachment(string=text, name=name, created=epoch, modified=epoch) for name, text in attached.items()]
    try:
        data = HTML(string=page, url_fetcher=_refuse).write_pdf(pdf_tags=True, attachments=files)
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
    assert isinstance(data, bytes)
    return data


def _refuse(url: str, *_: object, **__: object) -> object:
    raise ValueError(f"a report fetches nothing, and this one asks for {url[:80]}")
