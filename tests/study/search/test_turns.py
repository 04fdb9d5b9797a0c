"""Which seeds are trained when, and which configurations get the second round."""

import pytest

from hyperbudget.study.search.plan import grid_candidates, plan
from hyperbudget.study.search.turns import due, promoted, turns
from tests.study.support import FREE, tiny

FINISHED, FAILED, PRUNED = ({"status": status} for status in ("finished", "failed", "pruned"))


@pytest.mark.parametrize(
    ("overrides", "first", "second"),
    [
        ((), [(0, 1, 2)], [(0, 1, 2)]),
        (("search.promote=50%",), [(0,)], [(0,), (1, 2)]),
        (("search.promote=50%", "search.first_seeds=2"), [(0, 1)], [(0, 1), (2,)]),
        (("search.pruner=halving",), [(0,), (1, 2)], [(0,), (1, 2)]),
        (("search.pruner=halving", "search.promote=0.5", "search.first_seeds=2"), [(0,), (1,)], [(0,), (1,), (2,)]),
        (("search.pruner=wilcoxon", "search.seeds=5"), [(s,) for s in range(5)], [(s,) for s in range(5)]),
    ],
)
def test_turns(tmp_path, overrides, first, second):
    study = tiny(tmp_path, "search.seeds=3", *overrides)
    assert turns(study, promoted=False) == first
    assert turns(study, promoted=True) == second


def test_a_turn_begins_when_the_one_before_has_ended_well():
    order = [(0,), (1, 2)]
    assert due(order, {}) == (0,)
    assert due(order, {0: FINISHED}) == (1, 2)
    assert due(order, {0: FINISHED, 2: FINISHED}) == (1,)
    assert due(order, {0: FINISHED, 1: FINISHED, 2: FAILED}) == ()
    assert due(order, {0: PRUNED}) == due(order, {0: FAILED}) == ()
    assert due([(0, 1, 2)], {0: FAILED}) == (1, 2), "of one turn every seed is wanted, whatever the others give"


def errors(study, error):
    candidates, _ = grid_candidates(study)
    return {number: (chosen, error(number, chosen)) for number, chosen in enumerate(candidates)}


class TestPromotion:
    RATES = "training.learning_rate={grid: [1e-3, 2e-3, 3e-3, 4e-3, 5e-3]}"

    def test_the_best_share_of_a_band_rounded_up(self, tmp_path):
        study = tiny(tmp_path, "search.promote=50%", "model.width=8", self.RATES, text=FREE)
        assert promoted(study, errors(study, lambda number, _: [0.5, 0.1, 0.4, 0.2, 0.3][number])) == [1, 3, 4]
        assert promoted(study, {}) == []

    def test_every_band_and_family_has_one(self, tmp_path):
        study = tiny(tmp_path, "search.seeds=3", "search.promote=10%", "model.width={grid: [4, 8, 16, 32]}", self.RATES)
        found = errors(study, lambda number, _: 0.1 + number / 1000)
        chosen = [found[number][0] for number in promoted(study, found)]
        assert {each.configuration.model.family.name for each in chosen} == {"free", "hyper"}
        assert len({each.anatomy.learnable for each in chosen}) >= 6

    def test_the_front_is_promoted_whole(self, tmp_path):
        overrides = ("search.promote=10%", "model.width={grid: [16, 17, 18, 19, 20]}")
        study = tiny(tmp_path, *overrides, text=FREE)
        falling = errors(study, lambda number, chosen: 1 / chosen.anatomy.learnable)
        assert promoted(study, falling) == [0, 1, 2, 3, 4]
        alone = tiny(tmp_path, *overrides, "objectives=[validation_error]", text=FREE)
        assert promoted(alone, falling) == [4]


def test_a_plan_says_how_many_runs_that_makes(tmp_path):
    assert plan(tiny(tmp_path, "search.seeds=3")).runs == 12
    assert plan(tiny(tmp_path, "search.seeds=3", "search.promote=50%")).runs == 4 + 2 * 2
