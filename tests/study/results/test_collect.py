"""The frame that comes out of MLflow keeps the contract of `study.frame`."""

import subprocess
import sys

import pandas as pd
import pytest

from hyperbudget.errors import UserError
from hyperbudget.study.folder import Stores, StudyFolder, write_json
from hyperbudget.study.results import frame
from hyperbudget.study.results.collect import _value, collect
from tests.study.support import TINY, tiny


@pytest.fixture
def finished(bench, monkeypatch):
    """A bench whose study ran, with one failed run, where the command would have put it."""
    bench = bench(TINY.replace("family: {grid: [free, hyper]}", "family: {grid: [free, hyper]}\n  depth: 4"))
    bench.pool.fail = lambda job: (
        "diverged" if (job.fields["seed"], job.fields["model"]["family"]) == (1, "free") else None
    )
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(bench.folder.path.parent))
    bench.run()
    write_json(bench.folder.stores, {"storage": "sqlite:///unused", "tracking": bench.tracking})
    write_json(bench.folder.call, {"command": "hyperbudget run it", "file": "it.yaml", "refused": 0})
    return bench


def test_one_row_a_run_with_the_columns_of_the_contract(finished):
    table = frame.read(collect(finished.study.path))
    assert len(table) == 8
    named = [line.split("``")[1] for line in frame.__doc__.splitlines() if line.startswith("``") and "``  " in line]
    columns = [name for name in named if "*" not in name and not name.endswith(".G")]
    assert {"run", "params.learnable", "curve.step"} <= set(columns)
    assert set(columns) <= set(table.columns)
    groups = ["stem", "kernels", "generator", "embeddings", "biases", "norms", "head"]
    assert (table[[f"params.{group}" for group in groups]].sum(axis=1) == table["params.learnable"]).all()
    assert table["seed"].tolist() == [0, 1] * 4
    assert table["model.depth"].tolist() == [4] * 8
    assert table.loc[table["model.family"] == "free", "model.embedding_size"].isna().all()
    assert pd.api.types.is_integer_dtype(table["params.learnable"])


def test_failed_runs_are_there_with_their_reason_and_without_results(finished):
    table = frame.read(collect(finished.study.path))
    failed = table[table["status"] == "failed"]
    assert len(failed) == 2
    assert set(failed["reason"]) == {"diverged"}
    assert failed["test_error"].isna().all()
    assert table.loc[table["status"] == "finished", "test_error"].notna().all()


def test_curves_and_attributes(finished):
    table = frame.read(collect(finished.study.path))
    row = table[table["status"] == "finished"].iloc[0]
    assert list(row["curve.step"]) == [30, 60]
    assert list(row["curve.train_loss"]) == [2.0, 1.0]
    assert list(row["curve.seconds"]) == [0.75, 1.5]
    study = table.attrs["study"]
    assert study["question"] == "Does it survive?"
    assert study["seeds"] == [0, 1]
    assert study["command"] == "hyperbudget run it"
    assert {axis["name"]: axis["values"] for axis in study["axes"]} == {
        "model.family": ["free", "hyper"], "model.width": [4, 8],
    }  # fmt: skip
    assert table.attrs["versions"]["torch"].startswith("2.")
    assert table.attrs["hardware"]["processor"] == "p"


def test_nothing_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(tmp_path / "results"))
    study = tiny(tmp_path)
    with pytest.raises(UserError, match=r"no results; begin with: hyperbudget run .*tiny.yaml"):
        collect(study.path)


@pytest.mark.parametrize(
    ("text", "value"),
    [("4", 4), ("0.01", 0.01), ("None", None), ("True", True), ("free", "free"), ("(0.5, 0.75)", [0.5, 0.75])],
)
def test_values_are_read_back_from_text(text, value):
    assert _value(text) == value


def test_stores_of_another_place_are_refused(tmp_path):
    folder = StudyFolder(tmp_path)
    write_json(folder.stores, {"storage": "sqlite:////a.db", "tracking": "http://u:secret@h"})
    assert Stores.of(folder).tracking == "http://u:secret@h"
    assert Stores.of(folder, tracking="http://other").tracking == "http://other"  # nothing is recorded yet
    (folder.runs / "a").mkdir(parents=True)
    assert Stores.of(folder, tracking="http://u:another@h").tracking == "http://u:another@h"
    with pytest.raises(UserError, match="begun with http://u:\\*\\*\\*@h") as caught:
        Stores.of(folder, tracking="http://other")
    assert "secret" not in str(caught.value)


def test_collecting_and_reporting_need_no_torch():
    code = (
        "import sys, hyperbudget.study.results.collect, hyperbudget.study.tracking.tracker, hyperbudget.report.build;"
        "print([m for m in ('torch', 'ray') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
