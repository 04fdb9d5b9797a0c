import base64
import io
import re

import pandas as pd
import pytest
from pypdf import PdfReader

from hyperbudget.errors import UserError
from hyperbudget.report.compare import PRINTED, build_comparison
from tests.analyze.test_compare import study
from tests.report.frames import cells, frame, mixed, row
from tests.report.test_build import Page, words


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    frames = {"old": study(noise=1), "new <b>": study(noise=2, factor=0.8, widths=(8, 16, 32))}
    return build_comparison(frames, tmp_path_factory.mktemp("both"))


def test_the_page_is_well_formed_and_stands_alone(both):
    page = both[0].read_text()
    parsed = Page(page)
    assert not parsed.stack
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert all(attrs["href"][1:] in ids for attrs in parsed.all("a") if attrs["href"].startswith("#"))
    assert {"studies", "trade-off", "shared", "alone-1", "provenance"} <= set(ids)
    assert page.count("<svg") == 2
    assert "<b>:" not in page, "a name is escaped"


def test_it_says_what_it_found(both):
    read = words(both[0].read_text())
    for expected in (
        "Over the 2 configurations that both have, the test error of new &lt;b&gt; is × 0.",
        "Of 2 configurations 2 differ by their own 95% interval (2 lower)".replace("95%", "95 percent"),
        "None of 6 runs of the same configuration and seed has the same numbers",
        "1 configuration finished in old only.",
        "The versions are the same.",
        "(all of the configurations here)",
        "The resolved study is that of old.",
    ):
        assert expected in read, expected


def test_runs_of_all_studies_are_inside(both):
    page, pdf = both
    text = base64.b64decode(re.search(r"base64,([\w+/=]+)", page.read_text())[1]).decode()
    inside = pd.read_csv(io.StringIO(text))
    assert inside["study"].value_counts().to_dict() == {"old": 9, "new <b>": 9}
    assert PdfReader(pdf).attachments["runs.csv"][0].decode() == text


def test_the_same_bytes_twice(tmp_path):
    frames = {"a": study(), "b": study(noise=3)}
    first, second = (build_comparison(frames, tmp_path / name) for name in "xy")
    assert [path.name for path in first] == ["comparison.html", "comparison.pdf"]
    assert [one.read_bytes() for one in first] == [other.read_bytes() for other in second]


def test_bits_are_never_percent(tmp_path):
    other = cells()
    other["test_error"] *= 1.01
    (page,) = build_comparison({"a": cells(), "b": other}, tmp_path, "html")
    read = words(page.read_text()).replace("5%", "").replace("95 percent", "")
    assert "the test bits per character of b are × 1.0100" in read
    assert "%" not in read


def test_tasks_are_compared_one_by_one(tmp_path):
    (page,) = build_comparison({"a": mixed(), "b": mixed()}, tmp_path, "html")
    text = page.read_text()
    assert "The trade-offs on mnist" in text
    assert "The trade-offs on ptb" in text
    assert not Page(text).stack
    (page,) = build_comparison({"a": mixed(), "b": cells()}, tmp_path, "html")
    assert "on mnist" not in page.read_text()


def test_studies_with_nothing_in_common_or_nothing_at_all(tmp_path):
    (page,) = build_comparison({"a": study(widths=(8,)), "b": study(widths=(16,))}, tmp_path, "html")
    assert "nothing is compared" in page.read_text()
    failed = frame([row("free", 9, seed, None, status="failed", reason="killed") for seed in range(3)])
    page, pdf = build_comparison({"a": failed, "b": failed}, tmp_path)
    assert "nothing is compared" in page.read_text()
    assert "<svg" not in page.read_text()
    assert len(PdfReader(pdf).pages) >= 1


def test_paper_has_no_endless_tables(tmp_path):
    many = study(widths=range(4, 5 + PRINTED), seeds=(0,))
    page, pdf = build_comparison({"a": many, "b": many}, tmp_path)
    assert page.read_text().count("the same numbers</td>") == PRINTED + 1
    printed = " ".join(sheet.extract_text() for sheet in PdfReader(pdf).pages)
    assert printed.count("the same numbers") < PRINTED
    assert f"of {PRINTED + 1}: those on a front" in " ".join(printed.split())


@pytest.mark.parametrize("number", [1, 7])
def test_too_few_and_too_many(number, tmp_path):
    with pytest.raises(UserError, match=f"^compare: takes 2 to 6 studies, and got {number}$"):
        build_comparison({str(i): study() for i in range(number)}, tmp_path)
