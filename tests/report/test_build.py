import dataclasses
import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from pypdf import PdfReader

from hyperbudget.analyze import PaperMatch, analyze
from hyperbudget.budget.paper import PaperRow
from hyperbudget.errors import UserError
from hyperbudget.report import build
from hyperbudget.report.tables import tables
from tests.report.frames import cells, demo, frame, mixed, mnist, row

SINGLE = [row(f, 900, 0, 0.05) for f in ("free", "hyper")]
STUDIES = {
    "empty": frame([]),
    "all failed": frame([row("free", 9, seed, None, status="failed", reason="killed\ntrace") for seed in range(3)]),
    "one run": frame([row("free", 900, 0, 0.05)]),
    "one family": frame([row("hyper", 900 + i, seed, 0.05 / i, label=f"hyper {i}") for i in (1, 2) for seed in (0, 1)]),
    "single seed": frame(SINGLE),
    "no baseline": frame(SINGLE, baseline="lstm"),
}


class Page(HTMLParser):
    """Collects the tags, the attributes and the stack, to check that a page is well formed."""

    VOID = frozenset({"meta", "link", "br", "img", "hr", "input"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.stack = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    (path,) = build(demo(), tmp_path_factory.mktemp("demo"), "html")
    return path.read_text()


def test_page_asks_for_nothing(page):
    for tag, attrs in Page(page).tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "poster", "action"):
            assert (attrs.get(name) or "#").startswith(("#", "data:")), (tag, attrs)
    assert not re.search(r"url\(\s*['\"]?(?!#)", page)
    assert "@import" not in page
    assert not re.search("fetch|XMLHttpRequest|import\\(|https?:", re.sub("http://www.w3.org/\\S*", "", page))


def test_page_is_well_formed_and_labelled(page):
    parsed = Page(page)
    assert not parsed.stack
    assert parsed.all("html")[0]["lang"] == "en"
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in (attrs for _, attrs in parsed.tags):
        for reference in (attrs.get("aria-labelledby") or "").split():
            assert reference in ids
    assert all(attrs["href"][1:] in ids for attrs in parsed.all("a") if attrs["href"].startswith("#"))
    figures = parsed.all("svg")
    assert len(figures) == 7
    assert all(attrs["role"] == "img" for attrs in figures)
    descriptions = re.findall(r"<desc[^>]*>([^<]*)</desc>", page)
    assert len(descriptions) == 7
    assert all(len(text) > 60 for text in descriptions)
    assert "along its front of" in descriptions[0]
    assert all(attrs.get("scope") in ("col", "row", "rowgroup") for attrs in parsed.all("th"))
    assert next(tag for tag, _ in parsed.tags if re.fullmatch("h[1-6]", tag)) == "h1"
    assert "prefers-color-scheme: dark" in page


def test_long_table_is_not_cut_in_silence(page):
    assert "All 84 configurations" in page
    assert page.count('scope="row" class="label"') > 84


def test_what_a_user_wrote_is_escaped(tmp_path):
    evil = "<script>alert(1)</script> & so?"
    made = frame(SINGLE, question=evil, yaml=evil, command=evil)
    made["label"] = [f"{evil} {i}" for i in range(len(made))]
    (path,) = build(made, tmp_path, "html")
    text = path.read_text()
    assert text.count("<script") == 1, "the page's own"
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; so?" in text


def test_the_same_bytes_twice(tmp_path):
    first, second = build(mnist(), tmp_path / "a"), build(mnist(), tmp_path / "b")
    assert [path.name for path in first] == ["report.html", "report.pdf"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_pdf_has_the_question_and_page_numbers(tmp_path):
    (path,) = build(mnist(), tmp_path, "pdf")
    reader = PdfReader(io.BytesIO(path.read_bytes()))
    texts = [page.extract_text() for page in reader.pages]
    assert re.search(r"What\s+does\s+N\s*z\s+buy\s+on\s+MNIST\?", texts[0])
    for number, text in enumerate(texts, start=1):
        assert f"{number} / {len(texts)}" in text
    assert reader.metadata.title == "What does N_z buy on MNIST?"
    whole = " ".join(texts)
    assert "4,244" in whole
    assert "12,544" in whole
    assert "learnable parameters" in whole, "a figure's text is text"


@pytest.mark.parametrize("name", STUDIES)
def test_thin_studies_build_a_sensible_report(name, tmp_path):
    page, pdf = build(STUDIES[name], tmp_path)
    text = page.read_text()
    assert not Page(text).stack
    assert not re.search(r"\bnan\b", words(re.sub(r"base64,[\w+/=]*", "", text)), re.IGNORECASE)
    assert len(PdfReader(pdf).pages) >= 1
    if name in ("empty", "all failed"):
        assert "has no answer" in text
        assert "<svg" not in text
    if name == "all failed":
        assert "3 of 3 runs failed: killed." in text
    if name == "single seed":
        assert "one seed" in text.lower()
        assert "95% intervals" not in text


def test_tasks_are_never_mixed(tmp_path):
    rows = [
        row(family, 900, seed, (0.05 if family == "free" else 0.03) * level, task=task, label=f"{family} {task}")
        for task, level in (("digits", 1), ("mnist", 0.2))
        for family in ("free", "hyper")
        for seed in range(3)
    ]
    page, _ = build(frame(rows), tmp_path)
    text = page.read_text()
    parsed = Page(text)
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert "The trade-off on digits" in text
    assert "The trade-off on mnist" in text
    assert "3.0% [" in text
    assert "0.60% [" in text


def words(page):
    """What a reader of the page reads, its style sheet aside, and the percent of its intervals."""
    text = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text)).replace("95%", "95 percent")


