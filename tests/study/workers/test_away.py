"""Runs on a node that does not see the driver's folder: what is handed over, what stays, what is believed."""

import dataclasses

import pytest

from hyperbudget.data.load import digest
from hyperbudget.nn.spec import Free, ModelSpec, ResNet
from hyperbudget.study.folder import RunFolder, read_json, write_json
from hyperbudget.study.workers.away import Executor, own_folder, receive
from hyperbudget.study.workers.job import Contact, Job, NoData
from hyperbudget.train.spec import RunSpec, TrainingSpec
from tests.study.support import numbers


@pytest.fixture(autouse=True)
def node(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(tmp_path / "node"))


def job(folder, run="run", seed=0, *, seen=False):
    spec = RunSpec("digits", ModelSpec(ResNet(width=4), Free()), TrainingSpec(steps=10, evaluate_every=5), seed)
    path = folder / "study" / "runs" / run
    path.mkdir(parents=True, exist_ok=True)
    if seen:
        RunFolder(path).attempt.write_text("mine")
    return Job(run, spec.fields(), digest("digits"), path, "mine", threads=1, checkpoint_seconds=0.0)


def test_a_run_that_is_handed_over_is_the_run_in_the_drivers_folder(tmp_path):
    there = job(tmp_path / "seen", seen=True)
    expected = Executor()(there)
    assert receive(there, dict(expected)) == expected
    away = job(tmp_path / "driver")
    answer = Executor()(away)
    assert not RunFolder(away.folder).result.exists()
    result = receive(away, answer)
    assert numbers(result) == numbers(expected)
    assert read_json(RunFolder(away.folder).result) == result
    assert RunFolder(away.folder).model.read_bytes() == RunFolder(there.folder).model.read_bytes()


def test_a_worker_keeps_what_the_driver_may_not_have_yet(tmp_path):
    execute = Executor()
    first, second = job(tmp_path, "first"), job(tmp_path, "second", seed=1)
    answer = execute(first)
    assert own_folder(first).result.exists()
    assert Executor()(first) == answer  # after the driver's death: not trained again
    execute(second)
    assert not own_folder(first).path.exists()
    assert own_folder(second).result.exists()


def test_a_run_that_was_stopped_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    wanted = job(tmp_path)
    execute = Executor()
    contact = Contact(report=lambda evaluation, asks: False)
    answer = receive(wanted, execute(wanted, contact))
    assert answer["status"] == "pruned"
    assert not RunFolder(wanted.folder).model.exists()
    execute(job(tmp_path, "other", seed=1))
    assert own_folder(wanted).checkpoint.exists()
    assert not own_folder(wanted).result.exists()
    steps = []
    contact = Contact(report=lambda evaluation, asks: steps.append(evaluation.step) is None)
    assert execute(wanted, contact)["status"] == "finished"
    assert steps[-1] == 10
    undisturbed = Executor()(job(tmp_path / "else", seen=True))
    assert numbers(read_json(own_folder(wanted).result)) == numbers(undisturbed)


def test_a_stopped_result_on_the_node_is_not_believed(tmp_path):
    wanted = job(tmp_path)
    own_folder(wanted).path.mkdir(parents=True)
    write_json(own_folder(wanted).result, {"status": "pruned", "reason": "pruned at step 5"})
    assert Executor()(wanted)["status"] == "finished"


def test_a_node_without_the_data_is_the_machines_fault(tmp_path):
    wanted = dataclasses.replace(job(tmp_path, seen=True), data_digest="0" * 64)
    with pytest.raises(NoData, match=r"the data of digits in .* differ from the driver's \(digest e0dff10e2c2c"):
        Executor()(wanted)
    assert not RunFolder(wanted.folder).result.exists()
