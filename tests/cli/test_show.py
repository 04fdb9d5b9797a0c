"""``hyperbudget show`` as a user calls it, on runs of a few steps."""

import re
import shutil

import pytest
import torch
from click.testing import CliRunner

from hyperbudget.cli import main
from hyperbudget.nn.spec import Coordinate, Dct, Free, Hashed, Hyper, LowRank, ModelSpec, ResNet, Shared
from hyperbudget.study.folder import RunFolder, write_json
from hyperbudget.study.results.finished import find_run
from hyperbudget.study.results.kernels import kernels_of
from tests.cli.test_export import finished

NETWORK = ResNet(depth=4, width=8, groups=2)
FAMILIES = {
    "hyper": Hyper(2, basic_in=8, basic_out=8),
    "wider": Hyper(3, basic_in=4, basic_out=8),
    "free": Free(),
    "shared": Shared("all"),
    "low_rank": LowRank(2),
    "dct": Dct(),
    "coordinate": Coordinate(coordinate_hidden=5),
    "hashed": Hashed(50),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of results of a study `tiny` with a run of every family, and the names of the runs."""
    results = tmp_path_factory.mktemp("results")
    runs = {name: finished(results / "tiny" / "runs", model=ModelSpec(NETWORK, f)) for name, f in FAMILIES.items()}
    runs["seed"] = finished(results / "tiny" / "runs", seed=1, model=ModelSpec(NETWORK, FAMILIES["hyper"]))
    runs["narrow"] = finished(results / "tiny" / "runs", model=ModelSpec(ResNet(depth=4, width=4, groups=2), Free()))
    runs["shallow"] = finished(results / "tiny" / "runs", model=ModelSpec(ResNet(depth=2, width=8), Free()))
    return results, {name: run.path.name for name, run in runs.items()}


@pytest.fixture
def runs(trained, tmp_path, monkeypatch):
    """The names of the runs, in an empty current folder."""
    results, names = trained
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(results))
    return names


def call(*arguments):
    return CliRunner().invoke(main, ["show", *map(str, arguments)])


def shown(*arguments):
    done = call(*arguments)
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    return done.stdout


def refused(*arguments):
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(runs, family, tmp_path):
    said = shown(runs[family])
    folder = f"{runs[family]}-pictures"
    pictures = ["kernels", "similarity", "spectrum"]
    if isinstance(FAMILIES[family], Hyper):
        pictures.append("embeddings")
    else:
        assert f"no {folder}/embeddings.png: kernels of family {family} have none\n" in said
    assert sorted(path.stem for path in (tmp_path / folder).iterdir()) == sorted(pictures)
    assert all((tmp_path / folder / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in pictures)
    assert [line for line in said.splitlines() if line.startswith(folder)] == [f"{folder}/{p}.png" for p in pictures]


def test_the_table(runs):
    lines = shown(runs["hyper"], "--out", "x").splitlines()
    assert lines[0].startswith(f"run {runs['hyper']}, resnet depth 4 width 8 groups 2, hyper N_z 2 d 2 in 8 out 8, on ")
    assert "test error" in lines[0]
    assert lines[1].split("   ")[0].strip() == "kernel"
    rows = [line.split() for line in lines[2:6]]
    kernels = kernels_of(find_run(runs["hyper"]), "").arrays
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert " ".join(rows[2][1:8]) == "3 x 3 x 8 x 16"
    assert [float(row[8]) for row in rows] == pytest.approx([kernel.std() for kernel in kernels], abs=1e-4)
    assert [row[-1] for row in rows] == ["8", "8", "16", "16"]
    assert lines[6].startswith("|cosine| between kernels, root mean square: 0.")
    assert "by chance 0." in lines[6]
    assert "in its 3 dimensions 0." in lines[6]


def test_hard_tying_is_seen(runs):
    found = re.search(r"root mean square: ([\d.]+) \(by chance ([\d.]+)\)", shown(runs["shared"], "--out", "x"))
    assert float(found[1]) > 0.7 > 0.3 > float(found[2])
    assert "   2\n" in shown(runs["low_rank"], "--out", "x"), "the rank that low_rank allows"


def test_the_kernels_are_those_of_the_model(runs):
    run = find_run(runs["wider"])
    found = kernels_of(run, "words")
    model = run.load()[0]
    with torch.no_grad():
        for kernel, array in zip(model.source(), found.arrays, strict=True):
            assert torch.equal(kernel.double(), torch.from_numpy(array))
    assert found.embeddings.shape == (2 + 2 + 2 * 2 + 4 * 2, 3)
    assert (found.basic, found.words, found.run) == ((4, 8), "words", runs["wider"])
    assert kernels_of(find_run(runs["free"]), "").embeddings is None
    assert kernels_of(find_run(runs["free"]), "").basic is None


class TestBeside:
    def test_another_family(self, runs, tmp_path):
        said = shown(runs["hyper"], "--beside", runs["free"], "--out", "x")
        assert f"hyper: run {runs['hyper']}, " in said
        assert f"free: run {runs['free']}, " in said
        assert said.count("|cosine| between kernels") == 2
        assert sorted(path.name for path in (tmp_path / "x").iterdir()) == [
            "embeddings.png", "kernels.png", "similarity.png", "spectrum.png",
        ]  # fmt: skip

    def test_the_same_family(self, runs):
        said = shown(runs["hyper"], "--beside", runs["wider"], "--out", "x")
        assert "hyper N_z 2 d 2 in 8: run" in said
        assert "hyper N_z 3 d 3 in 4: run" in said
        assert f"run {runs['seed'][:8]}: run" in shown(runs["hyper"], "--beside", runs["seed"], "--out", "x")

    def test_two_without_embeddings(self, runs):
        assert "embeddings.png: kernels of family free and dct have none" in shown(
            runs["free"], "--beside", runs["dct"], "--out", "x"
        )

    def test_kernels_of_other_shapes(self, runs):
        hyper, narrow, shallow = runs["hyper"], runs["narrow"], runs["shallow"]
        assert refused(hyper, "--beside", narrow) == (
            f"--beside {narrow}: its kernel 1 is a 3 x 3 x 4 x 4 kernel, and that of {hyper} is a 3 x 3 x 8 x 8 "
            "kernel\n"
        )
        assert refused(hyper, "--beside", shallow) == f"--beside {shallow}: has 2 kernels, and {hyper} has 4\n"

    def test_itself(self, runs):
        short = runs["hyper"][:6]
        assert refused(runs["hyper"], "--beside", short) == f"--beside {short}: is the run itself; give another one\n"

    def test_no_run(self, runs):
        assert refused(runs["hyper"], "--beside", "zzz").startswith("zzz: no run of this name")


class TestRun:
    def test_none(self, runs, tmp_path):
        assert refused("zzz").startswith("zzz: no run of this name in ")
        assert "zzz: no run of this name" in refused("zzz", "--study", "tiny")
        assert "no such file or shipped study" in refused(runs["free"], "--study", "none")
        assert not list(tmp_path.iterdir()), "nothing was drawn"

    def test_by_its_folder_or_in_a_study(self, runs, trained):
        folder = trained[0] / "tiny" / "runs" / runs["free"]
        assert f"{runs['free']}-pictures/kernels.png" in shown(folder)
        assert "y/kernels.png" in shown(runs["free"], "--study", "tiny", "--out", "y")

    def test_unfinished_or_failed_or_damaged(self, runs, trained, tmp_path):
        run = RunFolder(tmp_path / "kept")
        shutil.copytree(trained[0] / "tiny" / "runs" / runs["free"], run.path)
        run.model.write_bytes(b"")
        assert refused("kept").startswith(f"{run.model.relative_to(tmp_path)}: ")
        write_json(run.result, {"status": "failed", "reason": "diverged"})
        assert "this run failed (diverged)" in refused("kept")
        run.result.unlink()
        assert "this run has not finished" in refused("kept")


class TestOut:
    @pytest.mark.parametrize("ending", ["svg", "pdf"])
    def test_formats(self, runs, ending, tmp_path):
        said = shown(runs["wider"], "--format", ending, "--out", "a/b")
        assert f"a/b/embeddings.{ending}\n" in said
        assert {path.suffix for path in (tmp_path / "a" / "b").iterdir()} == {f".{ending}"}

    def test_earlier_pictures_are_replaced(self, runs, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "kernels.png").write_text("old")
        (tmp_path / "x" / "mine.txt").write_text("mine")
        shown(runs["free"], "--out", "x")
        assert (tmp_path / "x" / "kernels.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "x" / "mine.txt").read_text() == "mine"

    def test_a_file(self, runs, tmp_path):
        (tmp_path / "x").write_text("mine")
        assert refused(runs["free"], "--out", "x") == "x: is a file; give --out a folder\n"
        done = call(runs["free"], "--out", "x/y")
        assert done.exit_code == 2
        assert done.stderr == "x/y/kernels.png: cannot be written: Not a directory\n"
