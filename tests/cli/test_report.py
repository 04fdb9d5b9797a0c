import sys
import types

import pytest
from click.testing import CliRunner

from hyperbudget.cli.report import command
from hyperbudget.errors import UserError
from hyperbudget.study.results.frame import write
from tests.report.frames import demo


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "results" / "runs.parquet"
    path.parent.mkdir()
    write(demo(2), path)
    return path


def invoke(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.mark.parametrize("folder", [False, True])
def test_report_of_a_table_lies_beside_it(runs, folder):
    result = invoke(runs.parent if folder else runs, "--only", "html")
    assert result.output.split() == [str(runs.parent / "report.html")]
    assert (runs.parent / "report.html").is_file()
    assert not (runs.parent / "report.pdf").exists()


def test_out(runs, tmp_path):
    result = invoke(runs, "--out", tmp_path / "deep" / "out")
    assert result.output.split() == [str(tmp_path / "deep" / "out" / name) for name in ("report.html", "report.pdf")]


def test_study_is_collected_first(runs, monkeypatch):
    module = types.ModuleType("hyperbudget.study.results.collect")
    asked = []
    module.collect = lambda study: asked.append(study) or runs
    monkeypatch.setitem(sys.modules, "hyperbudget.study.results.collect", module)
    assert invoke("digits-quick", "--only", "html").exit_code == 0
    assert [study.name for study in asked] == ["digits-quick.yaml"]


def test_bad_paths(tmp_path):
    for path, what in ((tmp_path, "holds no runs.parquet"), (tmp_path / "x.parquet", "no such file")):
        result = invoke(path)
        assert isinstance(result.exception, UserError)
        assert what in str(result.exception)
