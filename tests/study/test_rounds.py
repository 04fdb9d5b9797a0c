"""The engine with a pruner, and with a second round of seeds: nothing lost, nothing twice, counts that add up."""

import dataclasses
from collections import Counter

import optuna
import pytest

from hyperbudget.study.engine import Engine
from hyperbudget.study.folder import RunFolder, read_json, write_json
from hyperbudget.study.status import status
from hyperbudget.study.workers.events import Done, Evaluated
from hyperbudget.study.workers.job import Evaluation
from tests.study.support import FREE, InlinePool, made_up, results

RATES = "training.learning_rate={grid: [1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 7e-3, 8e-3, 9e-3]}"
STEPS = (30, 60, 90, 120)


class Trained(InlinePool):
    """Trains in four evaluations; the error is 100 times the learning rate (and a little of the seed), all the way."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, bool] = {}
        self.begun_at: Counter[int] = Counter()

    def answer(self, run, *, go_on):
        self.answers[run] = go_on

    def wait(self, timeout):
        if not self.jobs:
            return
        job = self.jobs.popleft()
        folder, before = RunFolder(job.folder), read_json(RunFolder(job.folder).path / "state.json") or 0
        if read_json(folder.result) is None:
            self.trained[job.run] += 1
            self.begun_at[before] += 1
        error = 100 * job.fields["training"]["learning_rate"] + job.fields["seed"] / 1000
        curve = {"step": [], "train_loss": [], "validation_error": [], "seconds": []}
        for step in STEPS:
            for name, value in zip(curve, (step, 1.0, error, step / 60), strict=True):
                curve[name].append(value)
            if step <= before:
                continue
            yield Evaluated(job, Evaluation(step, 1.0, error, step / 60), job.asks)
            if job.asks and not self.answers.pop(job.run):
                pruned = {**made_up(job, f"pruned at step {step}"), "status": "pruned", "curve": curve, "seconds": 1.0}
                write_json(folder.path / "state.json", step)
                write_json(folder.result, pruned)
                yield Done(job, pruned)
                return
        done = {**made_up(job), "validation_error": error, "test_error": error, "curve": curve}
        write_json(folder.result, done)
        yield Done(job, done)


@pytest.fixture
def trained(bench):
    def make(*overrides, text=FREE):
        made = bench(text, *overrides, tracked=False)
        made.pool = Trained()
        return made

    return make


def by_seed(bench, wanted="finished"):
    return Counter(result["seed"] for result in results(bench.folder).values() if result["status"] == wanted)


class TestPruner:
    OVERRIDES = ("model.width=8", RATES, "search.pruner=halving")

    def test_what_falls_behind_has_one_part_of_a_training(self, trained):
        bench = trained(*self.OVERRIDES)
        outcome = bench.run()
        states = bench.states()
        assert states["PRUNED"] >= 4
        assert states["COMPLETE"] + states["PRUNED"] == 9
        assert (outcome.finished, outcome.pruned) == (3 * states["COMPLETE"], states["PRUNED"])
        assert by_seed(bench, "pruned") == {0: states["PRUNED"]}, "it is judged by its first seed, and has no other"
        found = status(bench.folder)
        assert (found.finished, found.pruned, found.failed, found.open) == (outcome.finished, outcome.pruned, 0, 0)
        assert found.total == outcome.finished + outcome.pruned

    def test_the_same_command_again_trains_nothing(self, trained):
        bench = trained(*self.OVERRIDES)
        first = bench.run()
        again = bench.run()
        assert set(bench.pool.trained.values()) == {1}
        assert again == first
        assert status(bench.folder).total == first.finished + first.pruned

    def test_without_its_pruner_a_study_goes_on_with_what_was_pruned(self, trained, tmp_path):
        bench = trained(*self.OVERRIDES)
        pruned = bench.run().pruned
        other = trained(*self.OVERRIDES, "search.pruner=none")
        bench.study = dataclasses.replace(other.study, name=bench.study.name)
        outcome = bench.run()
        assert (outcome.finished, outcome.pruned) == (27, 0)
        assert bench.pool.begun_at[0] == 27, "no training began from its start twice"
        assert sum(bench.pool.begun_at.values()) == 27 + pruned
        assert status(bench.folder).total == 27

    def test_seeds_are_compared_by_their_results(self, trained):
        bench = trained(
            "model.width=8", "training.learning_rate={grid: [1e-3, 9e-3]}", "search.pruner=wilcoxon", "search.seeds=6"
        )
        bench.pool.places = 1
        outcome = bench.run()
        assert bench.states() == {"COMPLETE": 1, "PRUNED": 1}
        assert by_seed(bench) == {0: 2, 1: 2, 2: 2, 3: 2, 4: 1, 5: 1}
        assert (outcome.finished, outcome.pruned) == (10, 0)
        assert bench.run() == outcome
        assert set(bench.pool.trained.values()) == {1}

    @pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random", "gp"])
    def test_every_sampler_lives_with_pruned_trials(self, trained, sampler):
        space = "training.learning_rate={between: [1e-3, 1e-2]}"
        bench = trained(
            "model.width={grid: [8, 9]}",
            space,
            f"search.sampler={sampler}",
            "search.trials=25",
            "search.pruner=halving",
        )
        outcome = bench.run()
        states = bench.states()
        assert states["PRUNED"] >= 5
        assert sum(states.values()) == 25
        assert outcome.finished == 3 * states["COMPLETE"]


class TestSecondRound:
    OVERRIDES = ("model.width=8", RATES, "search.promote=34%")

    def test_promising_configurations_get_the_other_seeds(self, trained):
        bench = trained(*self.OVERRIDES)
        outcome = bench.run()
        assert by_seed(bench) == {0: 9, 1: 4, 2: 4}
        assert outcome.finished == status(bench.folder).total == 17
        best = sorted(trial.values[0] for trial in bench.trials)[:4]
        assert best == pytest.approx([0.1, 0.2, 0.3, 0.4]), "Optuna has the first round's errors"
        again = bench.run()
        assert again == outcome
        assert set(bench.pool.trained.values()) == {1}

    @pytest.mark.parametrize("after", range(1, 17, 3))
    def test_a_driver_that_stops_anywhere_is_gone_on_with(self, trained, after):
        bench = trained(*self.OVERRIDES)
        engine: Engine = bench.engine()
        ended = engine.progress.ended

        def stop(*arguments):
            ended(*arguments)
            if len(engine.progress.results) >= after:
                engine.stop()

        engine.progress.ended = stop
        assert engine.run().stopped
        outcome = bench.run()
        assert by_seed(bench) == {0: 9, 1: 4, 2: 4}
        assert (outcome.finished, outcome.stopped) == (17, False)
        assert set(bench.pool.trained.values()) == {1}
        assert bench.states() == {"COMPLETE": 9}

    def test_a_grid_that_grows_keeps_what_was_promoted(self, trained):
        bench = trained("model.width=8", "training.learning_rate={grid: [8e-3, 9e-3]}", "search.promote=50%")
        bench.run()
        assert by_seed(bench) == {0: 2, 1: 1, 2: 1}
        grown = trained(
            "model.width=8", "training.learning_rate={grid: [1e-3, 2e-3, 8e-3, 9e-3]}", "search.promote=50%"
        )
        bench.study = dataclasses.replace(grown.study, name=bench.study.name)
        outcome = bench.run()
        assert by_seed(bench) == {0: 4, 1: 3, 2: 3}
        assert outcome.finished == status(bench.folder).total == 10
        assert outcome.beyond == 0

    def test_the_budget_of_runs_holds_in_both_rounds(self, trained):
        bench = trained(*self.OVERRIDES, "budget.runs=12")
        outcome = bench.run()
        assert by_seed(bench) == {0: 9, 1: 1, 2: 1}
        assert outcome.stopped_by is not None
        assert "budget.runs" in outcome.stopped_by

    def test_a_failed_first_seed_is_not_promoted(self, trained):
        bench = trained(*self.OVERRIDES)
        bench.pool = InlinePool()
        bench.pool.fail = lambda job: "diverged: nan" if job.fields["training"]["learning_rate"] == 1e-3 else None
        bench.run()
        failed = [result for result in results(bench.folder).values() if result["status"] == "failed"]
        assert len(failed) == 1


def test_pruned_trials_are_pruned_in_optuna_for_two_objectives_too():
    study = optuna.create_study(directions=["minimize", "minimize"])
    trial = study.ask()
    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    assert study.trials[0].state.name == "PRUNED"
