from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from hyperbudget import __version__
from hyperbudget.cli import COMMANDS, main
from hyperbudget.errors import UserError

HEAVY = {"torch", "ray", "mlflow", "optuna", "pandas", "pydantic", "numpy", "matplotlib", "rich", "ruamel", "jinja2"}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["", *COMMANDS, "bench static", "bench recurrent"])
def test_help_imports_nothing_heavy(name: str) -> None:
    arguments = [*name.split(), "--help"]
    said = python(
        "import sys; from hyperbudget.cli import main\n"
        f"try: main({arguments}, prog_name='hyperbudget')\n"
        "except SystemExit as ended: assert not ended.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    assert said.returncode == 0
    assert said.stdout.startswith("Usage: hyperbudget")
    loaded = {module.partition(".")[0] for module in said.stderr.split()}
    assert "click" in loaded
    assert not HEAVY & loaded


def test_help_of_the_whole_imports_no_command() -> None:
    said = python(
        "import sys; from hyperbudget.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*(name for name in sys.modules if name.startswith('hyperbudget.cli.')), file=sys.stderr)"
    )
    assert said.stderr.split() == []
    for name, text in COMMANDS.items():
        assert f"  {name.ljust(max(map(len, COMMANDS)))}  {text}\n" in said.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_called_what_it_is_registered_as(name: str) -> None:
    assert importlib.import_module(f"hyperbudget.cli.{name}").command.name == name


def test_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"hyperbudget, version {__version__}\n"


def test_an_unknown_command_exits_with_2() -> None:
    result = CliRunner().invoke(main, ["chek"])
    assert result.exit_code == 2
    assert "No such command 'chek'. Did you mean 'check'?" in result.stderr


class Stopped(UserError):
    exit_code = 3


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (UserError("x.yaml:1: a\nx.yaml:2: b"), 2, "x.yaml:1: a\nx.yaml:2: b\n"),
        (Stopped("nothing left"), 3, "nothing left\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_exit_codes(raised: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise raised

    monkeypatch.setattr("hyperbudget.config.shipped.shipped", fail)
    result = CliRunner().invoke(main, ["ls"])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", message)


def test_a_command_may_return_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("hyperbudget.cli.ls").command, "callback", lambda: 130)
    assert CliRunner().invoke(main, ["ls"]).exit_code == 130


@pytest.mark.parametrize(("no_color", "expected"), [("", "\x1b[31mwrong\x1b[0m\n"), ("1", "wrong\n")])
def test_no_color_is_obeyed(no_color: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise UserError("wrong")

    monkeypatch.setattr("hyperbudget.config.shipped.shipped", fail)
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr("hyperbudget.cli.is_terminal", lambda: True)
    assert CliRunner().invoke(main, ["ls"], color=True).stderr == expected


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    said = subprocess.run(
        [sys.executable, "-m", "hyperbudget", "--help"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert said.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("no bash on this machine")
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"_HYPERBUDGET_COMPLETE={shell}_complete" in result.stdout


def test_commands_are_completed() -> None:
    said = CliRunner().invoke(
        main, [], prog_name="hyperbudget",
        env={"_HYPERBUDGET_COMPLETE": "bash_complete", "COMP_WORDS": "hyperbudget c", "COMP_CWORD": "1"},
    )  # fmt: skip
    assert said.stdout.split() == ["plain,cp", "plain,check", "plain,count", "plain,compare", "plain,completion"]
