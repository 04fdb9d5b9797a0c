"""The engine's bookkeeping, without processes: what is recorded, and what is left after a death at any operation."""

import mlflow
import optuna
import pytest

from hyperbudget.study.folder import read_json
from hyperbudget.study.results.collect import _rows
from hyperbudget.study.status import status
from hyperbudget.study.workers.events import Done
from tests.study.support import TINY, Death, assert_status, die_at, in_step, recorded, results, statuses


def assert_complete(bench):
    """Everything there once, nothing open: in files, in Optuna, in MLflow."""
    configurations, runs = 4, 8
    assert bench.states() == {"COMPLETE": configurations}
    parents, children = recorded(bench.tracking, bench.study.name)
    assert statuses(parents) == {"FINISHED": configurations}
    assert statuses(children) == {"FINISHED": runs}
    assert len({run.data.tags["hyperbudget.run"] for run in children}) == runs
    assert len(results(bench.folder)) == runs
    client = mlflow.MlflowClient(tracking_uri=bench.tracking)
    for child in children:
        for name in ("curve.train_loss", "curve.seconds"):
            assert len(client.get_metric_history(child.info.run_id, name)) == 2
    assert set(bench.pool.trained.values()) == {1}
    assert_status(bench.folder, finished=runs, total=runs)


def test_a_grid_is_run_whole_and_recorded(bench):
    bench = bench()
    outcome = bench.run()
    assert (outcome.finished, outcome.failures, outcome.refused, outcome.stopped) == (8, [], 0, False)
    assert_complete(bench)
    _, children = recorded(bench.tracking, bench.study.name)
    for child in children:
        result = results(bench.folder)[child.data.tags["hyperbudget.run"]]
        assert child.data.metrics["validation_error"] == result["validation_error"]
        assert child.data.metrics["test_error"] == result["test_error"]
        assert child.data.params["model.family"] in ("free", "hyper")
        groups = [
            child.data.metrics[f"params.{group}"]
            for group in ("stem", "kernels", "generator", "embeddings", "norms", "head")
        ]
        assert sum(groups) == child.data.metrics["params.learnable"]
    client = mlflow.MlflowClient(tracking_uri=bench.tracking)
    history = client.get_metric_history(children[0].info.run_id, "curve.train_loss")
    assert [(point.step, point.value) for point in history] == [(30, 2.0), (60, 1.0)]


def test_optuna_is_told_the_mean_over_seeds_and_the_parameters(bench):
    bench = bench()
    bench.run()
    rows = _rows(bench.study, bench.tracking)
    for trial in bench.trials:
        errors = [row["validation_error"] for row in rows if row["trial"] == trial.number]
        learnable = {row["params.learnable"] for row in rows if row["trial"] == trial.number}
        assert trial.values == [pytest.approx(sum(errors) / 2), learnable.pop()]


def test_the_same_command_again_does_nothing(bench):
    bench = bench()
    bench.run()
    before = _rows(bench.study, bench.tracking)
    outcome = bench.run()
    assert outcome.finished == 8
    assert_complete(bench)
    assert _rows(bench.study, bench.tracking) == before


MOMENTS = [1, 3, 5, 6, 7, 9, 12, 15, 17, 20, 24, 29, 35, 42, 50, 59, 66, 71, 75]


def test_the_deaths_below_cover_a_whole_run(bench, monkeypatch):
    with monkeypatch.context() as patch:
        in_step(patch)
        count = die_at(patch, moment=-1)
        bench().run()
    assert max(MOMENTS) <= count["operations"] < 100


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_driver_that_dies_at_any_operation_is_resumed(bench, monkeypatch, moment):
    in_step(monkeypatch)
    die_and_resume(bench(), monkeypatch, moment)


@pytest.mark.parametrize("moment", MOMENTS[1:16:3])
def test_a_driver_that_dies_while_mlflow_is_behind_is_resumed(bench, monkeypatch, moment):
    die_and_resume(bench(), monkeypatch, moment)


