"""The commands about budgets: count and solve."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hyperbudget.cli import main
from hyperbudget.data.tasks import TASK_NAMES

MODEL = """\
task: cifar10
model: {network: wrn, depth: 40, width: 1, family: hyper, embedding_size: 64}
"""
STUDY = """\
question: Which is better?
task: digits
model:
  network: resnet
  family: {grid: [free, hyper]}
  depth: {grid: [2, 4]}
training:
  learning_rate: {grid: [1e-2, 1e-3]}
"""
MISTAKES = """\
task: cifar1
modle: 3
model:
  network: wrn
  depht: 40
  width: {grid: [1, 2]}
  family: hyper
"""


@pytest.fixture
def model(tmp_path: Path) -> str:
    file = tmp_path / "a model.yaml"
    file.write_text(MODEL)
    return str(file)


@pytest.fixture
def study(tmp_path: Path) -> str:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    return str(file)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="hyperbudget")


class TestCount:
    def test_a_model_by_group(self, model):
        said = call("count", model)
        assert said.exit_code == 0
        lines = [line.split() for line in said.stdout.splitlines()]
        assert ["generator", "75,920", "78.6%"] in lines
        assert ["embeddings", "15,488", "16.0%"] in lines
        assert ["learnable", "96,602"] in lines
        assert "shortcuts" not in said.stdout

    def test_set_changes_the_model(self, model):
        said = json.loads(call("count", model, "--set", "model.accounting=standard", "--json").stdout)
        assert [(entry["params.learnable"], entry["params.shortcuts"]) for entry in said] == [(97_770, 2_560)]

    def test_a_studys_distinct_models(self, study):
        said = call("count", study)
        assert said.exit_code == 0
        assert said.stdout.startswith("4 models on digits")
        assert len(json.loads(call("count", study, "--json").stdout)) == 4

    def test_a_study_of_several_tasks(self, study):
        said = call("count", study, "--set", "task={grid: [digits, mnist]}")
        assert said.stdout.startswith("8 models on digits and mnist")

    def test_imports_no_torch(self, model):
        code = (
            "import sys; from hyperbudget.cli import main\n"
            f"try: main(['count', {model!r}, '--against', 'paper/table-2'])\n"
            "except SystemExit as ended: assert not ended.code\n"
            "assert 'torch' not in sys.modules"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (said.returncode, said.stderr) == (0, "")

    def test_every_mistake_with_its_line(self, tmp_path):
        file = tmp_path / "m.yaml"
        file.write_text(MISTAKES)
        said = call("count", str(file))
        assert said.exit_code == 2
        assert said.stderr.splitlines() == [
            f"{file}:1: task: 'cifar1' is not one of {', '.join(TASK_NAMES)}, text:PATH; did you mean 'cifar10'?",
            f"{file}:2: modle: unknown key; did you mean 'model'?",
            f"{file}:5: model.depht: unknown key; did you mean 'depth'?",
            f"{file}:6: model.width: an axis; a model file has one value for each field, a study a question",
        ]

    def test_a_model_that_cannot_be(self, model):
        said = call("count", model, "--set", "model.basic_in=7")
        assert said.exit_code == 2
        assert "model.basic_in: 7 does not divide the 16 input channels" in said.stderr

    def test_a_study_with_a_mistake_is_told_as_a_study(self, study):
        said = call("count", study, "--set", "serach.seeds=1")
        assert said.exit_code == 2
        assert "unknown key; did you mean 'search'?" in said.stderr

    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            ([], "give a study or a model file"),
            (["nowhere.yaml"], "no such file or shipped study"),
            (
                ["--against", "paper/table-9"],
                "'paper/table-9' is not one of paper/appendix-a1, paper/table-2, paper/table-3, paper/table-4, "
                "paper/table-6",
            ),
            (["--against", "paper/table-2", "--set", "model.width=2"], "no file to put a value into"),
        ],
    )
    def test_bad_input(self, arguments, what):
        said = call("count", *arguments)
        assert said.exit_code == 2
        assert what in said.stderr


class TestCountAgainst:
    def test_table_2_is_reproduced(self):
        said = call("count", "--against", "paper/table-2")
        assert said.exit_code == 0
        assert said.stdout.count("equal") == 4
        rows = json.loads(call("count", "--against", "paper/table-2", "--json").stdout)
        assert [row["ours"] for row in rows] == [562_762, 2_235_530, 96_602, 147_610]

    def test_appendix_a1_is_reproduced(self):
        said = call("count", "--against", "paper/appendix-a1")
        assert said.exit_code == 0
        assert said.stdout.count("equal") == 2
        rows = json.loads(call("count", "--against", "paper/appendix-a1", "--json").stdout)
        assert [row["ours"] for row in rows] == [200_704, 801]

    def test_only_the_models_own_row(self, model):
        said = call("count", model, "--against", "paper/table-2")
        assert said.exit_code == 0
        assert said.stdout.count("equal") == 1
        assert said.stdout.count("none of these models") == 3

    def test_a_shipped_study(self):
        said = call("count", "mnist-kernel", "--against", "paper/table-6")
        assert said.exit_code == 0
        assert said.stdout.count("equal") == 2

    def test_no_row_of_the_model(self, model):
        assert call("count", model, "--against", "paper/table-6").exit_code == 1

    def test_a_count_that_differs(self, model, monkeypatch):
        from dataclasses import replace

        from hyperbudget.budget import paper

        monkeypatch.setattr(paper, "ROWS", tuple(replace(row, count=row.count + 1000) for row in paper.ROWS))
        said = call("count", "--against", "paper/table-2")
        assert said.exit_code == 1
        assert said.stdout.count("DIFFERS") == 4


class TestSolve:
    def test_finds_the_papers_network(self):
        said = call("solve", "--params", "97k", "--tolerance", "0.5%", "--task", "cifar10", "--network", "wrn",
                    "--family", "hyper", "--range", "depth=40", "--range", "width=1")  # fmt: skip
        assert said.exit_code == 0
        row = next(line for line in said.stdout.splitlines() if "wrn depth 40 width 1" in line)
        assert row.split()[-5:] == ["96,602", "-0.41%", "557,568", "5.77", "166.0"]
        assert "within 0.5% of 97,000: hyper 1" in said.stdout

    def test_families_that_miss_the_budget_are_told_their_nearest(self):
        said = call("solve", "--params", "100k", "--task", "cifar10", "--network", "wrn")
        assert said.exit_code == 0
        assert "free: none; the nearest is wrn depth 10 width 1, free: 75,562" in said.stdout

    def test_json_models_can_be_counted(self, tmp_path):
        said = call("solve", "--params", "3k", "--task", "digits", "--limit", "2", "--json")
        solutions = json.loads(said.stdout)["solutions"]
        assert solutions
        for solution in solutions:
            assert abs(solution["learnable"] / 3000 - 1) <= 0.02
        file = tmp_path / "m.yaml"
        file.write_text(json.dumps({"task": "digits", "model": solutions[0]["model"]}))
        counted = json.loads(call("count", str(file), "--json").stdout)
        assert counted[0]["params.learnable"] == solutions[0]["learnable"]

    def test_a_range_of_shares(self):
        said = call("solve", "--params", "60k", "--tolerance", "20%", "--task", "cifar10", "--network", "wrn",
                    "--family", "dct", "--range", "coefficient_share=0.05,0.1", "--range", "width=1..2",
                    "--json")  # fmt: skip
        shares = {found["model"]["coefficient_share"] for found in json.loads(said.stdout)["solutions"]}
        assert shares == {0.05, 0.1}

    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            (["--params", "1x"], "--params: '1x' is not a count"),
            (["--tolerance", "2"], "--tolerance: '2' is not below 100%"),
            (["--task", "cifar"], "did you mean 'cifar10'?"),
            (["--network", "wnr"], "did you mean 'wrn'?"),
            (["--family", "hyperr"], "did you mean 'hyper'?"),
            (["--range", "depth"], "is not FIELD=VALUES"),
            (["--range", "depth=1..1000000"], "more than 100,000 values"),
            (["--range", "dpth=10"], "--range: dpth: is no field"),
            (["--range", "embedding_size=0"], "--range: embedding_size: 0 is less than 1"),
            (
                ["--params", "9", "--network", "wrn"],
                "no configuration has 9 learnable parameters within 2%; the nearest",
            ),
        ],
    )
    def test_bad_input_is_one_line(self, arguments, what):
        said = call("solve", "--params", "100k", "--task", "cifar10", *arguments)
        assert said.exit_code == 2
        assert said.stdout == ""
        assert what in said.stderr
        assert len(said.stderr.splitlines()) == 1
