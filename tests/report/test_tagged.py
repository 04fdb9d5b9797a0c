"""The PDF for readers who hear it: its tag tree, as pypdf reads it."""

import io
import re

import pydyf
import pytest
from pypdf import PdfReader

from hyperbudget.report import build
from hyperbudget.report.headers import complete_headers
from tests.report.frames import frame, moving, row, sharing_nets

MAKERS = {"cells": moving, "nets": sharing_nets}


def children(element):
    """Elements of the tag tree."""
    inside = element.get("/K", [])
    inside = inside.get_object()
    found = [each.get_object() for each in (inside if isinstance(inside, list) else [inside])]
    return [each for each in found if hasattr(each, "get") and "/S" in each]


def tagged(element, tag):
    found = [element] if element.get("/S") == f"/{tag}" else []
    return found + [each for child in children(element) for each in tagged(child, tag)]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(the page as text, the PDF) by name."""
    made = {}
    for name, make in MAKERS.items():
        page, pdf = build(make(), tmp_path_factory.mktemp(name))
        made[name] = page.read_text(), PdfReader(io.BytesIO(pdf.read_bytes()))
    return made


@pytest.fixture(params=MAKERS)
def pair(request, built):
    return built[request.param]


def tree(reader):
    (document,) = reader.trailer["/Root"]["/StructTreeRoot"]["/K"]
    return document.get_object()


def test_it_is_marked_and_says_its_language_and_title(pair):
    page, reader = pair
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 (pypdf's own boolean)
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712
    assert reader.metadata.title == re.search("<title>(.*?)</title>", page).group(1)


def test_its_bookmarks_are_its_headings(pair):
    def titles(outline):
        return [title for each in outline for title in (titles(each) if isinstance(each, list) else [each["/Title"]])]

    page, reader = pair
    headings = re.findall(r"<h2 id[^>]*>(.*?)</h2>", page)
    assert len(headings) >= 5
    found = titles(reader.outline)
    assert set(headings) <= set(found)
    assert reader.metadata.title.replace("_", "") in "".join(found).replace("_", "")
    assert [len(tagged(tree(reader), tag)) for tag in ("H1", "H2")] == [1, len(headings)]


def test_every_figure_has_an_alt_text_that_says_what_it_finds(pair):
    page, reader = pair
    alts = [str(figure.get("/Alt", "")) for figure in tagged(tree(reader), "Figure")]
    svgs = re.findall(r"<svg.*?</desc>", page, flags=re.DOTALL)
    assert len(alts) == len(svgs) >= 3
    for alt in alts:
        title, _, finds = alt.partition(". ")
        assert title
        assert len(finds) > 40, alt
    for svg in svgs:
        title = re.search("<title[^>]*>(.*?)</title>", svg).group(1)
        assert any(alt.startswith(title.replace("&#x27;", "'")) for alt in alts), title


def test_every_cell_of_a_table_has_its_headings(pair):
    _, reader = pair
    tables = tagged(tree(reader), "Table")
    assert len(tables) >= 4
    for table in tables:
        (head,) = tagged(table, "THead")
        columns = {each["/ID"] for each in tagged(head, "TH")}
        beside = {each["/ID"] for body in tagged(table, "TBody") for each in tagged(body, "TH")}
        assert columns
        assert beside
        assert not tagged(head, "TD")
        assert not columns & beside
        for body in tagged(table, "TBody"):
            for line in tagged(body, "TR"):
                (own,) = [each["/ID"] for each in tagged(line, "TH")]
                for cell in tagged(line, "TD"):
                    headings = set(cell["/A"]["/Headers"])
                    assert headings & beside == {own}
                    assert len(headings & columns) == 1


def test_a_thin_study_is_tagged_too(tmp_path):
    _, pdf = build(frame([row("free", 900, 0, 0.05)]), tmp_path)
    reader = PdfReader(io.BytesIO(pdf.read_bytes()))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] == True  # noqa: E712
    assert all(str(figure["/Alt"]) for figure in tagged(tree(reader), "Figure"))


def test_headings_of_several_columns_and_rows():
    pdf = pydyf.PDF()

    def add(tag, *kids, **attributes):
        element = pydyf.Dictionary({"S": f"/{tag}", "K": pydyf.Array([kid.reference for kid in kids])} | attributes)
        pdf.add_object(element)
        return element

    def cell(tag, name, **spans):
        kind = {"ID": name} if tag == "TH" else {}
        return add(tag, A=pydyf.Dictionary(spans), **kind)

    head = add("THead", add("TR", cell("TH", "group", RowSpan=2), cell("TH", "both", ColSpan=2)),
               add("TR", cell("TH", "left"), cell("TH", "right")))  # fmt: skip
    cells = [[cell("TD", "") for _ in range(2)] for _ in range(2)]
    wide = cell("TD", "", ColSpan=3)
    body = add("TBody", add("TR", cell("TH", "one", RowSpan=2), *cells[0]), add("TR", *cells[1]), add("TR", wide))
    add("Table", head, body)
    complete_headers(None, pdf)
    assert [list(each["A"]["Headers"]) for each in cells[0]] == [["one", "both", "left"], ["one", "both", "right"]]
    assert [list(each["A"]["Headers"]) for each in cells[1]] == [["both", "left"], ["both", "right"]]
    assert list(wide["A"]["Headers"]) == ["group", "both", "left", "right"]