def test_bits_are_never_percent(tmp_path):
    page, pdf = build(cells(), tmp_path)
    read = words(page.read_text())
    assert "%" not in re.sub(r"\d+%(?= to| saved)", "", read), "but for shares of the parameters"
    assert "error" not in read
    for expected in (
        "has fewer test bits per character than the best LSTM",
        "Test bpc [95 percent CI] Validation, bpc",
        "has fewer validation bits per character (shaded)",
        "Bpc: bits per character.",
        "along its front of 4 from 1.247 [1.240, 1.255] bpc with 436,500 parameters",
        "HyperLSTM at 1,200,000: 0.981 [0.978, 0.985], better.",
        "Test bits per character over those of the best LSTM within the same budget",
        "× 0.970",
        "selected on validation, never on test, which is measured once a run",
    ):
        assert expected in read, expected
    printed = " ".join(page.extract_text() for page in PdfReader(pdf).pages)
    assert "test bits per character" in printed
    assert "LN-LSTM" in printed
    assert "%" not in re.sub(r"95%|\d+%(?=\s+(to|saved))", "", printed)


def test_errors_and_bits_in_one_report(tmp_path):
    (path,) = build(mixed(), tmp_path, "html")
    page = path.read_text()
    first, second = page.index('<section id="trade-off-1"'), page.index('<section id="trade-off-2"')
    images, texts = words(page[first:second]), words(page[second : page.index('<section id="sure"')])
    assert "Test error, % [95 percent CI]" in images
    assert "Against the free net" in images
    assert "bits" not in images
    assert "Test bpc [95 percent CI]" in texts
    assert "Against the LSTM" in texts
    assert not re.search("%|error", texts)
    assert "never on test, which is measured once a run" in words(page)
    assert "an error of 0 counts as half a sample" in words(page)


def test_printed_bits_stand_beside_ours():
    found = analyze(cells())
    chosen = found.configurations[0]
    row = PaperRow("Table 3", "LSTM", 4_250_000, "params.learnable", 1.312, {}, "test 1.312", precision=10_000)
    (beside,) = tables(dataclasses.replace(found, paper=[PaperMatch(row, chosen, 1)]))["paper"]
    assert (beside["printed"], beside["ours"], beside["where"]) == ("1.312", "1.234", "below")


def test_missing_native_libraries_say_what_to_do(tmp_path, monkeypatch):
    def missing(page, attached):
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr("hyperbudget.report.pdf.to_pdf", missing)
    with pytest.raises(UserError, match=r"libpango.*apt install.*report\.html was written"):
        build(frame(SINGLE), tmp_path)
    assert (tmp_path / "report.html").is_file()


def test_no_training_code_is_imported():
    code = (
        "import sys; sys.path.insert(0, '.'); from tests.report.frames import demo; from pathlib import Path;"
        "import tempfile; from hyperbudget.report import build; build(demo(2), Path(tempfile.mkdtemp()));"
        "bad = {'torch', 'ray', 'mlflow'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=__file__.rpartition("/tests/")[0])
