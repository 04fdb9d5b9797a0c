"""Which trainings end early: Optuna's pruners, each within a group of configurations that compete."""

import math

import numpy as np
import pytest

from hyperbudget.study.search.plan import grid_candidates
from hyperbudget.study.search.pruning import PARTS, Pruning, group, pruner
from tests.study.support import FREE, TINY, tiny

STEPS = 120
WIDE = "model.width={grid: [4, 5, 6, 8, 16, 32]}"


def study(tmp_path, *overrides, text=FREE):
    made = tiny(tmp_path, *overrides, text=text)
    candidates, _ = grid_candidates(made)
    return made, candidates


def train(pruning, key, chosen, error, curve=lambda share: 1.0):
    """Train `key` to the end or until it is pruned; returns the steps that it took."""
    for step in range(10, STEPS + 1, 10):
        if not pruning.trained(key, chosen, step, error * curve(step / STEPS)):
            pruning.ended(key, None)
            return step
    pruning.ended(key, error)
    return STEPS


class TestGroups:
    def test_families_and_doublings_of_the_parameters_do_not_compete(self, tmp_path):
        made, candidates = study(tmp_path, "model.width={grid: [4, 8, 9, 16]}", text=TINY)
        groups = {}
        for chosen in candidates:
            groups.setdefault(group(made, chosen), []).append(chosen.anatomy.learnable)
        assert {kind for kind, _ in groups} == {("free",), ("hyper",)}
        for (_, band), sizes in groups.items():
            assert all(2**band <= size < 2 ** (band + 1) for size in sizes)
        assert any(len(sizes) > 1 for sizes in groups.values())

    def test_a_study_of_quality_alone_is_one_competition_a_family(self, tmp_path):
        made, candidates = study(tmp_path, "objectives=[validation_error]", "model.width={grid: [4, 32]}", text=TINY)
        assert {group(made, chosen) for chosen in candidates} == {(("free",), 0), (("hyper",), 0)}

    def test_what_the_question_names_by_a_word_does_not_compete(self, tmp_path):
        text = TINY.replace("family: {grid: [free, hyper]}", "family: hyper")
        words = ("model.initialisation={grid: [he, unit]}", "training.optimizer={grid: [adam, sgd]}")
        made, candidates = study(tmp_path, *words, "model.width=8", text=text)
        assert {kind for kind, _ in (group(made, chosen) for chosen in candidates)} == {("he",), ("unit",)}

    def test_the_budgets_of_an_iso_budget_study_are_its_bands(self, tmp_path):
        landing = "budget.params={at: [5000, 9000], tolerance: 20%}"
        made, candidates = study(tmp_path, "model.width={grid: any}", landing)
        assert {band for _, band in (group(made, chosen) for chosen in candidates)} == {5000, 9000}


