"""Between a study file's axes and Optuna."""

import optuna
import pytest

from hyperbudget.errors import UserError
from hyperbudget.study.search import space
from tests.study.support import TINY, tiny


def suggestions(tmp_path, line, count=200):
    study = tiny(
        tmp_path,
        text=TINY.replace("steps: 120", f"steps: 120, {line}").replace("seeds:", "sampler: random, trials: 9, seeds:"),
    )
    axis = study.axes[-1]
    trials = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [space.suggest(trials.ask(), axis) for _ in range(count)]


def test_numbers_between_two_bounds(tmp_path):
    rates = suggestions(tmp_path, "l2: {between: [1e-5, 1e-3], log: true}")
    assert min(rates) >= 1e-5
    assert max(rates) <= 1e-3
    assert 60 < sum(rate < 1e-4 for rate in rates) < 140  # evenly over the logarithm


def test_whole_numbers_stay_whole(tmp_path):
    assert set(suggestions(tmp_path, "warmup: {between: [0, 3]}")) == {0, 1, 2, 3}


def test_lists_are_values_too(tmp_path):
    found = suggestions(tmp_path, "milestones: {choice: [[0.5], [0.3, 0.6]]}")
    assert set(found) == {(0.5,), (0.3, 0.6)}


@pytest.mark.parametrize("name", ["grid", "random", "tpe", "nsga2", "gp"])
def test_a_seed_may_be_any_number(tmp_path, name):
    trials = [] if name == "grid" else ["search.trials=3"]
    for seed in (4295, 2**63 - 1):
        study = tiny(tmp_path, f"search.sampler={name}", f"search.seed={seed}", *trials)
        opened = optuna.create_study(sampler=space.sampler(study, 7))
        assert 0 <= opened.ask().suggest_float("x", 0, 1) <= 1


def test_a_changed_space_is_refused_where_only_its_digest_is_known(tmp_path):
    storage = optuna.storages.InMemoryStorage()
    space.open_study(tiny(tmp_path), storage)
    space.open_study(tiny(tmp_path, "search.seeds=5"), storage)
    other = tiny(tmp_path, "model.embedding_size=3")
    with pytest.raises(UserError, match=r"not the one that study 'tiny' was begun with.*study\.yaml.* is missing"):
        space.open_study(other, storage)
    space.open_study(other, storage, compared=True)
    space.open_study(other, storage)


def test_a_storage_that_does_not_answer(tmp_path):
    said = "(no driver for postgresql is installed|Optuna cannot use it)"
    with pytest.raises(UserError, match=rf"--storage postgresql://me:\*\*\*@127\.0\.0\.1:1/x: {said}"):
        space.open_study(tiny(tmp_path), "postgresql://me:secret@127.0.0.1:1/x")
