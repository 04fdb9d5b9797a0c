"""What a study's end writes into MLflow: found again by those who look there."""

import math

import mlflow
import mlflow.pytorch
import pytest
import torch
from mlflow import MlflowClient

from hyperbudget.analyze.intervals import mean_interval
from hyperbudget.data.load import load, shape
from hyperbudget.errors import UserError
from hyperbudget.nn.build import build
from hyperbudget.nn.export import Metadata, write_export
from hyperbudget.nn.export.served import Served
from hyperbudget.study.folder import Stores, read_json, write_json
from hyperbudget.study.results.collect import collect
from hyperbudget.study.results.finished import find_run
from hyperbudget.summary import summarise
from hyperbudget.train.spec import RunSpec
from tests.study.support import TINY, recorded

TEXT = TINY + "report: {budgets: [800, 2000], baseline: free}\n"


class Summed:
    """A study that ran, with networks as they are before training, and its summary."""

    def __init__(self, bench, *overrides):
        self.bench = bench
        self.said = []
        self.bench.run()
        for name in {run.path.name for run in bench.folder.all_runs()}:
            folder = bench.folder.run(name)
            fields = read_json(folder.spec)
            fields.pop("run")
            spec = RunSpec.from_fields(fields)
            torch.manual_seed(int(name[:8], 16))
            net = build(spec.model, **shape(spec.task)).eval()
            about = Metadata("compact", spec.model.fields(), **shape(spec.task), task=spec.task, run=name)
            write_export(net, about, folder.model)
        Stores("sqlite:///unused", bench.tracking).write(bench.folder)
        write_json(bench.folder.call, {"command": "hyperbudget run it", "file": "it.yaml", "refused": 0})
        self.client = MlflowClient(bench.tracking)
        self.experiment = self.client.get_experiment_by_name(bench.study.name).experiment_id

    def sum_up(self):
        collect(self.bench.study.path)
        summarise(self.bench.folder, self.said.append)
        return self

    def search(self, where):
        return self.client.search_runs([self.experiment], where)

    @property
    def name(self):
        return self.bench.study.name


@pytest.fixture
def summed(bench, monkeypatch):
    made = bench(TEXT)
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(made.folder.path.parent))
    return Summed(made)


def test_all_of_it(summed):
    """One study, as making another takes seconds: tags, intervals, summary, note, and the same again."""
    summed.sum_up()
    parents, children = recorded(summed.bench.tracking, summed.name)
    means = {}
    for parent in parents:
        own = [c for c in children if c.data.tags["mlflow.parentRunId"] == parent.info.run_id]
        errors = [c.data.metrics["validation_error"] for c in own]
        interval = mean_interval(errors, 1 / 300)
        metrics = parent.data.metrics
        assert metrics["seeds"] == 2
        assert metrics["validation_error.mean"] == pytest.approx(math.exp(sum(map(math.log, errors)) / 2))
        assert metrics["validation_error.low"] == pytest.approx(interval.low)
        assert metrics["validation_error.high"] == pytest.approx(interval.high)
        assert metrics["test_error.low"] < metrics["test_error.mean"] < metrics["test_error.high"]
        means[parent.info.run_id] = metrics["params.learnable"], metrics["validation_error.mean"]
    front = {
        run_id for run_id, (size, error) in means.items()
        if not any(other[0] <= size and other[1] < error for other in means.values())
    }  # fmt: skip
    tagged = {run.info.run_id for run in summed.search("tags.front = 'true'")}
    assert tagged & set(means) == front
    assert len(tagged) == 3 * len(front)  # with two seeds each
    small = summed.search("tags.budget_band = '<= 800' and tags.family = 'free' and tags.status = 'finished'")
    assert all(run.data.metrics["params.learnable"] <= 800 for run in small)

    (summary,) = summed.search("tags.`hyperbudget.summary` != ''")
    files = {file.path for file in summed.client.list_artifacts(summary.info.run_id)}
    assert files == {"report.html", "trade-off.png", "trade-off.svg", "configurations.csv"}
    note = summed.client.get_experiment(summed.experiment).tags["mlflow.note.content"]
    assert note.startswith("**Does it survive?**")
    assert note.count("\n| ") == 2 + len(front)
    assert f"![trade-off](get-artifact?path=trade-off.png&run_uuid={summary.info.run_id})" in note
    assert summary.data.tags["mlflow.note.content"] == note

    before = everything(summed)
    summed.sum_up()
    assert everything(summed) == before
    assert summed.said == []


def test_the_front_moves_on(summed):
    """A tag of an earlier front is taken away."""
    summed.sum_up()
    parents, _ = recorded(summed.bench.tracking, summed.name)
    beaten = next(run for run in parents if "front" not in run.data.tags)
    summed.client.set_tag(beaten.info.run_id, "front", "true")
    (summary,) = summed.search("tags.`hyperbudget.summary` != ''")
    summed.client.set_tag(summary.info.run_id, "hyperbudget.frame", "of another frame")
    summed.sum_up()
    assert "front" not in summed.client.get_run(beaten.info.run_id).data.tags
    assert len(summed.search("tags.`hyperbudget.summary` != ''")) == 1


def test_the_best_model_of_each_budget_loads_and_predicts(summed, monkeypatch):
    summed.sum_up()
    registered = summed.client.get_registered_model(summed.name)
    assert set(registered.aliases) <= {"upto-800", "upto-2000"}
    assert registered.aliases
    mlflow.set_tracking_uri(summed.bench.tracking)
    images = load("digits").test_images[:20]
    _, children = recorded(summed.bench.tracking, summed.name)
    for alias in registered.aliases:
        version = summed.client.get_model_version_by_alias(summed.name, alias)
        budget = int(alias.removeprefix("upto-"))
        within = [run for run in children if run.data.metrics["params.learnable"] <= budget]
        own = next(run for run in within if run.data.tags["hyperbudget.run"] == version.tags["hyperbudget.run"])
        siblings = [run for run in within if run.data.tags["mlflow.parentRunId"] == own.data.tags["mlflow.parentRunId"]]
        assert own.data.metrics["validation_error"] == min(run.data.metrics["validation_error"] for run in siblings)

        uri = f"models:/{summed.name}@{alias}"
        loaded = mlflow.pytorch.load_model(uri)
        assert not isinstance(loaded, Served)  # a graph, that is read without this package
        model, _ = find_run(str(summed.bench.folder.run(version.tags["hyperbudget.run"]).path)).load()
        with torch.no_grad():
            torch.testing.assert_close(loaded(images), model(images))
        signature = mlflow.models.get_model_info(uri).signature
        assert signature.inputs.inputs[0].shape == (-1, 1, 8, 8)
        assert signature.outputs.inputs[0].shape == (-1, 10)


def test_models_whose_files_are_gone_are_named(summed):
    for run in summed.bench.folder.all_runs():
        run.model.unlink()
    summed.sum_up()
    assert summed.said
    assert "cannot be read" in summed.said[0]


def test_a_store_that_is_down_is_said_in_one_line(summed, monkeypatch):
    def refuse(*_, **__):
        raise mlflow.MlflowException("API request to http://me:s3cret@h failed")

    collect(summed.bench.study.path)
    monkeypatch.setattr(MlflowClient, "log_artifacts", refuse)
    with pytest.raises(UserError) as caught:
        summarise(summed.bench.folder, summed.said.append)
    assert "the summary in MLflow (sqlite:" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def everything(summed):
    return {
        run.info.run_id: (dict(run.data.metrics), dict(run.data.tags), run.info.status, run.info.end_time)
        for run in summed.search("")
    }