def die_and_resume(bench, monkeypatch, moment):
    with monkeypatch.context() as patch:
        die_at(patch, moment)
        with pytest.raises(Death):
            bench.run()
    done_before = results(bench.folder)
    begun = len(list(bench.folder.all_runs()))
    assert_status(bench.folder, finished=len(done_before), open=begun - len(done_before), total=status_total(bench))
    outcome = bench.run()
    assert (outcome.finished, outcome.failures) == (8, [])
    assert_complete(bench)
    assert {name: results(bench.folder)[name] for name in done_before} == done_before


def status_total(bench):
    """What the driver said before it died; it says it first of all."""
    return read_json(bench.folder.scope)["runs"]


def test_a_failed_run_is_recorded_with_its_reason_and_the_study_goes_on(bench):
    bench = bench()
    bench.pool.fail = lambda job: "diverged: loss is nan" if job.fields["model"]["family"] == "hyper" else None
    outcome = bench.run()
    assert outcome.finished == 4
    assert [reason for _, reason in outcome.failures] == ["diverged: loss is nan"] * 4
    assert bench.states() == {"COMPLETE": 2, "FAIL": 2}
    parents, children = recorded(bench.tracking, bench.study.name)
    assert statuses(children) == {"FINISHED": 4, "FAILED": 4}
    assert statuses(parents) == {"FINISHED": 2, "FAILED": 2}
    assert_status(bench.folder, finished=4, failed=4, total=8)
    again = bench.run()  # a failure of the training is a result: it is not tried again
    assert len(again.failures) == 4
    assert set(bench.pool.trained.values()) == {1}


def test_a_machines_fault_is_tried_again_by_the_next_call(bench):
    bench = bench()
    execute = bench.pool.wait

    def faulty(timeout):
        if bench.pool.jobs:
            yield Done(bench.pool.jobs.popleft(), None, "the worker died, 3 times")

    bench.pool.wait = faulty
    assert len(bench.run().failures) == 8
    assert not results(bench.folder)
    assert_status(bench.folder, failed=8, total=8)
    assert {reason for _, reason in status(bench.folder).failures} == {
        "the worker died, 3 times; the next call tries it again"
    }
    assert bench.states() == {"RUNNING": 4}  # a sampler learns nothing from them
    bench.pool.wait = execute
    outcome = bench.run()
    assert (outcome.finished, outcome.failures) == (8, [])
    assert_status(bench.folder, finished=8, total=8)
    assert statuses(recorded(bench.tracking, bench.study.name)[1]) == {"FINISHED": 8}
    assert bench.states() == {"COMPLETE": 4}


def test_stopping_leaves_a_study_that_goes_on(bench):
    bench = bench()
    engine = bench.engine()
    bench.pool.fail = lambda job: engine.stop() if sum(bench.pool.trained.values()) == 3 else None
    outcome = engine.run()
    assert outcome.stopped
    assert outcome.finished == 3
    assert_status(bench.folder, finished=3, open=len(list(bench.folder.all_runs())) - 3, total=8)
    parents, children = recorded(bench.tracking, bench.study.name)
    assert "RUNNING" not in statuses(parents) + statuses(children)
    bench.pool.fail = lambda job: None
    assert bench.run().finished == 8
    assert_complete(bench)


def test_the_budget_refuses_before_anything_is_trained(bench):
    bench = bench(TINY, "budget.params.max=500")
    outcome = bench.run()
    parents, children = recorded(bench.tracking, bench.study.name)
    assert outcome.refused == 4 - len(parents)
    assert 0 < outcome.refused < 4
    assert all(run.data.metrics["params.learnable"] <= 500 for run in children)
    assert bench.run().refused == outcome.refused


