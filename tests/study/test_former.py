"""A study file that changed between two calls: what is new is trained, what was computed stays as it is."""

import optuna
import pytest

from hyperbudget.errors import UserError
from hyperbudget.study.folder import read_json
from hyperbudget.study.results.collect import _rows
from hyperbudget.study.status import status
from tests.study.support import TINY, Death, die_at, recorded, results, statuses, tiny

WIDER = "model.width={grid: [4, 8, 12]}"


def change(bench, *overrides, text=TINY):
    """Give the study's file other values."""
    changed = tiny(bench.folder.path.parent, *overrides, text=text, name=bench.study.name)
    assert changed.name == bench.study.name
    bench.study = changed


def test_a_grown_grid_trains_what_is_new(bench):
    bench = bench()
    bench.run()
    before = results(bench.folder)
    change(bench, WIDER, "training.steps={grid: [120, 60]}")
    outcome = bench.run()
    assert (outcome.finished, outcome.failures, outcome.beyond) == (24, [], 0)
    assert set(bench.pool.trained.values()) == {1}
    assert results(bench.folder).items() >= before.items()
    assert bench.states() == {"COMPLETE": 12}
    assert len({trial.user_attrs["configuration"] for trial in bench.trials}) == 12
    parents, children = recorded(bench.tracking, bench.study.name)
    assert statuses(parents) == {"FINISHED": 12}
    assert statuses(children) == {"FINISHED": 24}
    rows = _rows(bench.study, bench.tracking)
    assert {row["trial"] for row in rows} == set(range(12))


def test_a_shrunk_grid_counts_less_and_loses_nothing(bench):
    bench = bench()
    bench.run()
    change(bench, "model.width=8", "search.seeds=[0]")
    outcome = bench.run()
    assert (outcome.finished, outcome.beyond) == (2, 6)
    assert read_json(bench.folder.scope)["runs"] == 2
    now = status_of(bench)
    assert (now.finished, now.total, now.beyond, now.open) == (2, 2, 6, 0)
    assert len(_rows(bench.study, bench.tracking)) == len(results(bench.folder)) == 8
    change(bench)  # all of it again
    outcome = bench.run()
    assert (outcome.finished, outcome.beyond) == (8, 0)
    assert set(bench.pool.trained.values()) == {1}
    assert bench.states() == {"COMPLETE": 4}


def status_of(bench):
    bench.folder.stores.write_text('{"storage": "sqlite:///a.db", "tracking": "sqlite:///b.db"}')
    return status(bench.folder)


@pytest.mark.parametrize(("moment", "tracked"), [(2, False), (5, False), (14, False), (17, True)])
def test_an_interrupted_grid_is_changed(bench, monkeypatch, moment, tracked):
    """What was under way and is no longer wanted stays open; it is taken up when it is wanted again."""
    bench = bench(tracked=tracked)
    with monkeypatch.context() as patch:
        die_at(patch, moment)
        with pytest.raises(Death):
            bench.run()
    change(bench, "model.width={grid: [8, 12]}")
    assert bench.run().finished == 8
    if tracked:
        parents, children = recorded(bench.tracking, bench.study.name)
        assert "RUNNING" not in statuses(parents) + statuses(children)
    change(bench, WIDER)
    outcome = bench.run()
    assert (outcome.finished, outcome.failures, outcome.beyond) == (12, [], 0)
    assert bench.states() == {"COMPLETE": 6}
    assert set(bench.pool.trained.values()) == {1}


def test_optuna_knows_the_parameters_whose_choices_have_not_changed(bench):
    bench = bench(tracked=False)
    bench.run()
    change(bench, WIDER)
    bench.run()
    assert [set(trial.params) for trial in bench.trials] == [{"model.family", "model.width"}] * 4 + [
        {"model.family"}
    ] * 2
    assert bench.trials[-1].user_attrs["point"] == {"model.family": "hyper", "model.width": 12}


def test_trials_of_an_earlier_version_are_known_from_mlflow(bench):
    """They do not name their configuration, and what was not begun waits in Optuna's queue."""
    bench = bench()
    bench.run()
    old = optuna.create_study(
        study_name=bench.study.name, storage=(storage := optuna.storages.InMemoryStorage()), directions=["minimize"] * 2
    )
    for trial in bench.trials:
        copy = optuna.trial.create_trial(
            params=trial.params, distributions=trial.distributions, values=trial.values,
            user_attrs={"point": trial.user_attrs["point"]},
        )  # fmt: skip
        old.add_trial(copy)
    old.enqueue_trial({"model.family": "free", "model.width": 8})
    bench.storage = storage
    change(bench, WIDER)
    assert bench.run().finished == 12
    assert bench.states() == {"COMPLETE": 6, "FAIL": 1}
    assert set(bench.pool.trained.values()) == {1}


class TestAnotherMeaning:
    def refusal(self, bench, *overrides, text=TINY):
        change(bench, *overrides, text=text)
        with pytest.raises(UserError) as caught:
            bench.run()
        assert "--fresh" in str(caught.value)
        assert "another name" in str(caught.value)
        return str(caught.value)

    def test_one_difference_is_one_line_with_its_place(self, bench):
        bench = bench(tracked=False)
        bench.engine()
        said = self.refusal(bench, text=TINY.replace("steps: 120", "steps: 240"))
        assert len(said.splitlines()) == 1
        assert f"{bench.study.name}.yaml:11: training.steps: 120 before, 240 now: the results of study" in said

    def test_a_few_of_many_differences(self, bench):
        bench = bench(tracked=False)
        bench.engine()
        training = "training={steps: 9, batch_size: 8, learning_rate: 1e-3, evaluate_every: 3, optimizer: sgd}"
        said = self.refusal(bench, training)
        assert len(said.splitlines()) == 3
        assert "and 2 more differences" in said

    def test_a_sampler_that_learns_keeps_its_space(self, bench):
        text = TINY.replace("seeds:", "sampler: tpe, trials: 3, seeds:")
        bench = bench(text, tracked=False)
        bench.engine()
        said = self.refusal(bench, WIDER, text=text)
        assert "--set " + WIDER + ": model.width: {grid: [4, 8]} before, {grid: [4, 8, 12]} now" in said
        assert "the tpe search of study" in said
        change(bench, "search.trials=4", "search.seeds=1", text=text)
        assert bench.run().finished == 4

    def test_a_former_study_that_cannot_be_read(self, bench):
        bench = bench(tracked=False)
        bench.engine()
        bench.folder.study.write_text("question: of another version\n")
        change(bench)
        bench.engine()  # the digest is the same
        bench.folder.study.unlink()
        assert "is missing" in self.refusal(bench, WIDER)
