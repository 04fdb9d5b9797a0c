"""What only the PDF has: contents with page numbers, attached runs, tags, and an end to its tables."""

import base64
import re

import pytest
from pypdf import PdfReader

from hyperbudget.report import build
from hyperbudget.report.build import PRINTED
from hyperbudget.report.publish import scrollable, sections
from tests.report.frames import frame, mnist, row


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    page, pdf = build(mnist(), tmp_path_factory.mktemp("paper"))
    return page.read_text(), PdfReader(pdf)


def test_contents_name_the_page_of_every_section(both):
    page, pdf = both
    texts = [" ".join(sheet.extract_text().split()) for sheet in pdf.pages]
    wanted = [title for _, title in sections(page)]
    assert wanted[0] == "The trade-off"
    assert wanted[-1] == "Provenance"
    for title in wanted:
        found = re.search(rf"{title}[ .]+(\d+)", texts[0])
        assert found, title
        assert title in texts[int(found[1]) - 1].replace(found[0], "") or int(found[1]) > 1
        assert title in texts[int(found[1]) - 1]
    assert [entry.title for entry in pdf.outline if not isinstance(entry, list)]


def test_runs_are_attached_as_the_page_has_them(both):
    page, pdf = both
    text = base64.b64decode(re.search(r"base64,([\w+/=]+)", page)[1])
    assert pdf.attachments["runs.csv"] == [text]
    assert "Attached to this file: runs.csv" in " ".join(pdf.pages[-1].extract_text().split()) + " ".join(
        pdf.pages[-2].extract_text().split()
    )


def test_it_is_tagged_and_figures_have_alt_texts(both):
    _, pdf = both
    catalog = pdf.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"


def test_an_endless_appendix_is_left_to_the_attached_runs(tmp_path):
    rows = [row("free", 1_000 + i, 0, 0.1 + i / 1e4, label=f"free number {i}") for i in range(PRINTED + 1)]
    rows += [row("hyper", 900, 0, 0.05)]
    (pdf,) = build(frame(rows), tmp_path, "pdf")
    text = " ".join(" ".join(sheet.extract_text().split()) for sheet in PdfReader(pdf).pages)
    assert "stand in runs.csv, which is attached, and in the page" in text
    assert "Appendix" not in text


def test_only_whole_tables_are_boxed():
    assert scrollable("<p><table a><tr></table></p>") == '<p><div class="table"><table a><tr></table></div></p>'
