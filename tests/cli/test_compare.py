import pytest
from click.testing import CliRunner

from hyperbudget.cli import main
from hyperbudget.cli.compare import short_names
from hyperbudget.study.results.frame import write
from tests.analyze.test_compare import study
from tests.report.frames import cells


def call(*words):
    return CliRunner().invoke(main, ["compare", *map(str, words)])


@pytest.fixture
def folders(tmp_path):
    for name, made in (("old", study()), ("new", study(noise=1)), ("bits", cells())):
        (tmp_path / name).mkdir()
        write(made, tmp_path / name / "runs.parquet")
    return tmp_path


def test_folders_and_files(folders):
    found = call(folders / "old", folders / "new/runs.parquet", "--out", folders / "out", "--only", "html")
    assert found.exit_code == 0, found.output
    assert found.output.split() == [str(folders / "out/comparison.html")]
    assert "old and new: do they differ?" in (folders / "out/comparison.html").read_text()


def test_studies_of_other_names_keep_them(folders):
    made = study()
    made.attrs["study"]["name"] = "another"
    write(made, folders / "new/runs.parquet")
    call(folders / "old", folders / "new", "--out", folders / "out", "--only", "html")
    assert "digits-static and another: do they differ?" in (folders / "out/comparison.html").read_text()


def test_what_is_left_out_is_said_beside_the_files(folders):
    made = study(widths=(16, 24, 32))
    write(made, folders / "new/runs.parquet")
    found = CliRunner().invoke(
        main, ["compare", str(folders / "old"), str(folders / "new"), "--out", str(folders / "out"), "--only", "html"]
    )
    assert found.stdout.split() == [str(folders / "out/comparison.html")]
    assert found.stderr.splitlines() == [
        "1 configuration finished in old and not in new.",
        "1 configuration finished in new and not in old.",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["old", "bits"], "ptb-cells: its task is ptb, and that of digits-static is digits; only studies of the same"),
        (["old", "old/runs.parquet"], "names the same runs twice; give different studies"),
        (["old"], "compare: takes 2 to 6 studies, and got 1"),
        (["old", "nothing"], "no such file or shipped study"),
    ],
)
def test_bad_input_is_one_line(folders, given, message):
    found = call(*(folders / name for name in given), "--out", folders / "out")
    assert found.exit_code == 2
    assert message in found.output
    assert len(found.output.strip().splitlines()) == 1
    assert not (folders / "out").exists()


def test_short_names():
    assert short_names(["old/x/runs.parquet", "new/x"]) == ["old", "new"]
    assert short_names(["/a/b/x", "/a/c/y"]) == ["x", "y"]
    assert short_names(["/a/b/x", "/a/c/x", "/a/c/y"]) == ["b/x", "c/x", "c/y"]
    assert short_names(["v1.2.parquet", "v1.3.parquet"]) == ["v1.2", "v1.3"]
    assert short_names(["x", "x/y"]) == ["x", "y"]