def test_more_seeds_are_added_to_what_is_there(bench):
    first = bench()
    first.run()
    first.study = first.study.__class__(
        **{**vars_of(first.study), "search": first.study.search.model_copy(update={"seeds": (0, 1, 2)})}
    )
    outcome = first.run()
    assert outcome.finished == 12
    assert set(first.pool.trained.values()) == {1}
    assert statuses(recorded(first.tracking, first.study.name)[1]) == {"FINISHED": 12}


def vars_of(study):
    return {name: getattr(study, name) for name in study.__dataclass_fields__}


def test_budget_of_runs_stops_in_time(bench):
    outcome = (made := bench(TINY, "budget.runs=5")).run()
    assert outcome.finished == 4
    assert "budget.runs" in outcome.stopped_by
    assert sum(made.pool.trained.values()) == 4


def test_budget_of_hours_stops_in_time(bench):
    hours = 5 / 3600  # a made-up run takes 1.5 s
    outcome = (made := bench(TINY, f"budget.hours={hours}")).run()
    assert "budget.hours" in outcome.stopped_by
    assert 4 <= sum(made.pool.trained.values()) <= 6


SAMPLED = """
question: Which width and rate?
task: digits
model: {network: resnet, family: {choice: [free, hyper]}, width: {grid: [4, 8, 12, 16]}, basic_in: 4, basic_out: 4,
        embedding_size: {between: [1, 12]}}
training: {steps: 10, learning_rate: {between: [1e-4, 1e-1], log: true}}
search: {sampler: random, trials: 12, seeds: [0]}
budget: {params: {max: 900}}
"""


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2", "gp"])
class TestEverySampler:
    def test_trains_as_many_as_asked_within_the_budget(self, bench, sampler):
        bench = bench(SAMPLED, f"search.sampler={sampler}")
        outcome = bench.run()
        assert outcome.finished == 12
        _, children = recorded(bench.tracking, bench.study.name)
        assert all(run.data.metrics["params.learnable"] <= 900 for run in children)
        trials = bench.trials
        refused = [trial for trial in trials if "refused" in trial.user_attrs]
        assert len(refused) == outcome.refused
        assert all(trial.values[0] == 1.0 and max(trial.constraints.values()) > 0 for trial in refused)
        study = optuna.load_study(study_name=bench.study.name, storage=bench.storage)
        assert not {trial.number for trial in study.best_trials} & {trial.number for trial in refused}

    def test_goes_on_without_repeating_itself(self, bench, sampler):
        bench = bench(SAMPLED, f"search.sampler={sampler}", "search.trials=6", tracked=False)
        bench.run()
        first = {trial.params["training.learning_rate"] for trial in bench.trials}
        bench.study = bench.study.__class__(
            **{**vars_of(bench.study), "search": bench.study.search.model_copy(update={"trials": 12})}
        )
        assert bench.run().finished == 12
        rates = [trial.params["training.learning_rate"] for trial in bench.trials]
        assert first < set(rates)
        if sampler != "gp":  # which likes the ends of an axis
            assert len(set(rates)) == len(rates)

    def test_the_same_seed_asks_the_same(self, bench, sampler):
        asked = []
        for _ in range(2):
            one = bench(SAMPLED, f"search.sampler={sampler}", tracked=False)
            one.pool.workers = 1
            one.run()
            asked.append([trial.params for trial in one.trials])
        assert asked[0] == asked[1]


def test_a_record_that_does_not_answer_is_told_of_once_and_so_is_its_return(bench, monkeypatch):
    bench = bench(tracked=False)
    engine = bench.engine()
    behind = iter([0.0, 5.0, 12.0, 40.0, 0.0, 0.0, 11.0, 0.0])
    monkeypatch.setattr(engine.record, "behind", lambda: next(behind, 0.0))
    assert engine.run().finished == 8
    said = [message for message in bench.listener.messages if "MLflow" in message]
    away = "MLflow's store does not answer; the study goes on, and it will be told what it missed"
    back = "MLflow's store answers again"
    assert said == [away, back, away, back]