@pytest.mark.parametrize("name", ["median", "halving", "hyperband"])
class TestCurves:
    def test_small_nets_are_not_pruned_for_being_small(self, tmp_path, name):
        made, candidates = study(tmp_path, f"search.pruner={name}", WIDE)
        pruning = Pruning(made)
        sizes = {int(math.log2(chosen.anatomy.learnable)): chosen for chosen in candidates}
        assert len(sizes) >= 3
        for number in range(12):  # large nets are better throughout, and begin first
            for band, chosen in sorted(sizes.items(), reverse=True):
                assert train(pruning, f"{band} {number}", chosen, 1 / band) == STEPS, "all alike: none is behind"

    def test_what_falls_behind_its_own_kind_ends_early(self, tmp_path, name):
        made, candidates = study(tmp_path, f"search.pruner={name}", WIDE)
        pruning, chosen = Pruning(made), candidates[0]
        good = [train(pruning, f"good {n}", chosen, 0.1) for n in range(30)]
        bad = [train(pruning, f"bad {n}", chosen, 0.5) for n in range(30)]
        assert set(good) == {STEPS}
        shares = np.array(bad) / STEPS
        assert shares.mean() < 0.5
        assert name == "hyperband" or shares.max() < 0.5  # one of its brackets ends nothing

    def test_the_best_so_far_counts(self, tmp_path, name):
        made, candidates = study(tmp_path, f"search.pruner={name}", WIDE)
        pruning, chosen = Pruning(made), candidates[0]
        for n in range(20):
            train(pruning, f"level {n}", chosen, 0.1)
        early = train(pruning, "early", chosen, 0.05, lambda share: 1.0 if share < 0.1 else 20.0)
        assert early == STEPS, "its least error was the least of all"

    def test_a_step_that_comes_twice_is_judged_once(self, tmp_path, name):
        made, candidates = study(tmp_path, f"search.pruner={name}", WIDE)
        pruning, chosen = Pruning(made), candidates[0]
        for n in range(20):
            train(pruning, f"level {n}", chosen, 0.1)
        assert pruning.trained("resumed", chosen, 100, 0.01)
        assert pruning.trained("resumed", chosen, 60, 0.9), "it was there before its process died"

    def test_earlier_results_are_taken_up_by_their_curves(self, tmp_path, name):
        made, candidates = study(tmp_path, f"search.pruner={name}", WIDE)
        chosen, steps = candidates[0], list(range(10, STEPS + 1, 10))
        now, resumed = Pruning(made), Pruning(made)
        for n in range(30):
            train(now, f"good {n}", chosen, 0.1)
            resumed.replay(f"good {n}", chosen, {"step": steps, "validation_error": [0.1] * len(steps)}, 0.1)
        for n in range(10):
            assert train(now, f"bad {n}", chosen, 0.5) == train(resumed, f"bad {n}", chosen, 0.5)


def test_halving_takes_each_rung_s_best_third_from_a_group(tmp_path):
    made, candidates = study(tmp_path, "search.pruner=halving", WIDE)
    pruning, chosen = Pruning(made), candidates[0]
    order = np.random.default_rng(0).permutation(81)
    ended = {rank: train(pruning, str(rank), chosen, 0.1 + rank / 100) for rank in order.tolist()}
    whole = [rank for rank, step in ended.items() if step == STEPS]
    assert 5 <= len(whole) <= 20, "about a ninth of them"
    assert {0, 1, 2} <= set(whole)
    assert set(ended.values()) <= {STEPS, 20, 40}, "rungs after a ninth and a third, at the next evaluation"


class TestSeeds:
    def errors(self, mean, seed):
        return mean + np.random.default_rng(seed).normal(0, 0.01)  # a seed is as hard for all

    def test_a_worse_configuration_loses_its_later_seeds(self, tmp_path):
        made, candidates = study(tmp_path, "search.pruner=wilcoxon", "search.seeds=8", WIDE)
        pruning, chosen = Pruning(made), candidates[0]
        ended = {}
        for key, mean in {"best": 0.1, "same": 0.1, "worse": 0.2}.items():
            found = {}
            for seed in range(8):
                found[seed] = self.errors(mean, seed)
                if seed < 7 and not pruning.seeded(key, chosen, found):
                    break
            ended[key] = len(found)
            pruning.ended(key, sum(found.values()) / len(found) if len(found) == 8 else None)
        assert ended == {"best": 8, "same": 8, "worse": 4}, "four pairs are the fewest with p < 0.1"

    def test_nothing_is_judged_before_its_first_seed(self, tmp_path):
        made, candidates = study(tmp_path, "search.pruner=wilcoxon", "search.seeds=5", WIDE)
        assert Pruning(made).seeded("x", candidates[0], {})


def test_an_unknown_pruner_is_a_mistake_of_the_program():
    with pytest.raises(ValueError):
        pruner("none")
    assert PARTS == 27


def test_studies_say_what_they_prune(tmp_path):
    none = Pruning(tiny(tmp_path))
    assert (none.by_curve, none.by_seeds) == (False, False)
