"""How networks learn, and figures 4 to 6, in the report, where the study has the data, and nowhere else."""

import base64
import re

import pandas as pd
from pypdf import PdfReader

from hyperbudget.analyze import analyze
from hyperbudget.report import build
from hyperbudget.report.figures import draw_figures
from hyperbudget.report.inside import inside
from hyperbudget.study.results.metrics import BPC, ERROR
from tests.report.frames import cells, demo, mixed, moving
from tests.report.test_build import Page, words

DRAWN = {"learning", "costs", "weight_changes", "spread", "saturation"}


def page_of(made, folder):
    (path,) = build(made, folder, "html")
    return path.read_text()


def drawn(made):
    analysis = analyze(made)
    figures = draw_figures(made, analysis, inside(made, analysis.metric))
    return {name for name, figure in figures.items() if figure and name in DRAWN}


def test_the_page_has_them_and_says_what_they_are(tmp_path):
    page = page_of(moving(), tmp_path)
    parsed = Page(page)
    assert not parsed.stack
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {"learning", "inside"} <= set(ids)
    assert all(attrs["href"][1:] in ids for attrs in parsed.all("a") if attrs["href"].startswith("#"))
    assert len(parsed.all("svg")) == 8
    assert all(len(text) > 60 for text in re.findall(r"<desc[^>]*>([^<]*)</desc>", page))
    read = words(page)
    for expected in (
        "of each family the best configuration by validation, the mean over its seeds; the pale lines are the seeds.",
        "fewest validation bits per character among those with such a cell (HyperLSTM hidden size 400 Nz",
        "validation 1.2",
        "HyperLSTM, standard deviation of d_h by gate: i 0.",
        "full marks are means over its seeds, pale dots the seeds.",
        "time, a run’s whole time spread evenly over its steps.",
        "Characters a second",
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


def test_a_study_without_such_data_has_no_such_section(tmp_path):
    assert drawn(cells()) == set()
    page = page_of(cells(), tmp_path)
    assert "How they learn" not in page
    assert "Inside the cells" not in page


def test_images_learn_and_have_no_cells(tmp_path):
    assert drawn(demo()) == {"learning", "costs"}
    assert len(inside(demo(), ERROR).curves) == len(inside(moving(), BPC).curves) == 3
    page = page_of(demo(), tmp_path)
    assert "Images a second" in page
    assert "Inside the cells" not in page


def test_measured_times_and_counted_operations_are_said_to_be(tmp_path):
    made = demo()
    made["curve.seconds"] = [[1.5, 3.0]] * len(made)
    made["flops.step"] = 2_000_000_000
    read = words(page_of(made, tmp_path))
    for expected in (
        "time, evaluations included; floating-point operations of the products, forward and backward",
        "Operations a step", "2G", "800G", "267G", "after 3 s and 400G operations.",
    ):  # fmt: skip
        assert expected in read, expected


def test_each_of_them_stands_alone(tmp_path):
    made = moving()
    plain = made[made["model.family"] != "hyper_lstm"].copy()
    plain.attrs = made.attrs
    assert drawn(plain) == {"learning", "costs", "saturation"}
    page = page_of(plain, tmp_path)
    assert "Inside the cells" in page
    assert "Where the small cell changes" not in page
    without = made.drop(columns=["dynamics.phi"])
    without.attrs = made.attrs
    assert drawn(without) == {"learning", "costs", "weight_changes", "spread"}
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
