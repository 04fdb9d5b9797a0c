"""Iso-budget studies: exactly what lands, of every family, within the study's own space."""

import itertools

import pytest

from hyperbudget.config import load
from hyperbudget.study.search.on_budget import candidates, landings
from hyperbudget.study.search.plan import plan
from hyperbudget.study.session import EveryConfigurationRefused, refuse_nothing_to_train

STUDY = """
question: Which family is best at 1,000 and at 2,500 parameters?
task: {grid: [digits]}
model:
  network: {grid: [resnet, convnet]}
  family: {grid: [free, hyper, low_rank]}
  depth: {grid: [2, 4]}
  width: {grid: [4, 8, 12, 16], when: {family: [free, hyper]}, otherwise: 12}
  embedding_size: {grid: [2, 4, 8]}
  generator_hidden: {grid: [null, 4]}
  basic_in: 4
  basic_out: 4
  rank: {grid: any}
  kernel_size: 3
training:
  steps: 10
  learning_rate: {grid: [1e-3, 1e-2], when: {model.family: hyper}, otherwise: 1e-3}
budget: {params: {at: [1k, 2500], tolerance: 20%}}
"""


@pytest.fixture
def read(tmp_path):
    def read(*overrides):
        path = tmp_path / "iso.yaml"
        path.write_text(STUDY)
        return load(path, overrides)

    return read


def by_hand(study):
    """Every configuration of the whole grid that is within 20% of a budget, each model with its settings once."""
    everything = plan(load(study.path, ["budget={}"])).candidates
    on = [c for c in everything if min(abs(c.anatomy.learnable - b) / b for b in (1000, 2500)) <= 0.2]
    return {repr((c.configuration.model, c.configuration.training)) for c in on}


def test_they_are_those_of_the_whole_grid_that_land(read):
    study = read()
    found = [repr((c.configuration.model, c.configuration.training)) for c in candidates(study)]
    assert set(found) == by_hand(study)
    assert len(set(found)) == len(found) > 10


def test_what_is_planned_is_accepted(read):
    planned = plan(read())
    assert planned.unbuildable == []
    assert all(candidate.refusal is None for candidate in planned.candidates)
    assert planned.configurations == len(planned.candidates)


def test_each_is_the_most_of_a_family_at_a_budget_spread_over_networks(read):
    for landing in landings(read("budget.params.each=2")):
        assert len(landing.taken) == min(2, landing.found)
        networks = {repr(solution.model.network) for solution in landing.taken}
        everything = next(
            other for other in landings(read()) if (other.budget, other.family) == (landing.budget, landing.family)
        )
        assert len(networks) == min(2, len({repr(solution.model.network) for solution in everything.taken}))
        if landing.taken:
            nearest = min(abs(s.anatomy.learnable - landing.budget) for s in everything.taken)
            assert abs(landing.taken[0].anatomy.learnable - landing.budget) == nearest


def test_a_family_without_any_has_its_nearest(read):
    found = {(at.budget, at.family): at for at in landings(read("budget.params={at: [1000, 90000], tolerance: 0}"))}
    none = found[90_000, "free"]
    assert (none.found, none.taken) == (0, [])
    free = [c for c in plan(read("budget={}")).candidates if c.configuration.model.family.name == "free"]
    assert none.nearest.anatomy.learnable == max(candidate.anatomy.learnable for candidate in free)


def test_a_model_on_two_budgets_is_trained_once(read):
    study = read("budget.params.at=[1000, 1010]")
    names = [repr((c.configuration.model, c.configuration.training)) for c in candidates(study)]
    assert len(names) == len(set(names))
    both = [landing for landing in landings(study) if landing.family == "hyper"]
    shared = set.intersection(*({repr(s.model) for s in landing.taken} for landing in both))
    assert shared


def test_settings_of_the_training_are_crossed_with_every_model(read):
    chosen = [c.configuration for c in candidates(read())]
    rates = {
        family: {c.training.learning_rate for c in chosen if c.model.family.name == family}
        for family in ("free", "hyper", "low_rank")
    }
    assert rates == {"free": {1e-3}, "hyper": {1e-3, 1e-2}, "low_rank": {1e-3}}
    models = [repr(c.model) for c in chosen if c.model.family.name == "hyper"]
    assert all(len(list(group)) == 2 for _, group in itertools.groupby(sorted(models)))


def test_a_budget_that_nothing_lands_on_is_refused_before_anything_starts(read):
    with pytest.raises(EveryConfigurationRefused, match=r"budget\.params\.at: no configuration .* lands on a budget"):
        refuse_nothing_to_train(read("budget.params.at=[3M]"))
    refuse_nothing_to_train(read())
