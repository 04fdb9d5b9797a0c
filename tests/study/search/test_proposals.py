"""What comes first, and what comes once."""

import optuna
import pytest
from optuna.trial import TrialState

from hyperbudget.errors import UserError
from hyperbudget.study.search import space
from hyperbudget.study.search.proposals import Grid
from tests.study.support import TINY, Death, die_at, tiny

FIRST = "search.include=[{family: hyper, width: 8}, {family: free, width: 8}]"

SAMPLED = """
question: Which width and rate?
task: digits
model: {network: resnet, family: {choice: [free, hyper]}, width: {grid: [4, 8, 12, 16]}, basic_in: 4, basic_out: 4,
        embedding_size: {between: [1, 12]}}
training: {steps: 10, learning_rate: {between: [1e-4, 1e-1], log: true}}
search: {sampler: random, trials: 5, seeds: [0], include: [
  {family: free, width: 16, learning_rate: 1e-3},
  {family: hyper, width: 8, embedding_size: 3, learning_rate: 2e-3},
  {family: free, width: 4, learning_rate: 1e-3}]}
budget: {params: {max: 900}}
"""
"""The first included configuration is over the budget."""


def points(bench):
    """Of the trials that began."""
    return [trial.user_attrs["point"] for trial in bench.trials if "point" in trial.user_attrs]


def test_a_grid_begins_with_what_it_includes(bench):
    bench = bench(TINY, FIRST, tracked=False)
    bench.pool.workers = 1
    assert bench.run().finished == 8
    assert [(point["model.family"], point["model.width"]) for point in points(bench)] == [
        ("hyper", 8), ("free", 8), ("free", 4), ("hyper", 4),
    ]  # fmt: skip
    assert bench.run().finished == 8
    assert len(bench.trials) == 4


def test_an_iso_budget_has_what_it_includes_besides(bench):
    bench = bench(TINY, FIRST, "budget.params={at: [1362], each: 1}", tracked=False)
    outcome = bench.run()
    assert (points(bench), outcome.refused) == ([{"model.family": "free", "model.width": 8}], 1)


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2", "gp"])
def test_a_sampler_begins_with_what_is_included(bench, sampler):
    bench = bench(SAMPLED, f"search.sampler={sampler}", tracked=False)
    bench.pool.workers = 1
    assert bench.run().finished == 5
    rate = "training.learning_rate"
    assert points(bench)[:2] == [
        {"model.family": "hyper", "model.width": 8, "model.embedding_size": 3, rate: 0.002},
        {"model.family": "free", "model.width": 4, rate: 0.001},
    ]
    assert bench.trials[0].params == {"model.family": "free", "model.width": 16, rate: 0.001}
    assert "refused" in bench.trials[0].user_attrs
    count = len(bench.trials)
    assert bench.run().finished == 5  # nothing more, and nothing again
    assert len(bench.trials) == count


def test_a_later_file_includes_more(bench):
    bench = bench(SAMPLED, tracked=False)
    bench.run()
    more = SAMPLED.replace("include: [", "include: [{family: free, width: 8, learning_rate: 3e-3},")
    bench.study = tiny(bench.folder.path.parent, "budget=", text=more, name=bench.study.name)
    bench.study = tiny(bench.folder.path.parent, text=more, name=bench.study.name)
    refused = bench.run().refused
    assert sum(trial.params.get("training.learning_rate") == 3e-3 for trial in bench.trials) == 1
    assert bench.run().refused == refused


@pytest.mark.parametrize("moment", [1, 2, 4, 7, 9, 11])
def test_a_sampler_that_dies_is_resumed(bench, monkeypatch, moment):
    text = SAMPLED.replace("trials: 5", "trials: 3")
    bench = bench(text, tracked=False)
    with monkeypatch.context() as patch:
        die_at(patch, moment)
        with pytest.raises(Death):
            bench.run()
    assert bench.run().finished == 3
    assert set(bench.pool.trained.values()) == {1}
    assert len(points(bench)) == 3
    included = {0.001, 0.002}
    assert included <= {trial.params.get("training.learning_rate") for trial in bench.trials}
    assert "RUNNING" not in bench.states()


ENDS = [(TrialState.COMPLETE, [0.25, 700.0]), (TrialState.PRUNED, None), (TrialState.FAIL, None)]


@pytest.mark.parametrize("scheme", ["sqlite:///", "journal:"])
def test_what_a_grid_tells_is_what_optuna_would_have(tmp_path, scheme):
    """It calls the storage by itself."""
    study = tiny(tmp_path, "model.width={grid: [4, 8, 12]}")
    trials = space.open_study(study, f"{scheme}{tmp_path / 'optuna'}")
    grid = Grid(study, trials, {})
    for state, values in ENDS:
        ours, theirs = grid.next()[0], grid.next()[0]
        grid.tell(ours, state, values)
        grid.tell(ours, TrialState.FAIL)  # it stays as it is
        trials.tell(theirs, values, state)
        told, known = trials.trials[ours], trials.trials[theirs]
        assert (told.state, told.values, told.datetime_complete is None) == (known.state, known.values, False)
        assert told.state == state
    with pytest.raises(KeyError):
        grid.tell(99, TrialState.FAIL)


UNBUILDABLE = """
question: Which rates?
task: digits
model: {network: resnet, family: free, width: {between: [2, 6]}}
training: {steps: 40, warmup: {choice: [0, 50]}, learning_rate: {between: [1e-4, 1e-1], log: true}}
search: {sampler: gp, trials: 14, seeds: [0]}
"""
"""Half of it cannot be built, and no budget refuses anything."""


@pytest.mark.parametrize("objectives", ["[validation_error]", "[validation_error, learnable_parameters]"])
def test_gaussian_processes_learn_what_cannot_be_built(bench, objectives):
    bench = bench(UNBUILDABLE, f"objectives={objectives}", tracked=False)
    outcome = bench.run()
    assert outcome.finished == 14
    assert outcome.refused > 0
    assert all(len(trial.constraints) == 1 for trial in bench.trials)


def test_a_sampler_that_the_installed_optuna_does_not_have(bench, monkeypatch):
    bench = bench(UNBUILDABLE, tracked=False)
    monkeypatch.delattr(optuna.samplers, "GPSampler")
    with pytest.raises(UserError, match=r"study-\d+.yaml:6: search.sampler: gp is not to be had from the installed"):
        bench.run()


def test_a_refused_text_model_is_told_worse_than_any_trained_one(tmp_path):
    text = "question: q\ntask: pydocs\nmodel: {network: language_model, family: lstm}\n"
    assert space.worst(tiny(tmp_path, text=text)) == 8
    assert space.worst(tiny(tmp_path)) == 1
