"""``hyperbudget export`` as a user calls it, on runs of a few steps."""

import json
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from hyperbudget.cli import main
from hyperbudget.data.load import digest, load
from hyperbudget.data.splits import RawImages, split
from hyperbudget.data.tasks import ImageTask
from hyperbudget.nn.build import build
from hyperbudget.nn.export import load_export, write_export
from hyperbudget.nn.spec import Free, Hyper, ModelSpec, ResNet, WideResNet
from hyperbudget.study.folder import RunFolder, write_json
from hyperbudget.study.workers.execute import execute, metadata
from hyperbudget.study.workers.job import Job
from hyperbudget.train.spec import RunSpec, TrainingSpec
from tests.study.support import TINY

HYPER = ModelSpec(ResNet(depth=4, width=8, groups=2), Hyper(2, basic_in=8, basic_out=8))


def finished(folder, seed=0, model=HYPER):
    """A run of 10 steps under `folder`, as a worker leaves it; returns its folder."""
    spec = RunSpec("digits", model, TrainingSpec(steps=10, evaluate_every=5), seed)
    name = spec.name(digest("digits"))
    run = RunFolder(folder / name)
    run.path.mkdir(parents=True)
    write_json(run.spec, {"run": name, **spec.fields()})
    run.attempt.write_text("mine")
    assert execute(Job(name, spec.fields(), digest("digits"), run.path, "mine", threads=1))["status"] == "finished"
    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    """The run in the study `tiny` of the results of an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYPERBUDGET_RESULTS", raising=False)
    path = tmp_path / "results" / "tiny" / "runs" / trained.path.name
    shutil.copytree(trained.path, path)
    return RunFolder(path)


def call(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def refused(*arguments):
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def logits(model):
    return model(load("digits").test_images[:50]).detach()


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        ((), "compact.safetensors"),
        (("--form", "baked"), "baked.safetensors"),
        (("--format", "torch"), "compact.pt"),
        (("--format", "torch", "--form", "baked"), "baked.pt"),
    ],
)
def test_gives_the_trained_models_logits(run, options, ending, tmp_path):
    done = call(run.path.name, *options)
    assert (done.exit_code, done.stderr) == (0, "")
    file = tmp_path / f"{run.path.name}-{ending}"
    assert done.stdout == f"{file.name}: {file.stat().st_size:,} bytes ({ending.partition('.')[0]})\n"
    model, metadata = load_export(file)
    reference = build(HYPER, channels=1, size=8, classes=10)
    reference.load_state_dict(load_file(run.model))
    torch.testing.assert_close(logits(model), logits(reference.eval()), rtol=1e-5, atol=1e-5)
    result = json.loads(run.result.read_text())
    errors = (logits(model).argmax(1) != load("digits").test_labels[:50]).float().mean()
    assert (metadata.test_error, metadata.validation_error) == (result["test_error"], result["validation_error"])
    assert 0 <= errors < 1
    assert (metadata.task, metadata.run, metadata.seed) == ("digits", run.path.name, 0)
    assert metadata.model == HYPER.fields()
    assert metadata.training["steps"] == 10
    assert (metadata.mean, metadata.deviation) == (None, None)


def test_the_whole_test_split_has_the_runs_error(run):
    call(run.path.name, "--out", "x.pt")
    model, metadata = load_export("x.pt")
    data = load("digits")
    wrong = (model(data.test_images).argmax(1) != data.test_labels).double().mean()
    assert wrong.item() == pytest.approx(metadata.test_error, abs=0.5 / len(data.test_labels))


def test_onnx_is_baked(run):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    done = call(run.path.name, "--out", "x.onnx")
    assert done.exit_code == 0
    assert done.stdout.startswith("x.onnx: ")
    assert done.stdout.endswith("bytes (baked)\n")
    session = onnxruntime.InferenceSession("x.onnx", providers=["CPUExecutionProvider"])
    call(run.path.name, "--out", "x.pt")
    (found,) = session.run(None, {"images": load("digits").test_images[:50].numpy()})
    torch.testing.assert_close(torch.from_numpy(found), logits(load_export("x.pt")[0]), rtol=1e-4, atol=1e-4)


class TestRun:
    def test_by_the_beginning_of_its_name_in_a_study(self, run, tmp_path):
        (tmp_path / "tiny.yaml").write_text(TINY)
        for number, study in enumerate(("tiny", "tiny.yaml")):
            done = call(run.path.name[:5], "--study", study, "--out", f"{number}.pt")
            assert done.exit_code == 0, done.stderr
        assert (tmp_path / "0.pt").read_bytes() == (tmp_path / "1.pt").read_bytes()

    def test_by_its_folder_wherever_that_is(self, run, tmp_path, monkeypatch):
        moved = run.path.rename(tmp_path / "kept")
        assert call("kept").stdout.startswith(f"{run.path.name}-compact.safetensors: ")
        monkeypatch.chdir(moved)
        assert call(".", "--out", tmp_path / "x.pt").exit_code == 0

    def test_in_results_elsewhere(self, run, tmp_path, monkeypatch):
        (tmp_path / "results").rename(tmp_path / "elsewhere")
        monkeypatch.setenv("HYPERBUDGET_RESULTS", str(tmp_path / "elsewhere"))
        assert call(run.path.name).exit_code == 0

    def test_none(self, run, tmp_path):
        assert refused("zzz").startswith(f"zzz: no run of this name in {tmp_path / 'results'}; a run is named")
        assert "zzz: no run of this name" in refused("zzz", "--study", "tiny")
        assert "no such file or shipped study" in refused(run.path.name, "--study", "none")
        assert "results/tiny: no run's folder" in refused("results/tiny")
        shutil.rmtree(tmp_path / "results")
        assert "no run of this name" in refused("a")

    def test_several(self, run, tmp_path):
        other = run.path.with_name(f"{run.path.name[:3]}x")
        shutil.copytree(run.path, other)
        message = refused(run.path.name[:3])
        assert f"tiny/{run.path.name}" in message
        assert f"tiny/{other.name}" in message
        assert "give more of its name" in message
        shutil.copytree(run.path, tmp_path / "results" / "again" / "runs" / run.path.name)
        assert message != refused(run.path.name)
        assert "say which --study" in refused(run.path.name)
        assert call(run.path.name, "--study", "again").exit_code == 0

    def test_unfinished_or_failed(self, run):
        write_json(run.result, {"status": "failed", "reason": "diverged: training loss is nan at step 5"})
        assert "this run failed (diverged: training loss is nan at step 5) and left no model" in refused(run.path.name)
        run.result.unlink()
        assert "this run has not finished; go on with: hyperbudget run" in refused(run.path.name)

    def test_damaged(self, run):
        content = run.model.read_bytes()
        for cut in (0, 100, len(content) // 2):
            run.model.write_bytes(content[:cut])
            assert f"{run.model}: damaged; delete {run.path} and train it again" in refused(run.path.name)
        run.model.unlink()
        assert f"{run.model}: missing" in refused(run.path.name)
        run.spec.write_text("{}")
        assert f"{run.spec}: no run of this version of hyperbudget" in refused(run.path.name)
        run.spec.write_text("{")
        assert f"{run.spec}: damaged" in refused(run.path.name)

    def test_the_checkpoint_of_another_model(self, run, tmp_path):
        other = finished(tmp_path / "other", model=ModelSpec(ResNet(width=4), Free()))
        shutil.copyfile(other.model, run.model)
        message = refused(run.path.name)
        assert message.startswith(f"{run.model}: holds another model than spec.json says; ")

    def test_other_data_or_another_version_are_said(self, run):
        write_json(run.spec, {**json.loads(run.spec.read_text()), "seed": 9})
        done = call(run.path.name)
        assert done.exit_code == 0
        assert done.stderr.startswith(f"warning: run {run.path.name} was trained by another version")


class TestFile:
    def test_an_existing_one_is_kept(self, run, tmp_path):
        (tmp_path / "x.pt").write_text("mine")
        assert refused(run.path.name, "--out", "x.pt").startswith("x.pt: exists; ")
        assert (tmp_path / "x.pt").read_text() == "mine"
        assert call(run.path.name, "--out", "x.pt", "--force").exit_code == 0
        assert load_export(tmp_path / "x.pt")[1].form == "compact"

    def test_a_folder(self, run, tmp_path):
        (tmp_path / "there").mkdir()
        assert call(run.path.name, "--out", "there").stdout.startswith(f"there/{run.path.name}-compact.safetensors: ")

    def test_the_format_is_what_is_asked_for(self, run):
        assert call(run.path.name, "--out", "x.pt", "--format", "safetensors").exit_code == 0
        assert load_export("x.pt")[1].form == "compact"

    def test_where_nothing_can_be_written(self, run):
        assert (
            refused(run.path.name, "--out", "none/x.pt") == "none/x.pt: cannot be written: No such file or directory\n"
        )

    def test_compact_onnx(self, run):
        assert "--form compact: onnx holds plain networks only" in refused(
            run.path.name, "--format", "onnx", "--form", "compact"
        )


def test_normalisation_is_recorded(tmp_path):
    """With made-up images in the place of CIFAR-10's."""
    task = ImageTask("cifar10", 3, 32, 10, pad=2, splits=(40, 10, 10), normalise=True)
    random = np.random.RandomState(0)
    pixels = random.randint(0, 256, (60, 3, 32, 32)).astype(np.uint8)
    data = split(task, RawImages(pixels, random.randint(0, 10, 60).astype(np.uint8)), maximum=255)
    spec = RunSpec("cifar10", ModelSpec(WideResNet(10, 1), Free()), TrainingSpec(), 0)
    run = RunFolder(tmp_path / spec.name(data.digest))
    run.path.mkdir()
    write_json(run.spec, {"run": run.path.name, **spec.fields()})
    result = {"status": "finished", "test_error": 0.9, "validation_error": 0.9}
    write_json(run.result, result)
    model = build(spec.model, channels=3, size=32, classes=10)
    write_export(model, metadata(run.path.name, spec, result, data), run.model)
    done = call(run.path, "--out", tmp_path / "x.safetensors")
    assert (done.exit_code, done.stderr) == (0, "")
    _, told = load_export(tmp_path / "x.safetensors")
    assert told.mean == tuple(data.mean.tolist())
    assert told.deviation == tuple(data.deviation.tolist())
    assert told.data_digest == data.digest
    pixels = data.test_images.float()
    ours = (pixels - torch.tensor(told.mean).view(3, 1, 1)) / torch.tensor(told.deviation).view(3, 1, 1)
    assert torch.equal(ours, data.normalised(data.test_images))
