"""The idx reader and the whole way of MNIST, on a small data set made here; and the real one where it lies."""

from __future__ import annotations

import dataclasses
import functools
import gzip
import hashlib
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from hyperbudget.data import mnist
from hyperbudget.data.directory import data_dir
from hyperbudget.data.download import fetch
from hyperbudget.data.load import DIGESTS, load, prepare
from hyperbudget.data.mnist import FILES, IdxFile, MnistFiles, load_mnist
from hyperbudget.data.tasks import ImageTask
from hyperbudget.errors import UserError

if TYPE_CHECKING:
    from tests.data.conftest import FileServer

TASK = ImageTask("mnist", channels=1, size=4, classes=10, pad=1, splits=(40, 10, 20))
REAL_DATA_DIR = data_dir()  # read at import, before the fixture moves it


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">{1 + values.ndim}I", 0x0800 | values.ndim, *values.shape) + values.tobytes()


def make_contents() -> dict[str, bytes]:
    """Official name -> content of the four files of a data set of 50 + 20 images, 4 x 4."""
    random = np.random.default_rng(0)
    return {
        FILES.train_images.name: idx(random.integers(0, 256, (50, 4, 4), np.uint8)),
        FILES.train_labels.name: idx(random.integers(0, 10, (50,), np.uint8)),
        FILES.test_images.name: idx(random.integers(0, 256, (20, 4, 4), np.uint8)),
        FILES.test_labels.name: idx(random.integers(0, 10, (20,), np.uint8)),
    }


CONTENTS = make_contents()


def describe(file: IdxFile) -> IdxFile:
    content = CONTENTS[file.name]
    shape = {
        0x0803: lambda: struct.unpack_from(">3I", content, 4),
        0x0801: lambda: struct.unpack_from(">I", content, 4),
    }
    return IdxFile(file.name, shape[struct.unpack_from(">I", content)[0]](), hashlib.sha256(content).hexdigest())


SMALL = MnistFiles(*map(describe, FILES.all()))


def lay_out(folder: Path, *, zipped: bool = True) -> None:
    folder.mkdir(parents=True)
    for name, content in CONTENTS.items():
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


def test_the_splits_cut_the_official_training_set(tmp_path: Path) -> None:
    lay_out(tmp_path / "mnist")
    data = load_mnist(tmp_path / "mnist", task=TASK, files=SMALL)
    assert data.task == TASK
    assert data.train_images.shape == (40, 1, 4, 4)
    assert data.validation_images.shape == (10, 1, 4, 4)
    assert data.test_images.shape == (20, 1, 4, 4)
    assert data.train_images.dtype == torch.float32
    assert data.train_labels.dtype == torch.int64

    official = np.frombuffer(CONTENTS[FILES.train_images.name], np.uint8, offset=16).reshape(50, 16)
    labels = np.frombuffer(CONTENTS[FILES.train_labels.name], np.uint8, offset=8)
    images = torch.cat([data.train_images, data.validation_images]).mul(255).round().to(torch.uint8).view(50, 16)
    got = torch.cat([images, torch.cat([data.train_labels, data.validation_labels])[:, None]], 1)
    expected = np.concatenate([official, labels[:, None]], 1)
    assert sorted(map(tuple, got.tolist())) == sorted(map(tuple, expected.tolist()))  # each once, with its own label
    tested = np.frombuffer(CONTENTS[FILES.test_images.name], np.uint8, offset=16).reshape(20, 1, 4, 4)
    assert torch.equal(data.test_images, torch.from_numpy(tested.astype(np.float32)) / 255)


def test_zipped_or_not_it_is_the_same(tmp_path: Path) -> None:
    lay_out(tmp_path / "zipped")
    lay_out(tmp_path / "plain", zipped=False)
    zipped, plain = (load_mnist(tmp_path / name, task=TASK, files=SMALL) for name in ("zipped", "plain"))
    assert zipped.digest == plain.digest
    assert torch.equal(zipped.train_images, plain.train_images)


def test_the_digest_follows_the_content_and_the_split(tmp_path: Path) -> None:
    lay_out(tmp_path / "mnist")
    data = load_mnist(tmp_path / "mnist", task=TASK, files=SMALL)
    other = load_mnist(tmp_path / "mnist", task=dataclasses.replace(TASK, splits=(30, 20, 20)), files=SMALL)
    assert data.digest != other.digest


def test_reading_writes_nothing(tmp_path: Path) -> None:
    lay_out(tmp_path / "mnist")
    before = set(tmp_path.rglob("*"))
    load_mnist(tmp_path / "mnist", task=TASK, files=SMALL)
    assert set(tmp_path.rglob("*")) == before


