"""One run and its faults, in this process: time limits, memory, disks, clocks, and what a worker tells meanwhile."""

import contextlib
import dataclasses
import errno
import itertools
import os
from pathlib import Path

import pytest
import torch

from hyperbudget.study.folder import RunFolder, read_json
from hyperbudget.study.workers.execute import execute
from hyperbudget.study.workers.job import Contact, Crowded
from hyperbudget.study.workers.reporter import goes_on
from hyperbudget.train import checkpoint
from hyperbudget.train.loop import Training
from tests.study.support import Death, numbers
from tests.study.workers.test_execute import job


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return execute(job(tmp_path_factory.mktemp("undisturbed") / "run"))


@pytest.fixture
def wanted(tmp_path):
    return job(tmp_path / "run")


@pytest.fixture
def folder(wanted):
    return RunFolder(wanted.folder)


class Heard:
    """A contact's other end: what was told, and the steps at which the answer is to stop."""

    def __init__(self, *stops):
        self.told, self.stops = [], stops
        self.contact = Contact(self.report)

    def report(self, evaluation, asks):
        self.told.append((evaluation.step, asks))
        return not (asks and evaluation.step in self.stops)


class TestEvaluations:
    def test_each_is_told_and_only_those_that_something_follows_are_asked(self, wanted, undisturbed):
        heard = Heard()
        result = execute(dataclasses.replace(wanted, asks=True), heard.contact)
        assert heard.told == [(step, step < 40) for step in range(5, 45, 5)]
        assert numbers(result) == numbers(undisturbed)

    def test_a_run_that_does_not_ask_is_not_stopped(self, wanted):
        heard = Heard(20)
        assert execute(wanted, heard.contact)["status"] == "finished"
        assert {asks for _, asks in heard.told} == {False}

    def test_pruned_and_gone_on_with(self, wanted, folder, undisturbed):
        heard = Heard(20)
        asking = dataclasses.replace(wanted, asks=True)
        result = execute(asking, heard.contact)
        assert (result["status"], result["reason"]) == ("pruned", "pruned at step 20")
        assert "validation_error" not in result
        assert result["validation_error_so_far"] == min(result["curve"]["validation_error"])
        assert result["curve"]["step"] == [5, 10, 15, 20]
        assert result["seconds"] == result["curve"]["seconds"][-1]
        assert not folder.model.exists()
        assert execute(asking) == result
        folder.result.unlink()
        again = Heard()
        assert numbers(execute(wanted, again.contact)) == numbers(undisturbed)
        assert again.told == [(step, False) for step in range(5, 45, 5)]  # those before the checkpoint, too
        assert not list(folder.path.glob("checkpoint*"))

    def test_the_mark_says_how_far_it_is(self, wanted):
        contact = Contact()
        marks = [contact.mark()]
        contact.report = lambda evaluation, asks: marks.append(contact.mark()) or True
        execute(wanted, contact)
        assert marks == [("begun", 0), *(("training", step) for step in range(5, 45, 5))]
        assert contact.mark() == ("saving", 40)


class TestTimeLimit:
    def test_a_run_that_takes_longer_fails_and_goes_on_under_a_higher_limit(self, wanted, folder, undisturbed):
        result = execute(dataclasses.replace(wanted, time_limit=1e-4))
        assert result["status"] == "failed"
        text = "time limit: 0.0001 s are over at step 5 of 40; raise resources.time_limit to go on"
        assert result["reason"] == text
        assert result["curve"]["step"] == [5]
        assert not goes_on(result, 1e-4)
        assert goes_on(result, 3600.0)
        assert goes_on(result, None)
        folder.result.unlink()
        heard = Heard()
        again = execute(dataclasses.replace(wanted, time_limit=3600.0), heard.contact)
        assert numbers(again) == numbers(undisturbed)
        assert again["curve"]["seconds"][0] == result["seconds"]  # from its checkpoint

    def test_a_run_that_is_done_is_done(self, wanted):
        first = dataclasses.replace(
            wanted, fields=wanted.fields | {"training": wanted.fields["training"] | {"steps": 5}}
        )
        assert execute(dataclasses.replace(first, time_limit=1e-9))["status"] == "finished"

    def test_only_of_those_does_a_limit_say_anything(self, undisturbed):
        assert not goes_on(undisturbed, None)
        assert not goes_on({"status": "failed", "reason": "diverged", "seconds": 1.0}, None)


def raising(error):
    def raises(*_):
        raise error

    return raises


MEMORY = [
    (MemoryError(), "out of memory on the CPU: MemoryError"),
    (torch.OutOfMemoryError("CUDA out of memory. Tried 3 GiB"), "out of memory on the GPU: CUDA out of memory. Tried"),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling x"), "out of memory on the GPU: CUDA error"),
]


