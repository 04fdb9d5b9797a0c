"""What a study file without mistakes means."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from hyperbudget.budget.grids import RANGES
from hyperbudget.config import Axis, Refused, Study
from hyperbudget.nn.spec import ConvNet, Free, Hyper, Mlp
from hyperbudget.train.spec import TrainingSpec

Load = Callable[..., Study]

HYPER_OR_NARROWER = """\
question: Is a hypernetwork better
  than a narrower net?
task: mnist
model:
  network: convnet
  width: {grid: [8, 16], when: {family: free}, otherwise: 16}
  embedding_size: {choice: [1, 4], when: {family: hyper}}
  family: {grid: [free, hyper]}
training:
  steps: 2e3
  learning_rate: {grid: [1, 1e-2]}
search: {seeds: 2}
budget: {params: {max: 15000}, runs: 100, hours: 2}
resources: {cpus: 0.5, time_limit: 2h}
report: {budgets: [1000, 2000], baseline: free}
"""


def test_a_study_is_typed(study: Load, tmp_path: Path) -> None:
    read = study(HYPER_OR_NARROWER)
    assert (read.name, read.path) == ("x", tmp_path / "x.yaml")
    assert read.question == "Is a hypernetwork better than a narrower net?"
    assert (read.task, read.tasks(), read.families()) == ("mnist", ("mnist",), ("free", "hyper"))
    free, hyper = {"model.family": ("free",)}, {"model.family": ("hyper",)}
    assert read.axes == (
        Axis("model.family", "grid", "science", ("free", "hyper")),
        Axis("model.width", "grid", "science", (8, 16), integer=True, when=free, otherwise=16),
        Axis("model.embedding_size", "grid", "science", (1, 4), integer=True, when=hyper, otherwise=4),
        Axis("training.learning_rate", "grid", "nuisance", (1.0, 0.01)),
    )
    assert type(read.fixed["training.steps"]) is int
    assert type(read.axes[3].values[0]) is float  # type: ignore[index]
    assert (read.search.sampler, read.search.trials, read.search.seeds, read.search.seed) == ("grid", None, (0, 1), 0)
    assert read.objectives == ("validation_error", "learnable_parameters")
    assert read.budget.params is not None
    assert (read.budget.params.max, read.budget.runs, read.budget.hours) == (15_000, 100, 2.0)
    assert (read.resources.cpus, read.resources.gpus) == (0.5, 0.0)
    assert (read.resources.stall, read.resources.time_limit) == (1800.0, 7200.0)
    assert (read.report.budgets, read.report.baseline) == ((1000, 2000), "free")


def test_the_grid_leaves_out_what_a_condition_makes_idle(study: Load) -> None:
    read = study(HYPER_OR_NARROWER)
    family, width, size, rate = "model.family", "model.width", "model.embedding_size", "training.learning_rate"
    assert list(read.grid()) == [
        {family: "free", width: 8, rate: 1.0},
        {family: "free", width: 8, rate: 0.01},
        {family: "free", width: 16, rate: 1.0},
        {family: "free", width: 16, rate: 0.01},
        {family: "hyper", size: 1, rate: 1.0},
        {family: "hyper", size: 1, rate: 0.01},
        {family: "hyper", size: 4, rate: 1.0},
        {family: "hyper", size: 4, rate: 0.01},
    ]
    assert read.size() == 8


def test_fields_of_a_family_rest_without_a_condition(study: Load) -> None:
    read = study(
        "question: Why?\ntask: mnist\nmodel:\n  network: convnet\n  family: {grid: [free, hyper]}\n"
        "  embedding_size: {grid: [1, 2]}\n  basic_in: 8\n"
    )
    assert list(read.grid()) == [
        {"model.family": "free"},
        {"model.family": "hyper", "model.embedding_size": 1},
        {"model.family": "hyper", "model.embedding_size": 2},
    ]


def test_an_axis_comes_after_those_its_condition_needs(study: Load) -> None:
    read = study(
        "question: Why?\ntask: mnist\nmodel:\n  network: convnet\n  family: free\n"
        "  width: {grid: [8, 16], when: {training.optimizer: sgd}}\n"
        "  kernel_size: {grid: [3, 5]}\n"
        "training:\n  optimizer: {grid: [adam, sgd], when: {model.kernel_size: 5}, otherwise: sgd}\n"
    )
    asked: list[str] = []
    read.configure(lambda axis: (asked.append(axis.name), axis.values[-1])[1])  # type: ignore[func-returns-value,index]
    assert asked == ["model.kernel_size", "training.optimizer", "model.width"]
    size, optimizer, width = asked
    assert list(read.grid()) == [
        {size: 3, width: 8},
        {size: 3, width: 16},
        {size: 5, optimizer: "adam"},
        {size: 5, optimizer: "sgd", width: 8},
        {size: 5, optimizer: "sgd", width: 16},
    ]
    assert read.size() == 5


def test_a_condition_on_a_field_that_does_not_apply_does_not_hold(study: Load) -> None:
    read = study(
        "question: Why?\ntask: mnist\nmodel:\n  network: convnet\n  family: {grid: [free, hyper]}\n"
        "  embedding_size: 4\n  width: {grid: [16, 32], when: {embedding_size: 4}, otherwise: 8}\n"
    )
    assert list(read.grid()) == [
        {"model.family": "free"},
        {"model.family": "hyper", "model.width": 16},
        {"model.family": "hyper", "model.width": 32},
    ]
    narrow = read.configure(lambda axis: "free")
    assert narrow.model.network == ConvNet(width=8)


def test_the_size_is_that_of_the_grid(study: Load) -> None:
    read = study(
        "question: Why?\ntask: {grid: [digits, mnist]}\nmodel:\n  network: {grid: [convnet, resnet]}\n"
        "  family: {grid: [free, shared, hyper]}\n  width: {grid: [8, 16, 32]}\n"
        "  groups: {grid: [1, 2], when: {width: [8, 16]}}\n  kernel_size: {grid: [3, 5]}\n"
        "  embedding_size: {grid: [1, 2], when: {task: mnist}}\ntraining: {l2: {grid: [0, 1e-4]}}\n"
    )
    points = [tuple(point.items()) for point in read.grid()]
    assert len(set(points)) == len(points) == read.size()
    assert (read.task, read.tasks()) == (None, ("digits", "mnist"))


def test_a_configuration_is_what_its_run_needs(study: Load) -> None:
    read = study(HYPER_OR_NARROWER)
    point = {"model.family": "hyper", "model.embedding_size": 1, "training.learning_rate": 0.01}
    chosen = read.configure(lambda axis: point[axis.name])
    assert chosen.point == point
    assert chosen.model.network == ConvNet(width=16)
    assert chosen.model.family == Hyper(embedding_size=1)
    assert chosen.training == TrainingSpec(steps=2000, learning_rate=0.01)
    assert chosen.run(3).fields()["task"] == "mnist"
    assert chosen.run(3).seed == 3
    assert read.configure(lambda axis: axis.values[0]).model.family == Free()  # type: ignore[index]


def test_a_configuration_that_cannot_be_built_is_refused(study: Load) -> None:
    read = study(
        "question: Why?\ntask: mnist\nmodel:\n  network: convnet\n  family: hyper\n  width: {grid: [16, 24]}\n"
    )
    with pytest.raises(Refused) as caught:
        read.configure(lambda axis: 24)
    assert caught.value.point == {"model.width": 24}
    assert caught.value.reason == (
        "model.basic_in: 16 does not divide the 24 input channels of a 7 x 7 x 24 x 24 kernel"
    )
    assert pickle.loads(pickle.dumps(caught.value)).reason == caught.value.reason
    with pytest.raises(Refused, match=r"^training\.warmup: 9 steps do not fit into 5"):
        study(
            "question: Why?\ntask: mnist\nmodel: {network: convnet, family: free}\n"
            "training: {steps: {grid: [5, 50]}, warmup: 9}\n"
        ).configure(lambda axis: 5)


def test_a_network_for_other_images_is_refused(study: Load) -> None:
    read = study(
        "question: Why?\ntask: {grid: [digits, mnist, cifar10]}\nmodel:\n  network: mlp\n  family: free\n"
        "  image_size: {grid: [8], when: {task: digits}, otherwise: 28}\n"
    )
    assert read.configure(lambda axis: axis.values[0]).model.network == Mlp(image_size=8)  # type: ignore[index]
    point = {"task": "mnist", "model.image_size": 8}
    assert read.configure(lambda axis: point[axis.name]).model.network == Mlp()
    with pytest.raises(Refused) as caught:
        read.configure(lambda axis: "cifar10")
    assert caught.value.reason == "model.image_size: 28 is not the 32 of the images of cifar10"


def test_axes_between_two_numbers(study: Load) -> None:
    read = study(
        "question: Why?\ntask: mnist\nmodel:\n  network: convnet\n  family: free\n  width: {between: [4, 8]}\n"
        "training: {learning_rate: {between: [1e-3, 1], log: true, role: science}}\n"
        "search: {sampler: tpe, trials: 20}\n"
    )
    assert read.axes == (
        Axis("model.width", "between", "science", low=4, high=8, integer=True),
        Axis("training.learning_rate", "between", "science", low=0.001, high=1.0, log=True),
    )
    assert read.size() is None
    with pytest.raises(ValueError, match="cannot be enumerated"):
        read.grid()


def test_milestones_are_a_tuple(study: Load) -> None:
    head = "question: Why?\ntask: mnist\nmodel: {network: convnet, family: free}\n"
    assert study(head + "training: {milestones: [0.25, 1]}\n").fixed["training.milestones"] == (0.25, 1.0)
    varied = study(head + "training: {milestones: {grid: [[0.5], [0.25, 0.75]]}}\n")
    assert varied.axes[0].values == ((0.5,), (0.25, 0.75))


def test_set_replaces_before_validation(study: Load) -> None:
    read = study(
        HYPER_OR_NARROWER.replace("steps: 2e3", "steps: abc"),
        "training.steps=50", "training.learning_rate={grid: [1e-3, 1e-2]}", "model.width.grid=[4]", "search.seeds=[7]",
        "report=", "name=other",
    )  # fmt: skip
    assert read.fixed["training.steps"] == 50
    assert read.axes[1].values == (4,)
    assert read.axes[3].values == (0.001, 0.01)
    assert (read.search.seeds, read.report.baseline, read.name) == ((7,), None, "other")


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("training.learning_rate={between: [1e-5, 1], log: true}", "search={sampler: nsga2, trials: 9, seed: 3}"),
        ("training.milestones={grid: [[0.5], [0.25, 0.75]], when: {schedule: step}}", "training.schedule=step"),
        ("model.generator_hidden={grid: [null, 3]}", "training.l2=1e-17", "question='no: # \"quoted\" [é]'"),
        ("model.network={grid: [resnet, convnet]}", "task={grid: [mnist, digits], role: nuisance}", "budget="),
        ("model.width={grid: [8, 16], when: {training.learning_rate: 1e-2}}", "name=1e5"),
    ],
)
def test_the_resolved_study_is_the_study(overrides: tuple[str, ...], study: Load) -> None:
    overrides = tuple(text.replace("name=1e5", "name='1e5'") for text in overrides)
    read = study(HYPER_OR_NARROWER, *overrides)
    again = study(read.resolved_yaml(), name="study.yaml")
    assert again == read
    assert again.resolved() == read.resolved() == YAML(typ="safe", pure=True).load(read.resolved_yaml())
    assert again.space_digest() == read.space_digest()
    assert pickle.loads(pickle.dumps(read)) == read


def test_the_digest_is_of_the_space(study: Load) -> None:
    same = ["search.seeds=[5]", "budget.runs=4", "budget.hours=", "resources.gpus=1", "report=", "question=Other?",
            "name=other", "training.learning_rate.role=science", "model.kernel_size=7"]  # fmt: skip
    other = ["model.width.grid=[8, 12]", "training.steps=100", "task=digits", "objectives=[validation_error]",
             "search.seed=1", "budget.params.max=9", "model.width.otherwise=8", "training.l2={grid: [0]}",
             "search={sampler: random, trials: 3}"]  # fmt: skip
    digest = study(HYPER_OR_NARROWER).space_digest()
    assert {study(HYPER_OR_NARROWER, text).space_digest() for text in same} == {digest}
    digests = [digest, *(study(HYPER_OR_NARROWER, text).space_digest() for text in other)]
    assert all(one != another for one, another in itertools.combinations(digests, 2))
    trials = [study(HYPER_OR_NARROWER, f"search={{sampler: tpe, trials: {n}}}").space_digest() for n in (3, 4)]
    assert trials[0] == trials[1] != digest


def test_any_stands_for_what_solve_tries(study: Load) -> None:
    read = study(HYPER_OR_NARROWER, "model.embedding_size={grid: any}")
    axis = read.axis("model.embedding_size")
    assert axis is not None
    assert axis.values == RANGES["hyper", "embedding_size"]


def test_a_condition_on_the_network_says_which_networks_values_are_meant(study: Load) -> None:
    """A Wide ResNet has at least 10 layers, and the other network 6 here."""
    read = study(
        """
question: q
task: cifar10
model:
  network: {grid: [resnet, wrn]}
  family: free
  depth: {grid: [10, 16], when: {network: wrn}, otherwise: 6}
  groups: 3
  width: 4
"""
    )
    depths = {
        (point["model.network"], read.configure(lambda axis, p=point: p[axis.name]).model.network.depth)
        for point in read.grid()
    }  # type: ignore[misc]
    assert depths == {("resnet", 6), ("wrn", 10), ("wrn", 16)}


def test_an_iso_budget(study: Load) -> None:
    read = study(HYPER_OR_NARROWER, "budget={params: {at: [20k, 1.5M, 300], tolerance: 5%, each: 2}}")
    params = read.budget.params
    assert params is not None
    assert (params.at, params.share, params.each, read.iso_budget) == ((20_000, 1_500_000, 300), 0.05, 2, True)
    assert params.ends == [21_000, 1_575_000, 315]
    assert [params.outside(count) for count in (285, 284, 21_000, 21_010)] == [0, 1, 0, 10]
    assert study(read.resolved_yaml()) == read