def test_what_is_missing_is_downloaded(
    tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mnist"
    lay_out(folder)
    (folder / f"{FILES.test_labels.name}.gz").unlink()
    (folder / f"{FILES.train_labels.name}.gz").unlink()
    server.files = {f"m/{name}.gz": gzip.compress(content) for name, content in CONTENTS.items()}
    monkeypatch.setenv("HYPERBUDGET_MNIST_URL", server.url("m"))  # without a slash at its end
    data = load_mnist(folder, task=TASK, files=SMALL)
    assert len(data.test_labels) == 20
    assert [path for path, _ in server.requests] == [
        f"/m/{FILES.train_labels.name}.gz",
        f"/m/{FILES.test_labels.name}.gz",
    ]
    assert capfd.readouterr().out == ""


def test_a_download_is_checked_by_its_unzipped_content(
    tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files = {f"{name}.gz": gzip.compress(content) for name, content in CONTENTS.items()}
    changed = bytearray(CONTENTS[FILES.test_images.name])
    changed[100] ^= 1
    server.files[f"{FILES.test_images.name}.gz"] = gzip.compress(changed)
    monkeypatch.setenv("HYPERBUDGET_MNIST_URL", server.base)
    with pytest.raises(UserError, match=r"t10k-images-idx3-ubyte.gz cannot be .* is not the official file: .* sha256"):
        load_mnist(tmp_path / "mnist", task=TASK, files=SMALL)
    left = {path.name for path in (tmp_path / "mnist").iterdir()}
    assert left == {".download.lock", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}


def test_offline_says_what_to_put_where(own_data_dir: Path, closed_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "fetch", functools.partial(fetch, sleep=lambda _: None))
    monkeypatch.setenv("HYPERBUDGET_MNIST_URL", closed_url)
    for call in (prepare, load):
        with pytest.raises(UserError) as caught:
            call("mnist")
        first, second = str(caught.value).splitlines()
        assert first.startswith(f"train-images-idx3-ubyte.gz cannot be downloaded ({closed_url}train-images-idx3")
        assert second == (
            f"put train-images-idx3-ubyte.gz into {own_data_dir / 'mnist'} by hand, "
            "or set HYPERBUDGET_DATA_DIR to a folder whose mnist/ has it"
        )


IMAGES = CONTENTS[FILES.train_images.name]
ZIPPED = gzip.compress(IMAGES)
BAD_CRC = ZIPPED[:-8] + bytes(4) + ZIPPED[-4:]
CORRUPT = {
    "empty": (b"", "is cut off: it ends after 0 bytes, inside the header of 16"),
    "no header": (IMAGES[:9], "is cut off: it ends after 9 bytes, inside the header of 16"),
    "cut": (IMAGES[:-5], "is cut off: it ends 5 bytes early"),
    "too long": (IMAGES + b"12345", "has 5 bytes too many"),
    "web page": (
        b"<!DOCTYPE html><html>",
        "is no idx file of this kind: it starts with 0x3c21444f instead of 0x00000803",
    ),
    "labels": (
        CONTENTS[FILES.train_labels.name],
        "is no idx file of this kind: it starts with 0x00000801 instead of 0x00000803",
    ),
    "another number": (IMAGES[:7] + b"\x31" + IMAGES[8:], "holds 49 x 4 x 4 values, expected 50 x 4 x 4"),
    "one bit": (IMAGES[:-1] + bytes([IMAGES[-1] ^ 1]), "is not the official file: its content has sha256"),
    "zip cut": (ZIPPED[:500], "is cut off: its gzip stream has no end (500 bytes are there)"),
    "zip damaged": (ZIPPED[:300] + bytes(50) + ZIPPED[350:], "is damaged"),
    "zip checksum": (BAD_CRC, "is damaged: CRC check failed"),
    "zip and more": (ZIPPED + b"garbage", "is damaged: Not a gzipped file"),
}


@pytest.mark.parametrize(("content", "problem"), CORRUPT.values(), ids=CORRUPT)
def test_a_corrupt_file_is_named_with_its_fault_and_the_way_out(tmp_path: Path, content: bytes, problem: str) -> None:
    lay_out(tmp_path / "mnist")
    path = tmp_path / "mnist" / f"{FILES.train_images.name}.gz"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_mnist(tmp_path / "mnist", task=TASK, files=SMALL)
    message = str(caught.value)
    assert message.startswith(f"{path}: {problem}")
    assert message.endswith("; delete it and run again to download it anew")
    assert len(message.splitlines()) == 1
    assert path.exists()  # the user's file is the user's to delete


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    lay_out(tmp_path / "mnist")
    path = tmp_path / "mnist" / f"{FILES.train_labels.name}.gz"
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        load_mnist(tmp_path / "mnist", task=TASK, files=SMALL)


def test_the_real_data_set() -> None:
    names = [f"{file.name}{suffix}" for file in FILES.all() for suffix in ("", ".gz")]
    if sum((REAL_DATA_DIR / "mnist" / name).exists() for name in names) < len(FILES.all()):
        pytest.skip(f"MNIST is not in {REAL_DATA_DIR} (HYPERBUDGET_DATA_DIR)")
    before = os.listdir(REAL_DATA_DIR / "mnist")
    data = load("mnist", REAL_DATA_DIR)
    assert load("mnist", REAL_DATA_DIR) is data
    assert os.listdir(REAL_DATA_DIR / "mnist") == before
    assert data.digest == DIGESTS["mnist"]
    sizes = tuple(len(labels) for labels in (data.train_labels, data.validation_labels, data.test_labels))
    assert sizes == data.task.splits == (55_000, 5_000, 10_000)
    assert data.train_images.shape == (55_000, 1, 28, 28)
    assert float(data.train_images.max()) == 1.0
    pool = torch.cat([data.train_images, data.validation_images])
    assert float(pool.mean()) == pytest.approx(0.1307, abs=1e-4)  # as every MNIST tutorial has it
    assert float(pool.std()) == pytest.approx(0.3081, abs=1e-4)
    counts = torch.cat([data.train_labels, data.validation_labels]).bincount()
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
