import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader

from hyperbudget.errors import UserError
from hyperbudget.report.compare import PRINTED, build_comparison
from tests.analyze.test_compare import study
from tests.report.frames import cells, frame, mixed, mnist, row
from tests.report.test_build import Page, words


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    frames = {"old": study(noise=1), "new <b>": study(noise=2, factor=0.8, widths=(8, 16, 32))}
    return build_comparison(frames, tmp_path_factory.mktemp("both")).files


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
        "1 configuration finished in old and not in new &lt;b&gt;.",
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
    first, second = (build_comparison(frames, tmp_path / name).files for name in "xy")
    assert [path.name for path in first] == ["comparison.html", "comparison.pdf"]
    assert [one.read_bytes() for one in first] == [other.read_bytes() for other in second]


def test_bits_are_never_percent(tmp_path):
    other = cells()
    other["test_error"] *= 1.01
    ((page,), left_out) = build_comparison({"a": cells(), "b": other}, tmp_path, "html")
    assert left_out == []
    read = words(page.read_text()).replace("5%", "").replace("95 percent", "")
    assert "the test bits per character of b are × 1.0100" in read
    assert "%" not in read


def test_tasks_are_compared_one_by_one(tmp_path):
    ((page,), left_out) = build_comparison({"a": mixed(), "b": mixed()}, tmp_path, "html")
    text = page.read_text()
    assert "The trade-offs on mnist" in text
    assert "The trade-offs on ptb" in text
    assert not Page(text).stack
    assert left_out == []


def test_what_is_left_out_is_said(tmp_path):
    ((page,), left_out) = build_comparison({"a": mixed(), "b": cells()}, tmp_path, "html")
    assert "on mnist" not in page.read_text()
    assert left_out == ["Left out: mnist of a, 11 configurations and 33 runs, as no other study has a run of it."]
    assert left_out[0] in words(page.read_text())


def test_what_changed_besides_the_errors(tmp_path):
    other = study(noise=2, widths=(8, 16, 24, 32))
    other.loc[0, ["status", "reason", "test_error", "validation_error"]] = ["failed", "diverged", np.nan, np.nan]
    other.loc[other["model.width"] == 16, "params.learnable"] += 7
    ((page,), left_out) = build_comparison({"a": study(seeds=(0, 1, 2, 3)), "b": other}, tmp_path, "html")
    read = " ".join(re.sub(r"<[^>]+>|&nbsp;", " ", page.read_text()).split())
    for expected in (
        "1 run finished in a and failed in b.",
        "1 configuration has other parameter counts in b than in a.",
        "Runs that ended otherwise", "width 8 0 finished failed diverged", "width 24 3 finished no run –",
        "Parameters that are counted otherwise", "width 16 1,600 1,607 –",
        "Speed", "free kernels 3 7.50 7.50 – – 1.00 1.00 to 1.00",
        "settings width 8, 16, 24 8, 16, 24, 32",
    ):  # fmt: skip
        assert expected in read, expected
    assert left_out == [
        "3 finished runs of a (seed 3) have no counterpart: b has the configurations, not the seed.",
        "1 configuration finished in b and not in a.",
    ]


def test_colours_stay_with_the_studies(tmp_path):
    first = mixed()
    ((page,), _) = build_comparison({"a": first, "b": cells(), "c": mnist()}, tmp_path, "html")
    read = page.read_text()
    assert read.count("009e73)" if "009e73)" in read else "009e73") > 3
    shared = re.search(r'<section id="shared-1".*?</section>', read, flags=re.DOTALL)[0]
    assert "d55e00" not in shared.lower(), "the second study has no part in the first task"


def test_studies_with_nothing_in_common_or_nothing_at_all(tmp_path):
    ((page,), _) = build_comparison({"a": study(widths=(8,)), "b": study(widths=(16,))}, tmp_path, "html")
    read = words(page.read_text())
    assert "nothing is compared" in read
    assert "They have no value in common of width (8; 16)." in read
    failed = frame([row("free", 9, seed, None, status="failed", reason="killed") for seed in range(3)])
    for frames in ({"a": failed, "b": study()}, {"a": study(), "b": failed}):
        ((page,), _) = build_comparison(frames, tmp_path, "html")
        assert "failed), so nothing is compared." in words(page.read_text())
        assert page.read_text().count("<svg") == 1
    ((page, pdf), _) = build_comparison({"a": failed, "b": failed}, tmp_path)
    assert "(all 3 runs of a failed) (all 3 runs of b failed), so nothing is compared." in words(page.read_text())
    assert "<svg" not in page.read_text()
    assert len(PdfReader(pdf).pages) >= 1


def test_paper_has_no_endless_tables(tmp_path):
    many = study(widths=range(4, 5 + PRINTED), seeds=(0,))
    ((page, pdf), _) = build_comparison({"a": many, "b": many}, tmp_path)
    assert page.read_text().count("identical</td>") == PRINTED + 1
    printed = " ".join(sheet.extract_text() for sheet in PdfReader(pdf).pages)
    assert printed.count("identical") < PRINTED
    assert f"of {PRINTED + 1}: those on a front" in " ".join(printed.split())


@pytest.mark.parametrize("number", [1, 7])
def test_too_few_and_too_many(number, tmp_path):
    with pytest.raises(UserError, match=f"^compare: takes 2 to 6 studies, and got {number}$"):
        build_comparison({str(i): study() for i in range(number)}, tmp_path)
