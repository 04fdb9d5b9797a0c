"""``search: {include: [...]}``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hyperbudget.config import Study

Load = Callable[..., Study]
Complain = Callable[..., list[str]]

TEXT = """\
question: Why?
task: digits
model:
  network: convnet
  family: {grid: [free, hyper]}
  width: {grid: [8, 16], when: {family: free}, otherwise: 16}
  generator_hidden: {grid: [null, 3]}
training:
  learning_rate: {between: [1e-3, 1e-2], log: true}
  milestones: {grid: [[0.5], [0.25, 0.75]]}
search:
  sampler: tpe
  trials: 9
  include:
"""


def test_points_are_typed_and_have_full_names(study: Load) -> None:
    one = "{family: free, width: 8.0, learning_rate: 1e-2, milestones: [0.5]}"
    two = "{model.family: hyper, generator_hidden: null, training.learning_rate: 2e-3, milestones: [0.25, 0.75]}"
    read = study(f"{TEXT}    - {one}\n    - {two}\n")
    rate, milestones = "training.learning_rate", "training.milestones"
    assert read.search.include == (
        {"model.family": "free", "model.width": 8, rate: 0.01, milestones: (0.5,)},
        {"model.family": "hyper", "model.generator_hidden": None, rate: 0.002, milestones: (0.25, 0.75)},
    )
    assert type(read.search.include[0]["model.width"]) is int
    again = study(read.resolved_yaml(), name="study.yaml")
    assert again == read
    assert isinstance(hash(again.search), int)
    assert read.space_digest() == study(TEXT.removesuffix("  include:\n")).space_digest()


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ("8", "include[0]: 8 is not a mapping of axes to values, such as {family: free, width: 8}"),
        ("{famly: free}", "include[0].famly: no axis has this name; did you mean 'family'?"),
        ("{kernel_size: 3}", "include[0].kernel_size: is no axis of this study, where model.kernel_size is 7 in every "
         "configuration"),
        ("{family: shared}", "include[0].family: 'shared' is not one of its values, 'free', 'hyper'"),
        ("{family: free, model.family: free}",
         "include[0].model.family: model.family stands in this configuration twice"),
        ("{learning_rate: 0.5}", "include[0].learning_rate: 0.5 is not between 0.001 and 0.01"),
        ("{learning_rate: fast}", "include[0].learning_rate: 'fast' is not a number"),
        ("{family: hyper, generator_hidden: 3, learning_rate: 2e-3}", "include[0]: lacks training.milestones; an "
         "included configuration has a value on each of its axes"),
        ("{family: free, learning_rate: 2e-3}", "include[0]: lacks model.width, training.milestones; an "
         "included configuration has a value on each of its axes"),
        ("{family: hyper, width: 8, generator_hidden: 3, learning_rate: 2e-3, milestones: [0.5]}",
         "include[0].model.width: is not varied here, but where model.family is 'free'; remove it"),
        ("{family: free, width: 8, generator_hidden: 3, learning_rate: 2e-3, milestones: [0.5]}",
         "include[0].model.generator_hidden: no field of this configuration; remove it"),
    ],
)  # fmt: skip
def test_a_point_that_is_none(complaints: Complain, point: str, words: str) -> None:
    assert complaints(TEXT + f"    - {point}\n") == [f"x.yaml:15: search.{words}"]


def test_the_same_point_twice(complaints: Complain) -> None:
    point = "    - {family: free, width: 8, learning_rate: 1e-2, milestones: [0.5]}\n"
    assert complaints(TEXT + point + point) == ["x.yaml:16: search.include[1]: is the same as search.include[0]"]


def test_more_points_than_trials(complaints: Complain) -> None:
    points = [f"    - {{family: free, width: {n}, learning_rate: 1e-2, milestones: [0.5]}}\n" for n in (8, 16)]
    assert complaints(TEXT.replace("trials: 9", "trials: 1") + "".join(points)) == [
        "x.yaml:13: search.trials: 1 is less than the 2 configurations of search.include; raise it"
    ]
