"""What a study cannot become under the same name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hyperbudget.config import Study
from hyperbudget.config.changes import changes

Load = Callable[..., Study]

GRID = """\
question: Why?
task: digits
model:
  network: convnet
  family: {grid: [free, hyper]}
  width: {grid: [8, 16], when: {family: free}, otherwise: 16}
training:
  steps: 1000
"""
SEARCH = GRID + "  learning_rate: {between: [1e-3, 1e-2], log: true}\nsearch: {sampler: tpe, trials: 9}\n"


@pytest.mark.parametrize(
    "override",
    [
        "model.width={grid: [4, 8, 16]}",
        "model.width={grid: [32, 64]}",
        "model.width=16",
        "model.family=free",
        "model.family={grid: [free, hyper, shared]}",
        "training.steps={grid: [1000, 2000]}",
        "training.optimizer={grid: [adam, sgd]}",
        "task={grid: [digits, mnist]}",
        "search.seeds=7",
        "budget={params: {max: 9000}, hours: 1}",
        "resources.cpus=2",
        "report.baseline=hyper",
        "question=What else?",
    ],
)
def test_a_grid_may_have_other_points(study: Load, override: str) -> None:
    assert changes(study(GRID), study(GRID, override)) == []


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.steps=2000", "training.steps: 1000 before, 2000 now"),
        ("training.steps={grid: [2000, 4000]}", "training.steps: 1000 before, [2000, 4000] now"),
        ("training.optimizer=sgd", "training.optimizer: 'adam' before, 'sgd' now"),
        ("training.milestones=[0.3]", "training.milestones: [0.5, 0.75] before, [0.3] now"),
        ("task=mnist", "task: 'digits' before, 'mnist' now"),
        ("model.embedding_size=9", "model.embedding_size: 4 before, 9 now"),
        (
            "objectives=[validation_error]",
            "objectives: ['validation_error', 'learnable_parameters'] before, ['validation_error'] now",
        ),
        ("search={sampler: random, trials: 4}", "search.sampler: 'grid' before, 'random' now"),
    ],
)
def test_a_grid_keeps_its_meaning(study: Load, override: str, words: str) -> None:
    assert list(map(str, changes(study(GRID), study(GRID, override)))) == [words]


@pytest.mark.parametrize(
    "override", ["search.trials=20", "search.seeds=9", "budget.runs=4", "model.width.role=nuisance"]
)
def test_a_search_may_go_further(study: Load, override: str) -> None:
    assert changes(study(SEARCH), study(SEARCH, override)) == []


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.learning_rate.log=false", "training.learning_rate: "),
        ("model.embedding_size=9", "model.embedding_size: 4 before, 9 now"),
        ("search.seed=1", "search.seed: 0 before, 1 now"),
        ("budget.params.max=9000", "budget.params: null before, {max: 9000} now"),
        ("training.steps=2000", "training.steps: 1000 before, 2000 now"),
        (
            "model.width={grid: [8, 16, 32]}",
            "model.width: {grid: [8, 16], when: {model.family: ['free']}, otherwise: 16} before, {grid: [8, 16, 32]}",
        ),
    ],
)
def test_a_search_keeps_its_space(study: Load, override: str, words: str) -> None:
    (change,) = changes(study(SEARCH), study(SEARCH, override))
    assert str(change).startswith(words)


def test_where_the_new_value_stands(study: Load) -> None:
    read = study(GRID, "training.optimizer=sgd")
    (change,) = changes(study(GRID), read)
    assert read.place(change.key) == "--set training.optimizer=sgd"
    assert read.place(("training", "steps")).endswith("x.yaml:8")
    assert read.place(("training", "l2")).endswith("x.yaml:7")
    assert read.place(("budget", "params")).endswith("x.yaml:1")