class TestMemory:
    @pytest.mark.parametrize(("error", "reason"), MEMORY, ids=["python", "cuda", "cublas"])
    def test_too_little_is_a_failure_with_its_reason(self, wanted, monkeypatch, error, reason):
        monkeypatch.setattr(Training, "take_step", raising(error))
        result = execute(wanted)
        assert result["status"] == "failed"
        assert result["reason"].startswith(reason)

    def test_a_tensor_that_the_machine_really_cannot_hold(self, wanted, monkeypatch):
        monkeypatch.setattr(Training, "take_step", lambda training: torch.empty(2**50))
        result = execute(wanted)
        assert result["status"] == "failed"
        assert result["reason"].startswith("out of memory on the CPU: ")
        assert "\n" not in result["reason"]

    def test_on_a_shared_gpu_it_is_the_neighbours_fault(self, wanted, folder, monkeypatch, undisturbed):
        with monkeypatch.context() as patch:
            patch.setattr(Training, "take_step", raising(MEMORY[1][0]))
            with pytest.raises(Crowded, match="Tried 3 GiB"):
                execute(dataclasses.replace(wanted, shares_gpu=True))
        assert not folder.result.exists()
        assert numbers(execute(wanted)) == numbers(undisturbed)


class TestDisk:
    @pytest.mark.parametrize("file", ["model.safetensors", "result.json"])
    def test_full_at_the_result_is_the_machines_fault_and_the_next_attempt_goes_on(
        self, wanted, folder, monkeypatch, undisturbed, file
    ):
        replace = Path.replace

        def full(path, target):
            if target.name == file:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            return replace(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", full)
            with pytest.raises(OSError, match="No space left on device"):
                execute(wanted)
        assert not folder.result.exists()
        assert folder.checkpoint.exists()
        heard = Heard()
        assert numbers(execute(wanted, heard.contact)) == numbers(undisturbed)
        assert not heard.told  # trained to its end already
        assert not list(folder.path.glob("*.part"))

    def test_full_at_a_checkpoint_is_said(self, wanted, monkeypatch, undisturbed):
        said = []
        full = raising(OSError(errno.ENOSPC, "No space left on device"))
        monkeypatch.setattr(checkpoint, "save", full)
        result = execute(wanted, Contact(say=said.append))
        assert numbers(result) == numbers(undisturbed)
        assert said[0] == "no checkpoint at step 5: No space left on device; it trains on without"

    def test_what_a_killed_process_left_half_written_is_cleared_away(self, wanted, folder):
        half = folder.path / "checkpoint.pt.123.part"
        half.write_bytes(b"PK")
        execute(wanted)
        assert not half.exists()


def test_a_clock_that_is_set_back_changes_nothing(wanted, folder, monkeypatch, undisturbed):
    hours = itertools.count()
    monkeypatch.setattr("time.time", lambda: 1.7e9 - 3600 * next(hours))
    monkeypatch.setattr(
        "hyperbudget.study.workers.execute.now", lambda: f"2026-01-02T{23 - next(hours) % 24:02}:00:00.000+00:00"
    )
    result = execute(dataclasses.replace(wanted, time_limit=3600.0))
    assert result["finished"] < result["started"]
    assert numbers(result) == numbers(undisturbed)
    assert 0 < result["seconds"] < 600
    assert result["curve"]["seconds"] == sorted(result["curve"]["seconds"])
    assert read_json(folder.result) == result


class TestDeathAtAnyWrite:
    """A worker that is killed at any of its operations on files, and a second one that goes on."""

    OPERATIONS = [(os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "open")]

    def die_at(self, monkeypatch, moment):
        """Nothing is done from operation number `moment` on, as after a kill; returns the count so far."""
        count = [0]

        def dying(method):
            def call(*arguments, **options):
                count[0] += 1
                if 0 < moment <= count[0]:
                    raise Death
                return method(*arguments, **options)

            return call

        for owner, name in self.OPERATIONS:
            monkeypatch.setattr(owner, name, dying(getattr(owner, name)))
        return count

    def test_goes_on_with_the_same_numbers(self, tmp_path, monkeypatch):
        undisturbed = execute(job(tmp_path / "undisturbed", steps=10))
        with monkeypatch.context() as patch:
            count = self.die_at(patch, 0)
            execute(job(tmp_path / "counted", steps=10))
        assert count[0] > 15
        for moment in range(1, count[0] + 1):
            wanted = job(tmp_path / str(moment), steps=10)
            folder = RunFolder(wanted.folder)
            with monkeypatch.context() as patch:
                self.die_at(patch, moment)
                with contextlib.suppress(Death):
                    execute(wanted)
            committed = read_json(folder.result)
            again = execute(wanted)
            assert numbers(again) == numbers(undisturbed)
            assert committed in (None, again), "what is committed is not trained again"
            assert folder.model.stat().st_size == again["compact_bytes"]
            assert not list(folder.path.glob("*.part")) or committed
