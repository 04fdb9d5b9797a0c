"""Figures 4 to 6 in the report, where the study has the data, and nowhere else."""

import base64
import re

import pandas as pd
import pytest
from pypdf import PdfReader

from hyperbudget.report import build
from hyperbudget.report.figures import render_figures
from hyperbudget.report.inside import inside
from hyperbudget.study.metrics import BPC, ERROR
from tests.report.frames import cells, demo, mixed, moving
from tests.report.test_build import Page, words

DRAWN = {"learning", "weight_changes", "saturation"}


def page_of(made, folder):
    (path,) = build(made, folder, "html")
    return path.read_text()


def drawn(made):
    return {name for name, figure in render_figures(made, themed=True).items() if figure and name in DRAWN}


def test_the_page_has_them_and_says_what_they_are(tmp_path):
    page = page_of(moving(), tmp_path)
    parsed = Page(page)
    assert not parsed.stack
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {"learning", "inside"} <= set(ids)
    assert all(attrs["href"][1:] in ids for attrs in parsed.all("a") if attrs["href"].startswith("#"))
    assert len(parsed.all("svg")) == 6
    assert all(len(text) > 60 for text in re.findall(r"<desc[^>]*>([^<]*)</desc>", page))
    read = words(page)
    for expected in (
        "of each family the best configuration by validation, the mean over its seeds; the pale lines are the seeds.",
        "fewest validation bits per character among those with such a cell (hyper_lstm hidden size 400 Nz",
        "validation 1.2",
        "dh, which scales Wh",
        "|φ| &gt; 0.9",
        "the norm of the change of a gate’s weights is on average i ",
        "of all φ(c) beyond 0.9 on either side.",
        "bpc at step 20,000.",
    ):
        assert expected in read, expected


def test_the_pdf_has_them(tmp_path):
    (path,) = build(moving(), tmp_path, "pdf")
    printed = " ".join(page.extract_text() for page in PdfReader(path).pages)
    for expected in ("How they learn", "Inside the cells", "saturated beyond ±0.9", "norm of the change"):
        assert expected in printed, expected


@pytest.mark.parametrize("make", [cells, demo])
def test_a_study_without_such_data_has_no_such_section(make, tmp_path):
    assert drawn(make()) == set()
    page = page_of(make(), tmp_path)
    assert "How they learn" not in page
    assert "Inside the cells" not in page


def test_images_have_learning_curves_in_the_frame_and_not_in_the_report():
    assert inside(demo(), ERROR).curves == []
    assert len(inside(moving(), BPC).curves) == 3


def test_each_of_them_stands_alone(tmp_path):
    made = moving()
    plain = made[made["model.family"] != "hyper_lstm"].copy()
    plain.attrs = made.attrs
    assert drawn(plain) == {"learning", "saturation"}
    page = page_of(plain, tmp_path)
    assert "Inside the cells" in page
    assert "Where the small cell changes" not in page
    without = made.drop(columns=["dynamics.phi"])
    without.attrs = made.attrs
    assert drawn(without) == {"learning", "weight_changes"}
    assert "tanh in h" not in words(page_of(without, tmp_path))


def test_a_part_of_several_tasks_has_its_own(tmp_path):
    made = mixed()
    both = pd.concat([made[made["task"] != "ptb"], moving()], ignore_index=True)
    both.attrs = made.attrs
    page = page_of(both, tmp_path)
    assert "How they learn on ptb" in page
    assert "Inside the cells on ptb" in page
    assert "How they learn on mnist" not in page


def test_the_table_of_runs_has_no_lists(tmp_path):
    page = page_of(moving(), tmp_path)
    text = base64.b64decode(re.search(r"base64,([\w+/=]+)", page)[1]).decode()
    assert "dynamics" not in text.splitlines()[0]
    assert len(text.splitlines()) == len(moving()) + 1


def test_the_same_bytes_twice(tmp_path):
    assert page_of(moving(), tmp_path / "a") == page_of(moving(), tmp_path / "b")
