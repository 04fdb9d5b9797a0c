"""Every class of mistake, with the exact message that it gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hyperbudget.config import Study, StudyFileError, load
from hyperbudget.data.tasks import TASK_NAMES as TASKS
from hyperbudget.nn.spec import FAMILIES, NETWORKS

TASK_NAMES, NETWORK_NAMES, FAMILY_NAMES = (", ".join(names) for names in (TASKS, NETWORKS, FAMILIES))
Complain = Callable[..., list[str]]
Load = Callable[..., Study]

HEAD = "question: Why?\ntask: digits\n"
MODEL = HEAD + "model:\n  network: convnet\n  family: {grid: [free, hyper]}\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  famly: free", "model.famly: unknown key; did you mean 'family'?"),
        ("  learning_rate: 1", "model.learning_rate: unknown key; did you mean 'training.learning_rate'?"),
        ("  width: abc", "model.width: 'abc' is not a whole number"),
        ("  width: '12'", "model.width: '12' is not a whole number"),
        ("  width: true", "model.width: true is not a whole number"),
        ("  width: 1.5", "model.width: 1.5 is not a whole number"),
        ("  width:", "model.width: null is not a whole number"),
        ("  width: 0", "model.width: 0 is less than 1"),
        ("  width: [8, 16]", "model.width: [8, 16] is a list; write {grid: [8, 16]} to search over it"),
        ("  slice_axis: inn", "model.slice_axis: 'inn' is not one of in, out; did you mean 'in'?"),
        ("  depth: 2", "model.depth: applies to the network resnet or wrn only, and this study has convnet"),
        ("  network: resnet", "model.network: given twice; the first is on line 4"),
        ("  width: !big 3", "model.width: the YAML tag !big is not allowed here; write the plain value"),
        # axes
        ("  width: {}", "model.width: {} has no values; give grid, choice or between"),
        ("  width: {grid: []}", "model.width.grid: is empty; give at least one value"),
        ("  width: {grid: 8}", "model.width.grid: 8 is not a list"),
        ("  width: {grid: [8, x]}", "model.width: 'x' is not a whole number"),
        ("  width: {grid: [8, 9, 8]}", "model.width.grid: 8 stands in the list twice"),
        ("  width: {gird: [8, 9]}", "model.width.gird: unknown key; did you mean 'grid'?"),
        ("  width: {grid: [8], choice: [8]}", "model.width: has grid and choice; give one of them"),
        ("  width: {grid: [8], log: true}", "model.width.log: goes with between only; remove it"),
        (
            "  width: {grid: [8], role: scince}",
            "model.width.role: 'scince' is not one of science, nuisance; did you mean 'science'?",
        ),
        ("  slice_axis: {between: [in, out]}", "model.slice_axis.between: is for numbers only; give a grid"),
        ("  width: {between: [8]}", "model.width.between: [8] is not a pair [lowest, highest]"),
        ("  width: {between: [9, 8]}", "model.width.between: 9 is not less than 8"),
        (
            "  width: {between: [8, 9]}",
            "model.width: a grid search has no place for between; give a grid, or set search.sampler to random, tpe, "
            "nsga2 or gp",
        ),
        # conditions
        (
            "  width: {grid: [8], otherwise: 9}",
            "model.width.otherwise: goes with when only; remove it, or say when the axis is varied",
        ),
        (
            "  width: {grid: [8], when: {family: free}, otherwise: x}",
            "model.width.otherwise: 'x' is not a whole number",
        ),
        ("  width: {grid: [8], when: {}}", "model.width.when: {} is empty; give at least one"),
        ("  width: {grid: [8], when: {family: []}}", "model.width.when.family: is empty; give at least one value"),
        (
            "  width: {grid: [8], when: {famly: free}}",
            "model.width.when.famly: no field has this name; did you mean 'family'?",
        ),
        (
            "  width: {grid: [8], when: {family: shared}}",
            "model.width.when.family: model.family is never 'shared' in this study; it is free, hyper",
        ),
        (
            "  width: {grid: [8], when: {family: fre}}",
            f"model.width.when.family: 'fre' is not one of {FAMILY_NAMES}; did you mean 'free'?",
        ),
        (
            "  width: {grid: [8], when: {depth: 2}}",
            "model.width.when.depth: applies to the network resnet or wrn only, and this study has convnet",
        ),
        (
            "  width: {grid: [8], when: {training.steps: 5}}",
            "model.width.when.training.steps: training.steps is never 5 in this study; it is 1000",
        ),
        (
            "  width: {grid: [8, 9], when: {width: 8}}",
            "model.width.when: the conditions go round in a circle: model.width -> model.width; take one of them out",
        ),
    ],
)
def test_in_the_model(line: str, message: str, complaints: Complain) -> None:
    assert complaints(f"{MODEL}{line}\n") == [f"x.yaml:6: {message}"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("qestion: Why?", "qestion: unknown key; did you mean 'question'?"),
        ("name: a b", "name: 'a b' does not consist of letters, digits and . _ - (neither . nor - at the beginning)"),
        (f"name: {'a' * 201}", "name: has 201 characters, and a folder is named so; use 200 at most"),
        ("name: ..", "name: '..' does not consist of letters, digits and . _ - (neither . nor - at the beginning)"),
        ("training: 3", "training: 3 is not a mapping of fields to values"),
        ("training: {learning_rate: -1}", "training.learning_rate: -1 is not greater than 0"),
        ("training: {learning_rate: .nan}", "training.learning_rate: nan is not a finite number"),
        ("training: {learning_rate: fast}", "training.learning_rate: 'fast' is not a number"),
        ("training: {momentum: 1.5}", "training.momentum: 1.5 is greater than 1"),
        ("training: {augment: no}", "training.augment: 'no' is a text in YAML 1.2; write false"),
        ("training: {augment: 0}", "training.augment: 0 is not true or false"),
        ("training: {milestones: [0.5, 2]}", "training.milestones: 2 is greater than 1"),
        ("training: {milestones: 0.5}", "training.milestones: 0.5 is not a list"),
        ("training: {l2: {between: [0, 1], log: true}}", "training.l2.between: 0 has no logarithm; begin above 0, or "
         "leave log out"),
        ("search: {sampler: gird}", "search.sampler: 'gird' is not one of grid, random, tpe, nsga2, gp; did you "
         "mean 'grid'?"),
        ("search: {sampler: tpe}", "search.trials: required by the sampler tpe: how many configurations to try"),
        ("search: {trials: 5}", "search.trials: 5 is of no use to the sampler grid, which tries everything; remove it"),
        ("search: {seeds: []}", "search.seeds: [] is empty; give at least one"),
        ("search: {seeds: [1, 1]}", "search.seeds: 1 stands in the list twice"),
        ("search: {seeds: [0, -1]}", "search.seeds[1]: -1 is less than 0"),
        ("search: {seeds: 0}", "search.seeds: 0 is less than 1; give how many seeds, or a list of them"),
        ("search: {seeds: all}", "search.seeds: 'all' is neither a list of seeds nor how many there are"),
        ("search: {pruner: halvig}", "search.pruner: 'halvig' is not one of none, median, halving, hyperband, "
         "wilcoxon; did you mean 'halving'?"),
        ("search: {pruner: wilcoxon}", "search: has the pruner wilcoxon, which compares seed by seed and decides "
         "after 4 at the earliest, and 3 in all; give 5 or more, or take another pruner"),
        ("search: {first_seeds: 2}", "search: has first_seeds without promote; say which share of the configurations "
         "gets the other seeds"),
        ("search: {promote: 50%, seeds: 1}", "search: has promote, but no seeds for a second round: 1 in all, 1 of "
         "them first; give more"),
        ("search: {promote: 0}", "search.promote: 0 promotes nothing; give a share above 0, or remove it"),
        ("search: {promote: 50}", "search.promote: '50' is not below 100%; for 50% write the sign"),
        ("search: {seeds: {first: 1}}", "search.seeds: {first: 1} is neither a list of seeds nor how many there are"),
        ("search: {sede: 0}", "search.sede: unknown key; did you mean 'seed'?"),
        ("search: {seeds: [9223372036854775808]}", "search.seeds[0]: 9223372036854775808 is not less than "
         "9.22337e+18"),
        ("search: [grid]", "search: ['grid'] is not a mapping"),
        ("objectives: []", "objectives: [] is empty; give at least one"),
        ("objectives: [validation_error, validation_error]", "objectives: 'validation_error' stands in the list twice"),
        ("objectives: [learnable_parameters]", "objectives: learnable_parameters alone is known without training; add "
         "validation_error"),
        ("objectives: [validation_eror]", "objectives[0]: 'validation_eror' is not one of validation_error, "
         "learnable_parameters; did you mean 'validation_error'?"),
        ("budget: {params: {mx: 3}}", "budget.params.mx: unknown key; did you mean 'max'?"),
        ("budget: {params: {max: 0}}", "budget.params.max: 0 is less than 1"),
        ("budget: {params: {max: 1, min: 2}}", "budget.params: min 2 is above max 1"),
        ("budget: {params: {max: 100q}}", "budget.params.max: '100q' is not a count such as 97000, 100k or 1.5M"),
        ("budget: {params: {at: [1k, 1000]}}", "budget.params.at: 1000 stands in the list twice"),
        ("budget: {params: {at: [1k], max: 5k}}", "budget.params: has at beside min or max; give the budgets to land "
         "on, or the ends, not both"),
        ("budget: {params: {tolerance: 2%}}", "budget.params: has tolerance without at; say which budgets to land on, "
         "or remove it"),
        ("budget: {params: {at: [1k], tolerance: 2}}", "budget.params.tolerance: '2' is not below 100%; for 2% write "
         "the sign"),
        ("budget: {runs: 2}", "budget.runs: 2 is less than the 3 seeds of one configuration, so nothing would be "
         "trained; raise it"),
        ("budget: {hours: 0}", "budget.hours: 0 is not greater than 0"),
        ("resources: {cpus: 0}", "resources.cpus: 0 is not greater than 0"),
        ("resources: {gpus: 1.5}", "resources.gpus: 1.5 is neither a share of one GPU nor a whole number of them"),
        ("resources: {gpus: all}", "resources.gpus: 'all' is neither a number of GPUs nor auto"),
        ("resources: {gpus: true}", "resources.gpus: true is neither a number of GPUs nor auto"),
        ("resources: {gpus: -1}", "resources.gpus: -1 is not a number of GPUs: give 0, a share such as 0.25, 1 or "
         "more, or auto"),
        ("resources: {stall: 0}", "resources.stall: 0 is not greater than 0"),
        ("resources: {stall: 30 mins}", "resources.stall: '30 mins' is not a duration such as 90s, 30min or 2h"),
        ("resources: {time_limit: 0s}", "resources.time_limit: '0s' is not more than 0"),
        ("resources: {pack: 0}", "resources.pack: 0 is neither auto, off nor how many runs share a pack"),
        ("resources: {pack: on}", "resources.pack: 'on' is neither auto, off nor how many runs share a pack"),
        ("resources: {pack: 8}", "resources.pack: 8: packs are of language models, and this study has convnet; remove "
         "it"),
        ("resources: {time_limits: 2h}", "resources.time_limits: unknown key; did you mean 'time_limit'?"),
        ("report: {baseline: fre}", f"report.baseline: 'fre' is not one of {FAMILY_NAMES}; did you mean 'free'?"),
        ("report: {baseline: shared}", "report.baseline: 'shared' is no family of this study, which has free, hyper"),
        ("report: {budgets: [5, 5]}", "report.budgets: 5 stands in the list twice"),
    ],
)  # fmt: skip
def test_elsewhere(line: str, message: str, complaints: Complain) -> None:
    assert complaints(f"{MODEL}{line}\n") == [f"x.yaml:6: {message}"]


@pytest.mark.parametrize("pruner", ["median", "halving", "hyperband"])
def test_a_pruner_without_anything_to_judge_by(pruner: str, study: Load, complaints: Complain) -> None:
    text = f"{MODEL}training: {{steps: 60, evaluate_every: 60}}\nsearch: {{pruner: {pruner}}}\n"
    assert complaints(text) == [
        f"x.yaml:7: search.pruner: {pruner} judges a training at its evaluations before the last, and there are none: "
        "training.evaluate_every is 60, of 60 steps; lower it, or take another pruner"
    ]
    for more in ("evaluate_every=59", "steps={grid: [60, 90]}", "evaluate_every={grid: [90, 30]}"):
        study(text, f"training.{more}")
    sampled = f"search={{sampler: random, trials: 9, pruner: {pruner}}}"
    study(text, "training.steps={between: [50, 90]}", sampled)
    assert len(complaints(text, "training.steps={between: [50, 60]}", sampled)) == 1


def test_what_is_required(complaints: Complain) -> None:
    assert complaints("search: {}\n") == [
        "x.yaml:1: question: required; say what the study asks",
        f"x.yaml:1: task: required; one of {TASK_NAMES}",
        f"x.yaml:1: model.network: required; one of {NETWORK_NAMES}",
        f"x.yaml:1: model.family: required; one of {FAMILY_NAMES}",
    ]


def test_a_wrong_task(complaints: Complain) -> None:
    text = "question: ' '\ntask: mnst\nmodel: {network: convnet, family: free}\n"
    assert complaints(text) == [
        "x.yaml:1: question: is empty; say what the study asks",
        f"x.yaml:2: task: 'mnst' is not one of {TASK_NAMES}, text:PATH; did you mean 'mnist'?",
    ]


def test_a_field_of_a_family_that_is_not_there(complaints: Complain) -> None:
    text = HEAD + "model:\n  network: convnet\n  family: free\n  embedding_size: 4\n"
    assert complaints(text) == [
        "x.yaml:6: model.embedding_size: applies to the family hyper or hyper_rnn or hyper_lstm or "
        "ln_hyper_lstm only, and this study has free"
    ]


def test_a_condition_on_a_range(complaints: Complain) -> None:
    text = MODEL + "  width: {between: [4, 8]}\n  kernel_size: {grid: [3], when: {width: 4}}\n"
    assert complaints(text + "search: {sampler: random, trials: 2}\n") == [
        "x.yaml:7: model.kernel_size.when.width: model.width is searched between two numbers; a condition needs a "
        "value or a grid"
    ]


def test_a_circle_through_the_family(complaints: Complain) -> None:
    text = HEAD + (
        "model:\n  network: convnet\n  family: {grid: [free, hyper], when: {basic_in: 4}, otherwise: free}\n"
        "  basic_in: {grid: [4, 8]}\n"
    )
    assert complaints(text) == [
        "x.yaml:5: model.family.when: the conditions go round in a circle: model.family -> model.basic_in -> "
        "model.family; take one of them out"
    ]


def test_a_family_has_no_default(complaints: Complain) -> None:
    text = HEAD + (
        "model:\n  network: convnet\n  family: {grid: [free, hyper], when: {width: 4}}\n  width: {grid: [4, 8]}\n"
    )
    assert complaints(text) == [
        "x.yaml:5: model.family: has no single default; say its value where the condition does not hold: otherwise"
    ]


def test_a_single_configuration_that_cannot_be_built(complaints: Complain) -> None:
    text = HEAD + "model:\n  network: convnet\n  family: hyper\n  basic_in: 5\n"
    assert complaints(text) == [
        "x.yaml:6: model.basic_in: 5 does not divide the 16 input channels of a 7 x 7 x 16 x 16 kernel"
    ]


def test_a_network_for_other_images(complaints: Complain) -> None:
    text = HEAD + "model:\n  network: mlp\n  family: free\n"
    assert complaints(text) == ["x.yaml:3: model.image_size: 28 is not the 8 of the images of digits"]
    assert complaints(text + "  image_size: 8\n  image_channels: 3\n") == [
        "x.yaml:7: model.image_channels: 3 is not the 1 of the images of digits"
    ]


def test_no_configuration_can_be_built(complaints: Complain) -> None:
    text = HEAD + "model:\n  network: convnet\n  family: hyper\n  basic_in: {grid: [5, 6]}\n"
    tpe = "training: {learning_rate: {between: [1e-3, 1e-2]}}\nsearch: {sampler: tpe, trials: 9}\n"
    expected = [
        "x.yaml:6: model.basic_in: none of the 2 configurations can be built; the first: 5 does not divide the 16 "
        "input channels of a 7 x 7 x 16 x 16 kernel"
    ]
    assert complaints(text) == expected
    assert complaints(text + tpe) == expected
    assert complaints(MODEL + "training: {warmup: 2000}\n") == [
        "x.yaml:6: training.warmup: none of the 2 configurations can be built; the first: 2000 steps do not fit into "
        "1000 steps of training"
    ]


def test_the_file_itself(complaints: Complain, tmp_path: Path) -> None:
    assert complaints("") == ["x.yaml: empty; a study file has at least a question, a task and a model"]
    assert complaints("- a\n") == ["x.yaml:1: ['a'] is not a mapping that begins like 'question: ...'"]
    assert complaints("a: 1\nb: c: d\n") == ["x.yaml:2: not YAML: mapping values are not allowed here"]
    for path, what in ((tmp_path / "y.yaml", "no such file"), (tmp_path, "cannot be read: Is a directory")):
        with pytest.raises(StudyFileError, match=what):
            load(path)
    (tmp_path / "z.yaml").write_bytes(b"question: Why?\ntask: \xff\n")
    with pytest.raises(StudyFileError) as caught:
        load(tmp_path / "z.yaml")
    assert str(caught.value) == f"{tmp_path / 'z.yaml'}:2: not UTF-8 text: byte 0xff"


def test_a_file_name_that_is_no_name(complaints: Complain) -> None:
    text = HEAD + "model: {network: convnet, family: free}\n"
    assert complaints(text, name="my study.yaml") == [
        "my study.yaml:1: name: the file's name, 'my study', is none for a study; give one with name: ..."
    ]


def test_a_duplicate_hides_nothing_else(complaints: Complain) -> None:
    assert complaints(MODEL + "  width: 0\n  width: 8\ntraining:\n  stps: 3\n") == [
        "x.yaml:6: model.width: 0 is less than 1",
        "x.yaml:7: model.width: given twice; the first is on line 6",
        "x.yaml:9: training.stps: unknown key; did you mean 'steps'?",
    ]


def test_set_is_named_as_the_place(complaints: Complain) -> None:
    text = MODEL + "  width: 0\n"
    assert complaints(
        text, "model.width=abc", "training.learning_rate={grid: [1, -1]}", "modle.width=3", "steps", "task.x=1",
        "search.seed=[1", "search={seed: 1, seed: 2}", "report.budgets=[0]",
    ) == [
        "--set model.width=abc: model.width: 'abc' is not a whole number",
        "--set training.learning_rate={grid: [1, -1]}: training.learning_rate: -1 is not greater than 0",
        "--set modle.width=3: modle: unknown key; did you mean 'model'?",
        "--set steps: is not KEY=VALUE, such as training.steps=500",
        "--set task.x=1: task.x: task is 'digits' and has no keys; set it as a whole",
        "--set search.seed=[1: search.seed: not YAML: while parsing a flow sequence, expected ',' or ']', but got "
        "'<stream end>'",
        "--set search={seed: 1, seed: 2}: search.seed: given twice; the first is on line 1",
        "--set report.budgets=[0]: report.budgets[0]: 0 is less than 1",
    ]  # fmt: skip


def test_set_replaces_the_place_with_the_value(complaints: Complain) -> None:
    text = MODEL + "  width:\n    grid: [8, 16]\n  basic_in: 3\n"
    assert complaints(text, "model.width={grid: [8, x]}", "model.basic_in=0") == [
        "--set model.width={grid: [8, x]}: model.width: 'x' is not a whole number",
        "--set model.basic_in=0: model.basic_in: 0 is less than 1",
    ]


def test_a_text_that_is_not_there(complaints: Complain, tmp_path: Path) -> None:
    text = f"question: Why?\ntask: text:{tmp_path}/none.txt\nmodel: {{network: language_model, family: lstm}}\n"
    assert complaints(text) == ["x.yaml:2: task: 'text:none.txt': there is no such file"]


def test_networks_families_and_tasks_that_do_not_go_together(complaints: Complain) -> None:
    of_text = "question: Why?\ntask: pydocs\nmodel: {network: convnet, family: free}\n"
    assert complaints(of_text) == [
        "x.yaml:3: model.network: convnet takes images, and pydocs is a text; take language_model"
    ]
    of_images = HEAD + "model: {network: language_model, family: lstm}\n"
    assert complaints(of_images) == [
        "x.yaml:3: model.network: language_model takes a text, and digits is images; take convnet, mlp, resnet, wrn"
    ]
    kernels = "question: Why?\ntask: pydocs\nmodel: {network: language_model, family: hyper}\n"
    assert complaints(kernels) == [
        "x.yaml:3: model.family: hyper is none of a language_model; take lstm, ln_lstm, rnn, hyper_rnn, hyper_lstm, "
        "ln_hyper_lstm"
    ]


def test_a_text_shorter_than_a_window(complaints: Complain, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("too short " * 30)
    text = (
        f"question: Why?\ntask: text:{tmp_path}/short.txt\nmodel: {{network: language_model, family: lstm}}\n"
        "training:\n  batch_size: 10\n  length: 100\n"
    )
    assert complaints(text) == [
        "x.yaml:5: training.batch_size: 10 streams of length 100 need 1,100 symbols, and the training text of "
        "text:short.txt has 270; make one of them smaller"
    ]
