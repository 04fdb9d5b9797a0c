"""One run in its folder: the commit point, the attempt token, failures as results, and a real kill -9."""

import json
import multiprocessing
import time

import pytest

from hyperbudget.data.load import digest
from hyperbudget.nn.spec import Free, ModelSpec, ResNet
from hyperbudget.study.folder import RunFolder
from hyperbudget.study.workers.execute import execute
from hyperbudget.study.workers.job import Job, Superseded
from hyperbudget.train.spec import RunSpec, TrainingSpec
from tests.study.support import numbers


def job(folder, *, steps=40, attempt="mine", **training):
    spec = RunSpec(
        "digits", ModelSpec(ResNet(width=4), Free()), TrainingSpec(steps=steps, evaluate_every=5, **training), 0
    )
    folder.mkdir(exist_ok=True)
    RunFolder(folder).attempt.write_text("mine")
    return Job("name", spec.fields(), digest("digits"), folder, attempt, threads=1, checkpoint_seconds=0.0)


def test_a_result_is_committed_once(tmp_path):
    result = execute(job(tmp_path / "run"))
    assert result["status"] == "finished"
    assert 0 <= result["test_error"] <= 1
    assert json.loads(RunFolder(tmp_path / "run").result.read_text()) == result
    assert RunFolder(tmp_path / "run").model.stat().st_size == result["compact_bytes"]
    assert not RunFolder(tmp_path / "run").checkpoint.exists()
    assert execute(job(tmp_path / "run")) == result  # with the time stamps of the first time


def test_another_drivers_attempt_writes_nothing(tmp_path):
    with pytest.raises(Superseded):
        execute(job(tmp_path / "run", attempt="theirs"))
    assert not RunFolder(tmp_path / "run").result.exists()


def test_an_attempt_that_is_superseded_in_training_writes_nothing_more(tmp_path, monkeypatch):
    wanted = job(tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    from hyperbudget.train import checkpoint

    real = checkpoint.save

    def save_and_lose(state, path):
        folder.attempt.write_text("theirs")
        return real(state, path)

    monkeypatch.setattr(checkpoint, "save", save_and_lose)
    with pytest.raises(Superseded):
        execute(wanted)
    assert not folder.result.exists()


def test_a_training_that_fails_is_a_result_with_a_reason(tmp_path):
    result = execute(job(tmp_path / "run", optimizer="sgd", learning_rate=1e30, schedule="constant"))
    assert result["status"] == "failed"
    assert result["reason"].startswith("diverged: training loss is")
    assert execute(job(tmp_path / "run")) == result


def test_a_batch_larger_than_the_data_is_a_result_with_a_reason(tmp_path):
    result = execute(job(tmp_path / "run", batch_size=2000))
    assert "batch_size: 2000 is more than the 1097 training samples" in result["reason"]


def test_killed_in_training_and_resumed_from_its_checkpoint(tmp_path):
    undisturbed = execute(job(tmp_path / "undisturbed", steps=1000))
    wanted = job(tmp_path / "run", steps=1000)
    folder = RunFolder(tmp_path / "run")
    process = multiprocessing.get_context("spawn").Process(target=execute, args=(wanted,))
    process.start()
    deadline = time.monotonic() + 120
    while not folder.checkpoint.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.join()
    assert not folder.result.exists()
    assert folder.checkpoint.exists()
    assert numbers(execute(wanted)) == numbers(undisturbed)
