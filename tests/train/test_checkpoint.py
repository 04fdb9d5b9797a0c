"""Checkpoints: there whole or not at all, the one before kept, and a training that goes on from what it finds."""

import dataclasses
import errno
import resource
import signal
import subprocess
import sys

import pytest
import torch

from hyperbudget.data.load import load as load_data
from hyperbudget.nn.spec import Free, ModelSpec, ResNet
from hyperbudget.train import checkpoint
from hyperbudget.train.loop import Training
from hyperbudget.train.spec import RunSpec, TrainingSpec

CPU = torch.device("cpu")
SPEC = RunSpec(
    "digits", ModelSpec(ResNet(width=4), Free()), TrainingSpec(steps=40, batch_size=32, evaluate_every=10), 0
)


@pytest.fixture(scope="module")
def digits():
    return load_data("digits")


@pytest.fixture(scope="module")
def undisturbed(digits):
    return Training(SPEC, digits, CPU).run()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "checkpoint.pt"


def train(digits, file, spec=SPEC, **options):
    training = Training(spec, digits, CPU, checkpoint_file=file, checkpoint_seconds=0.0, **options)
    training.began_at = None
    restore = training._restore

    def watched():
        restore()
        training.began_at = training.step

    training._restore = watched
    return training, training.run()


@pytest.fixture
def trained(digits, file):
    """Checkpoints of steps 40 and 30 are there."""
    train(digits, file)
    return file


def same(result, undisturbed):
    return dataclasses.replace(result, seconds=0.0) == dataclasses.replace(undisturbed, seconds=0.0)


DAMAGES = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "one bit in its directory": lambda content: content[:-30] + bytes([content[-30] ^ 4]) + content[-29:],
    "another file": lambda content: b"question: what?\n",
}


class TestDamage:
    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
    def test_of_the_newest_the_one_before_is_used(self, digits, trained, undisturbed, damage):
        trained.write_bytes(damage(trained.read_bytes()))
        training, result = train(digits, trained)
        assert training.began_at == 30
        assert same(result, undisturbed)

    def test_of_both_it_starts_over(self, digits, trained, undisturbed):
        for path in (trained, checkpoint.previous(trained)):
            path.write_bytes(path.read_bytes()[:1000])
        training, result = train(digits, trained)
        assert training.began_at == 0
        assert same(result, undisturbed)

    def test_a_death_between_the_two_renames_leaves_the_one_before(self, digits, trained, undisturbed):
        trained.unlink()
        training, result = train(digits, trained)
        assert training.began_at == 30
        assert same(result, undisturbed)


class TestOfAnotherVersion:
    @pytest.mark.parametrize(
        "change",
        [
            lambda state: state.pop("curve"),
            lambda state: state["curve"].pop("seconds"),
            lambda state: state["curve"]["seconds"].clear(),
            lambda state: state["model"].popitem(),
            lambda state: state.update(optimizer={"state": {}, "param_groups": []}),
            lambda state: state.update(best=None),
        ],
        ids=["no curve", "no seconds", "fewer seconds", "another model", "another optimizer", "no best"],
    )
    def test_what_does_not_fit_is_not_used_at_all(self, digits, trained, undisturbed, change):
        for path in (trained, checkpoint.previous(trained)):
            state = torch.load(path, weights_only=True)
            change(state)
            torch.save(state, path)
        training, result = train(digits, trained)
        assert training.began_at == 0
        assert same(result, undisturbed)

    def test_code_in_a_checkpoint_is_not_run(self, digits, trained, tmp_path):
        class Evil:
            def __reduce__(self):
                return (open, (str(tmp_path / "evil"), "w"))

        torch.save({"step": Evil()}, trained)
        assert train(digits, trained)[0].began_at == 30
        assert not (tmp_path / "evil").exists()


class TestFullDisk:
    def test_the_training_goes_on_without_and_says_so(self, digits, trained, undisturbed, monkeypatch):
        before = trained.read_bytes()

        def full(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        said = []
        trained.unlink()
        checkpoint.previous(trained).unlink()
        trained.write_bytes(before[:10])
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", full)
            _, result = train(digits, trained, checkpoint_failed=said.append)
        assert same(result, undisturbed)
        assert said == [f"no checkpoint at step {step}: No space left on device" for step in (10, 20, 30, 40)]
        assert [path.name for path in trained.parent.iterdir()] == [trained.name]  # nothing half written
        assert trained.read_bytes() == before[:10]

    def test_a_disk_that_really_takes_no_more(self, file):
        """The system's own limit on the size of files, in a process of its own."""
        code = (
            "import errno, resource, sys, torch; from pathlib import Path; from hyperbudget.train import checkpoint\n"
            "path = Path(sys.argv[1]); checkpoint.save({'x': torch.zeros(10)}, path)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
            "try:\n    checkpoint.save({'x': torch.zeros(100_000)}, path)\n"
            "except OSError as error:\n    assert error.errno == errno.EFBIG, error\n"
            "else:\n    raise AssertionError('no error')\n"
            "assert torch.load(path)['x'].shape == (10,) and len(list(path.parent.iterdir())) == 1\n"
        )
        subprocess.run([sys.executable, "-c", code, str(file)], check=True, timeout=100, preexec_fn=_no_signal)

    def test_and_the_checkpoints_that_are_there_stay(self, file, monkeypatch):
        for number in (1, 2):
            checkpoint.save({"number": number}, file)
        monkeypatch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(OSError, match="full"):
            checkpoint.save({"number": 3}, file)
        assert [state["number"] for state in checkpoint.states(file, CPU)] == [2, 1]


def _no_signal():
    """Python ignores SIGXFSZ, and fails with an error instead; said here as it matters."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
