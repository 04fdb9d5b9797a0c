"""What a language model does, from the real worker through MLflow into the frame."""

import json

import pytest

from hyperbudget.nn.cells import PHI_BINS
from hyperbudget.report import build
from hyperbudget.study.folder import RunFolder, write_json
from hyperbudget.study.results import frame
from hyperbudget.study.results.collect import collect
from hyperbudget.study.workers.execute import execute
from hyperbudget.train.dynamics import STEPS, WARMUP
from tests.study.support import numbers, results

TEXT = """
question: What do they do?
task: pydocs
model:
  network: language_model
  family: {grid: [lstm, hyper_lstm, rnn]}
  hidden_size: 8
  hyper_size: 4
  embedding_size: 2
training: {steps: 4, batch_size: 4, length: 20, evaluate_every: 4, evaluation_rows: 500}
search: {seeds: [0]}
"""


@pytest.fixture
def trained(bench, monkeypatch):
    """A bench whose three runs were trained by the worker itself."""
    bench = bench(TEXT)
    bench.pool.execute = execute
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(bench.folder.path.parent))
    bench.run()
    write_json(bench.folder.stores, {"storage": "sqlite:///unused", "tracking": bench.tracking})
    return bench


def test_the_frame_has_what_the_worker_stored(trained):
    table = frame.read(collect(trained.study.path)).set_index("run")
    stored = results(trained.folder)
    assert len(stored) == 3
    for name, result in stored.items():
        for key, value in result["dynamics"].items():
            found = table.loc[name, f"dynamics.{key}"]
            assert (list(found) if isinstance(value, list) else found) == value
    lstm, hyper, rnn = (table[table["model.family"] == family].iloc[0] for family in ("lstm", "hyper_lstm", "rnn"))
    assert len(hyper["dynamics.change.o"]) == len(hyper["dynamics.symbols"]) == STEPS - WARMUP
    assert len(hyper["dynamics.spread.x"]) == 4
    assert len(lstm["dynamics.phi"]) == PHI_BINS
    assert lstm["dynamics.change.o"] is None
    assert rnn.filter(like="dynamics.").isna().all()


def test_and_the_report_shows_it(trained, tmp_path):
    (path,) = build(frame.read(collect(trained.study.path)), tmp_path, "html")
    page = path.read_text()
    assert "Where the small cell changes the weights of the main one" in page
    assert "Where φ(c) lies" in page
    assert "among those with such a cell (HyperLSTM" in page
    assert "How they learn" not in page, "one evaluation is no curve"


def test_a_study_without_any_has_no_such_columns(bench, monkeypatch):
    bench = bench(TEXT)

    def older(job):
        result = execute(job)
        del result["dynamics"]
        write_json(RunFolder(job.folder).result, result)
        return result

    bench.pool.execute = older
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(bench.folder.path.parent))
    bench.run()
    write_json(bench.folder.stores, {"storage": "sqlite:///unused", "tracking": bench.tracking})
    table = frame.read(collect(bench.study.path))
    assert len(table) == 3
    assert not [name for name in table.columns if name.startswith("dynamics.")]


def test_a_runs_numbers_are_those_without_it(bench, monkeypatch):
    """The same runs again, with dynamics that draw from torch's global generator as no honest ones would."""
    import torch

    from hyperbudget.train.text import TextProblem

    def trained(made):
        made.pool.execute = execute
        made.run()
        return {name: numbers(result) for name, result in results(made.folder).items()}

    first = trained(bench(TEXT))
    monkeypatch.setattr(TextProblem, "dynamics", lambda self: {"saturated": float(torch.rand(()))})
    assert json.dumps(trained(bench(TEXT))) == json.dumps(first)
