"""Tasks by name, digits and its splits, and where the data lie."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets

from hyperbudget.data import load as load_module
from hyperbudget.data.digits import load_digits
from hyperbudget.data.directory import data_dir
from hyperbudget.data.load import DIGESTS, digest, load, prepare
from hyperbudget.data.splits import RawImages, split
from hyperbudget.data.tasks import TASKS, ImageTask
from hyperbudget.errors import UserError


def test_digits_is_split_into_disjoint_parts_that_cover_it() -> None:
    data = load("digits")
    images = [data.train_images, data.validation_images, data.test_images]
    labels = [data.train_labels, data.validation_labels, data.test_labels]
    assert [len(part) for part in images] == [len(part) for part in labels] == [1_097, 300, 400]
    assert all(part.shape[1:] == (1, 8, 8) and part.dtype == torch.float32 for part in images)
    assert all(part.dtype == torch.int64 for part in labels)
    assert (float(torch.cat(images).min()), float(torch.cat(images).max())) == (0.0, 1.0)

    bunch = datasets.load_digits()
    expected = np.concatenate([bunch.data, bunch.target[:, None]], 1).astype(int)
    got = torch.cat([torch.cat(images).view(-1, 64) * 16, torch.cat(labels)[:, None]], 1).int()
    assert sorted(map(tuple, got.tolist())) == sorted(map(tuple, expected.tolist()))


def test_the_digest_is_the_same_every_time_and_known_without_loading() -> None:
    assert load_digits().digest == load_digits().digest == load("digits").digest == digest("digits")
    assert len(set(DIGESTS.values())) == len(DIGESTS)
    assert set(TASKS) - set(DIGESTS) == {"cifar10"}  # the copies of it differ


def test_a_digest_needs_no_torch() -> None:
    code = "import sys; from hyperbudget.data.load import digest; digest('mnist'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_data_are_read_once_a_process() -> None:
    assert load("digits") is load("digits")


def test_moving_to_where_the_data_are_copies_nothing() -> None:
    data = load("digits")
    moved = data.to("cpu")
    assert moved.train_images is data.train_images
    assert (moved.digest, moved.task) == (data.digest, data.task)
    assert data.to("meta").test_labels.device.type == "meta"


@pytest.mark.gpu
def test_moving_to_the_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    data = load("digits")
    moved = data.to("cuda")
    assert moved.train_images.is_cuda
    assert torch.equal(moved.test_labels.cpu(), data.test_labels)


def test_an_unknown_task_is_refused() -> None:
    for call in (load, digest, prepare):
        with pytest.raises(UserError, match="task: 'minst' is not one of digits, mnist, cifar10"):
            call("minst")


def test_data_with_another_digest_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(DIGESTS, "digits", "0" * 64)
    with pytest.raises(UserError, match="digits: the data differ from those that this version"):
        load("digits", tmp_path)


def test_digits_needs_no_preparation(own_data_dir: Path) -> None:
    prepare("digits")
    assert not own_data_dir.exists()


def test_a_missing_scikit_learn_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(UserError, match=r"digits: scikit-learn cannot be imported .* pip install scikit-learn"):
        load_digits()


def test_samples_that_do_not_fit_the_splits_are_refused() -> None:
    raw = RawImages(np.zeros((5, 8, 8), np.uint8), np.zeros(5, np.uint8))
    with pytest.raises(ValueError, match="samples: 5 of them cannot be split into"):
        split(TASKS["digits"], raw, maximum=16)


COLOURS = ImageTask("x", channels=3, size=4, classes=10, pad=1, splits=(60, 7, 9), flip=True, normalise=True)


def colours(count: int, seed: int = 0) -> RawImages:
    random = np.random.default_rng(seed)
    return RawImages(random.integers(0, 200, (count, 3, 4, 4), np.uint8), random.integers(0, 10, count, np.uint8))


def test_a_normalised_task_keeps_bytes_and_gives_a_network_mean_0_and_deviation_1() -> None:
    data = split(COLOURS, colours(67), colours(9, 1), maximum=255)
    assert {part.dtype for part in (data.train_images, data.validation_images, data.test_images)} == {torch.uint8}
    assert data.mean is not None
    assert data.deviation is not None
    pixels = data.train_images.double()
    torch.testing.assert_close(data.mean, pixels.mean((0, 2, 3)).float(), rtol=0, atol=0)
    torch.testing.assert_close(data.deviation, pixels.std((0, 2, 3), correction=0).float(), rtol=1e-7, atol=0)

    before = data.train_images.clone()
    inputs = data.normalised(data.train_images)
    assert inputs.dtype == torch.float32
    assert inputs.shape == (60, 3, 4, 4)
    assert inputs.is_contiguous()
    assert torch.equal(data.train_images, before)
    assert inputs.mean((0, 2, 3)).abs().max() < 1e-6
    assert inputs.var((0, 2, 3), correction=0).sub(1).abs().max() < 1e-5
    expected = (data.test_images.double() - data.mean.view(3, 1, 1)) / data.deviation.view(3, 1, 1)
    torch.testing.assert_close(data.normalised(data.test_images), expected.float())
    assert data.to("meta").normalised(data.test_images.to("meta")).shape == (9, 3, 4, 4)


def test_normalising_a_batch_is_the_batch_of_what_is_normalised() -> None:
    data = split(COLOURS, colours(67), colours(9, 1), maximum=255)
    chosen = torch.tensor([5, 3, 3, 59])
    assert torch.equal(data.normalised(data.train_images[chosen]), data.normalised(data.train_images)[chosen])


def test_the_statistics_are_those_of_the_training_split_alone() -> None:
    data, other = (split(COLOURS, colours(67), colours(9, seed), maximum=255) for seed in (1, 2))
    assert data.mean is not None
    assert other.mean is not None
    assert torch.equal(data.mean, other.mean)
    assert data.digest != other.digest


def test_a_channel_without_contrast_is_only_centred() -> None:
    raw = RawImages(np.full((67, 3, 4, 4), 7, np.uint8), np.zeros(67, np.uint8))
    data = split(COLOURS, raw, colours(9), maximum=255)
    assert data.normalised(data.train_images).eq(0).all()


def test_what_is_not_normalised_is_passed_through() -> None:
    data = load("digits")
    assert data.mean is None
    assert data.normalised(data.train_images) is data.train_images


def test_the_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HYPERBUDGET_DATA_DIR", "~/sets")
    assert data_dir() == tmp_path / "sets"
    for unset in (
        lambda: monkeypatch.setenv("HYPERBUDGET_DATA_DIR", ""),
        lambda: monkeypatch.delenv("HYPERBUDGET_DATA_DIR"),
    ):
        unset()
        assert data_dir() == tmp_path / ".cache" / "hyperbudget" / "data"


def test_a_relative_data_dir_is_the_same_data_from_another_folder(tmp_path: Path) -> None:
    assert load_module._folder("mnist", Path("sets")) == Path.cwd() / "sets" / "mnist"
    assert load_module._folder("mnist", None) == tmp_path / "data" / "mnist"
