from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hyperbudget.cli import main
from hyperbudget.config.shipped import shipped
from hyperbudget.data.tasks import TASK_NAMES

STUDY = """\
# A comment.
question: Is wider
  better?
task: digits
model:
  network: convnet
  family: {grid: [free, hyper]}
  width: {grid: [8, 16], when: {family: free}, otherwise: 16}
search: {seeds: [0, 1]}
"""

TEN_MISTAKES = """\
question: Is wider better?
tsk: digits
task: digit
model:
  network: convnet
  family: {grid: [free, shared]}
  width: {grid: [8, abc]}
  embedding_size: 4
  width: 16
training:
  learning_rate: -1
  stps: 100
  warmup: {between: [5, 1]}
search: {sampler: gird}
budget: {params: {mx: 10}}
"""


@pytest.fixture
def studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped studies, beside an empty working directory."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "wide.yaml").write_text(STUDY)
    (folder / "narrow-net.yaml").write_text(STUDY.replace("wider\n  better", "narrower better"))
    (folder / "notes.txt").write_text("no study")
    monkeypatch.setattr("hyperbudget.config.shipped.folder", lambda: folder)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return folder


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="hyperbudget")


def complete(words: str) -> list[str]:
    env = {"_HYPERBUDGET_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    return CliRunner().invoke(main, [], prog_name="hyperbudget", env=env).stdout.split()


def test_ls_shows_names_and_questions(studies: Path) -> None:
    assert call("ls").stdout == "narrow-net  Is narrower better?\nwide        Is wider better?\n"


def test_the_quick_start_ships() -> None:
    assert "digits-quick" in shipped()


@pytest.mark.parametrize("name", shipped())
def test_what_ships_is_valid(name: str) -> None:
    result = call("check", name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{name}: valid; ")


def test_cp_copies(studies: Path, tmp_path: Path) -> None:
    assert call("cp", "wide").stdout == "wide.yaml\n"
    assert Path("wide.yaml").read_text() == STUDY
    assert call("cp", "wide", "mine.yaml").stdout == "mine.yaml\n"
    assert Path("mine.yaml").read_text() == STUDY
    (tmp_path / "folder").mkdir()
    assert call("cp", "wide", str(tmp_path / "folder")).stdout == f"{tmp_path}/folder/wide.yaml\n"
    assert (tmp_path / "folder" / "wide.yaml").read_text() == STUDY


def test_cp_overwrites_only_when_asked(studies: Path) -> None:
    Path("wide.yaml").write_text("mine")
    refused = call("cp", "wide")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == "wide.yaml: exists; give another file, or --force to overwrite it\n"
    assert Path("wide.yaml").read_text() == "mine"
    assert call("cp", "wide", "--force").exit_code == 0
    assert Path("wide.yaml").read_text() == STUDY


def test_cp_names_the_nearest(studies: Path) -> None:
    assert call("cp", "wied").stderr == "wied: no shipped study; did you mean 'wide'?\n"
    assert call("cp", "zzz").stderr == "zzz: no shipped study; see: hyperbudget ls\n"
    refused = call("cp", "wide", "missing/x.yaml")
    assert (refused.exit_code, refused.stderr) == (2, "missing/x.yaml: cannot be written: No such file or directory\n")


def test_check_takes_a_file_or_a_name(studies: Path) -> None:
    Path("mine.yaml").write_text(STUDY)
    assert call("check", "mine.yaml").stdout == "mine: valid; 2 axes, 3 configurations, 2 seeds\n"
    assert call("check", "wide").stdout == "wide: valid; 2 axes, 3 configurations, 2 seeds\n"
    missing = call("check", "wied.yaml")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert missing.stderr == "wied.yaml: no such file or shipped study; did you mean 'wide'?\n"
    assert call("check", ".").stderr == ".: is a folder, not a study file\n"
    assert call("check").exit_code == 2


def test_check_with_overrides(studies: Path) -> None:
    said = call("check", "wide", "--set", "model.family=free", "--set", "search.seeds=1", "--set", "model.width=8")
    assert said.stdout == "wide: valid; 0 axes, 1 configuration, 1 seed\n"
    between = "training.learning_rate={between: [1e-3, 1e-2]}"
    said = call("check", "wide", "--set", between, "--set", "search={sampler: tpe, trials: 1500}")
    assert said.stdout == "wide: valid; 3 axes, 1,500 trials, 3 seeds\n"
    said = call("check", "wide", "--set", "model.widht=8")
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == "--set model.widht=8: model.widht: unknown key; did you mean 'width'?\n"


def test_ten_mistakes_are_ten_located_messages(studies: Path) -> None:
    Path("bad.yaml").write_text(TEN_MISTAKES)
    result = call("check", "bad.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "bad.yaml:2: tsk: unknown key; did you mean 'task'?",
        f"bad.yaml:3: task: 'digit' is not one of {', '.join(TASK_NAMES)}, text:PATH; did you mean 'digits'?",
        "bad.yaml:7: model.width: 'abc' is not a whole number",
        "bad.yaml:8: model.embedding_size: applies to the family hyper or hyper_rnn or hyper_lstm or "
        "ln_hyper_lstm only, and this study has free, shared",
        "bad.yaml:9: model.width: given twice; the first is on line 7",
        "bad.yaml:11: training.learning_rate: -1 is not greater than 0",
        "bad.yaml:12: training.stps: unknown key; did you mean 'steps'?",
        "bad.yaml:13: training.warmup.between: 5 is not less than 1",
        "bad.yaml:14: search.sampler: 'gird' is not one of grid, random, tpe, nsga2, gp; did you mean 'grid'?",
        "bad.yaml:15: budget.params.mx: unknown key; did you mean 'max'?",
    ]


def test_studies_are_completed(studies: Path) -> None:
    for name in ("wish.yaml", "other.yaml", "wish.txt"):
        Path(name).write_text("")
    assert complete("hyperbudget check wi") == ["plain,wide", "plain,wish.yaml", "dir,wi"]
    assert complete("hyperbudget cp n") == ["plain,narrow-net"]
