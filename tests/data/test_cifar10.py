"""CIFAR-10's formats on a small data set made here: binary, pickled, archived, damaged, hostile; and the real one."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from hyperbudget.data import cifar10, digest_file
from hyperbudget.data import load as load_module
from hyperbudget.data.cifar10 import BINARY, PYTHON, load_cifar10
from hyperbudget.data.directory import data_dir
from hyperbudget.data.download import fetch
from hyperbudget.data.load import digest, load, prepare
from hyperbudget.data.tasks import TASKS, ImageTask
from hyperbudget.errors import UserError

if TYPE_CHECKING:
    from tests.data.conftest import FileServer

TASK = ImageTask(
    "cifar10", channels=3, size=32, classes=10, pad=2, splits=(16, 4, 3), flip=True, normalise=True
)  # five batches of four images, and three to test
REAL_DATA_DIR = data_dir()  # read at import, before the fixture moves it
WAY_OUT = "; delete {} and run again to download it anew"


def make_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(0)
    counts = [4, 4, 4, 4, 4, 3]
    return [(random.integers(0, 256, (n, 3072), np.uint8), random.integers(0, 10, n, np.uint8)) for n in counts]


BATCHES = make_batches()


def binary(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    return np.concatenate([labels[:, None], pixels], 1).tobytes()


def python3(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    return pickle.dumps({b"data": pixels, b"labels": labels.tolist(), b"batch_label": b"x"}, 3)


def python2(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    """The opcodes that Python 2 and the NumPy of 2009 wrote, as in the publisher's own files."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|") + b"NNN"
    dtype += b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    array += b"(K\x01" + b"K" + bytes([len(pixels)]) + b"M" + struct.pack("<H", 3072) + b"\x86" + dtype + b"\x89"
    array += b"T" + struct.pack("<i", pixels.size) + pixels.tobytes() + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels.tolist()) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + text(b"filenames") + b"]u."


def contents(form: str) -> dict[str, bytes]:
    """Name -> content of the six files of a form."""
    names = (BINARY if form == "binary" else PYTHON).names()
    writer = {"binary": binary, "python2": python2, "python3": python3}[form]
    return {name: writer(*batch) for name, batch in zip(names, BATCHES, strict=True)}


def lay_out(folder: Path, form: str) -> Path:
    """Write the batch files of a form; returns the folder that has them."""
    target = folder / (BINARY if form == "binary" else PYTHON).folder
    target.mkdir(parents=True)
    for name, content in contents(form).items():
        (target / name).write_bytes(content)
    return target


def archive(form: str, *, prefix: str = "", leave_out: str = "", kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in [("readme.html", b"<html>"), *contents(form).items()]:
            if name == leave_out:
                continue
            member = tarfile.TarInfo(f"{prefix}{(BINARY if form == 'binary' else PYTHON).folder}/{name}")
            member.size = len(content) if kind == tarfile.REGTYPE else 0
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """`load`, `digest` and `prepare` know the small data set, and remember nothing of other tests."""
    monkeypatch.setitem(TASKS, "cifar10", TASK)
    monkeypatch.setattr(cifar10, "load_cifar10", functools.partial(load_cifar10, task=TASK))
    load_module._computed.cache_clear()


def test_the_splits_cut_the_training_batches(tmp_path: Path) -> None:
    lay_out(tmp_path, "binary")
    data = load_cifar10(tmp_path, task=TASK)
    assert data.train_images.shape == (16, 3, 32, 32)
    assert data.validation_images.shape == (4, 3, 32, 32)
    assert data.test_images.dtype == torch.uint8
    assert data.train_labels.dtype == torch.int64
    got = torch.cat([data.train_images, data.validation_images]).reshape(20, -1)
    labels = torch.cat([data.train_labels, data.validation_labels])
    expected = np.concatenate([np.concatenate([pixels, labels[:, None]], 1) for pixels, labels in BATCHES[:5]])
    assert sorted(map(tuple, torch.cat([got, labels[:, None]], 1).tolist())) == sorted(map(tuple, expected.tolist()))
    tested, test_labels = BATCHES[5]
    assert torch.equal(data.test_images, torch.from_numpy(tested).view(3, 3, 32, 32))
    assert data.test_labels.tolist() == test_labels.tolist()


def test_every_form_gives_the_same_data_and_digest(tmp_path: Path) -> None:
    forms = []
    for form in ("binary", "python2", "python3"):
        lay_out(tmp_path / form, form)
        forms.append(form)
    for form, prefix in (("binary", ""), ("python2", "./")):
        folder = tmp_path / f"archive-{form}"
        folder.mkdir()
        name = (BINARY if form == "binary" else PYTHON).archive
        (folder / name).write_bytes(archive(form, prefix=prefix))
        forms.append(folder.name)
    first, *others = [load_cifar10(tmp_path / form, task=TASK) for form in forms]
    for other in others:
        assert other.digest == first.digest
        assert torch.equal(other.train_images, first.train_images)
        assert torch.equal(other.validation_labels, first.validation_labels)
        assert torch.equal(other.test_images, first.test_images)
    for form in forms[3:]:
        assert len(list((tmp_path / form).iterdir())) == 1  # an archive is not unpacked


def corrupt(folder: Path, name: str, content: bytes) -> str:
    """Put `content` in place of a batch file and return the message of loading, which must be one line."""
    (folder / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_cifar10(folder.parent, task=TASK)
    message = str(caught.value)
    assert message.startswith(f"{folder / name}: ")
    assert message.endswith(WAY_OUT.format(folder))
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{folder / name}: ").removesuffix(WAY_OUT.format(folder))


GOOD = binary(*BATCHES[2])
BAD_BINARY = {
    "cut": (GOOD[:-5], "has 12,287 bytes, which is no multiple of the 3,073 of a record"),
    "empty": (b"", "holds 0 images, expected 4"),
    "a record short": (GOOD[:-3073], "holds 3 images, expected 4"),
    "a record more": (GOOD + GOOD[:3073], "holds 5 images, expected 4"),
    "label": (GOOD[:3073] + b"\x0a" + GOOD[3074:], "has the label 10 at image 1, expected 0 ... 9"),
    "web page": (b"<!DOCTYPE html>", "has 15 bytes, which is no multiple of the 3,073 of a record"),
    "zip cut": (gzip.compress(GOOD)[:500], "is cut off: its gzip stream has no end (500 bytes are there)"),
}


@pytest.mark.parametrize(("content", "problem"), BAD_BINARY.values(), ids=BAD_BINARY)
def test_a_corrupt_binary_batch_is_named_with_its_fault_and_the_way_out(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    assert corrupt(lay_out(tmp_path, "binary"), "data_batch_3.bin", content) == problem


PIXELS, LABELS = BATCHES[2]
CLASSES = LABELS.tolist()
NO_PIXELS = "is no CIFAR-10 batch: its `data` are no bytes of shape (images, 3,072)"
NO_LABELS = "is no CIFAR-10 batch: its `labels` are no list of whole numbers"


def pickled(data: Any = PIXELS, labels: Any = CLASSES) -> bytes:
    return pickle.dumps({b"data": data, b"labels": labels}, 3)


BAD_PICKLES = {
    "cut": (python2(PIXELS, LABELS)[:5000], "is no whole pickle: pickle data was truncated"),
    "empty": (b"", "is no whole pickle: Ran out of input"),
    "web page": (b"<!DOCTYPE html>", "is no whole pickle: invalid load key, '<'."),
    "no dictionary": (pickle.dumps([1], 3), "is no CIFAR-10 batch: what it pickles is no dictionary"),
    "no data": (pickle.dumps({b"labels": []}, 3), "is no CIFAR-10 batch: it has no 'data'"),
    "no labels": (pickle.dumps({b"data": PIXELS}, 3), "is no CIFAR-10 batch: it has no 'labels'"),
    "floats": (pickled(PIXELS.astype(np.float32)), NO_PIXELS),
    "signed": (pickled(PIXELS.astype(np.int8)), NO_PIXELS),
    "flat": (pickled(PIXELS.ravel()), NO_PIXELS),
    "narrow": (pickled(PIXELS[:, :1024].copy()), NO_PIXELS),
    "data is text": (pickled(b"pixels"), NO_PIXELS),
    "labels are text": (pickled(labels=b"1234"), NO_LABELS),
    "labels are floats": (pickled(labels=[1.0, 2.0, 3.0, 4.0]), NO_LABELS),
    "other length": (pickled(labels=[1, 2, 3]), "holds 4 images, but 3 labels"),
    "negative": (pickled(labels=[1, 2, 3, -1]), "has the label -1 at image 3, expected 0 ... 9"),
    "large": (pickled(labels=[1, 257, 3, 1]), "has the label 257 at image 1, expected 0 ... 9"),
    "another number": (pickled(PIXELS[:3], [1, 2, 3]), "holds 3 images, expected 4"),
}


@pytest.mark.parametrize(("content", "problem"), BAD_PICKLES.values(), ids=BAD_PICKLES)
def test_a_corrupt_pickled_batch_is_named_with_its_fault_and_the_way_out(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    assert corrupt(lay_out(tmp_path, "python2"), "data_batch_3", content) == problem


class Hostile:
    """Pickles as a call of whatever it is given."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("where", ["alone", "in the batch", "after it"])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path: Path, protocol: int, where: str) -> None:
    folder = lay_out(tmp_path, "python2")
    mark = tmp_path / "mark"
    hostile = Hostile(os.mkdir, str(mark))
    content = {
        "alone": hostile,
        "in the batch": {b"data": PIXELS, b"labels": [1, 2, 3, hostile]},
        "after it": {b"data": PIXELS, b"labels": [1, 2, 3, 4], b"filenames": hostile},
    }[where]
    pickle.loads(pickle.dumps(hostile, protocol))
    assert mark.exists()  # it does bite
    mark.rmdir()
    problem = corrupt(folder, "data_batch_3", pickle.dumps(content, protocol))
    assert problem.startswith("is no CIFAR-10 batch: its pickle asks for ")
    assert problem.endswith(", which was not run")
    assert not mark.exists()


@pytest.mark.parametrize(
    "call",
    [(eval, "1"), (np.load, "x"), (np.ndarray.tofile, PIXELS, "x"), (np.lib.format.open_memmap, "x")],
    ids=["builtin", "numpy", "method", "deep"],
)
def test_only_the_names_of_one_array_are_admitted(tmp_path: Path, call: tuple[Any, ...]) -> None:
    problem = corrupt(lay_out(tmp_path, "python2"), "data_batch_3", pickle.dumps(Hostile(*call), 4))
    assert "its pickle asks for " in problem


def test_the_admitted_names_are_not_run_either(tmp_path: Path) -> None:
    """An array of objects, or a state that is made up, never reaches NumPy."""
    folder = lay_out(tmp_path, "python2")
    objects = np.array([[1] * 3072] * 4, dtype=object)
    assert corrupt(folder, "data_batch_3", pickled(objects)) == NO_PIXELS
    assert corrupt(folder, "data_batch_3", b"\x80\x02cnumpy\nndarray\n}b.") == (
        "is no CIFAR-10 batch: what it pickles is no dictionary"
    )


ZIPPED = archive("binary")
BAD_ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "cut": (lambda: ZIPPED[:20_000], "is cut off: its gzip stream has no end (20,000 bytes are there)"),
    "last bytes": (lambda: ZIPPED[:-4], "is cut off: its gzip stream has no end"),
    "damaged": (
        lambda: ZIPPED[:10] + b"\xff" * 50 + ZIPPED[60:],
        "is damaged: zlib error: Error -3 while decompressing",
    ),
    "checksum": (lambda: ZIPPED[:-8] + bytes(4) + ZIPPED[-4:], "is damaged: CRC check failed"),
    "empty": (lambda: b"", "is damaged"),
    "web page": (lambda: b"<!DOCTYPE html>", "is damaged: Not a gzipped file"),
    "no tar": (lambda: gzip.compress(b"x" * 5000), "is damaged"),
    "lacks one": (
        lambda: archive("binary", leave_out="test_batch.bin"),
        "lacks cifar-10-batches-bin/test_batch.bin;",
    ),
    "links": (
        lambda: archive("binary", kind=tarfile.SYMTYPE),
        "lacks cifar-10-batches-bin/data_batch_1.bin, cifar-10-batches-bin/data_batch_2.bin",
    ),
    "elsewhere": (lambda: archive("binary", prefix="../"), "lacks cifar-10-batches-bin/data_batch_1.bin"),
}


@pytest.mark.parametrize(("content", "problem"), BAD_ARCHIVES.values(), ids=BAD_ARCHIVES)
def test_a_corrupt_archive_is_named_with_its_fault_and_the_way_out(
    tmp_path: Path, content: Callable[[], bytes], problem: str
) -> None:
    path = tmp_path / BINARY.archive
    path.write_bytes(content())
    with pytest.raises(UserError) as caught:
        load_cifar10(tmp_path, task=TASK)
    message = str(caught.value)
    assert message.startswith(f"{path}: {problem}")
    assert message.endswith(WAY_OUT.format(path))
    assert len(message.splitlines()) == 1
    assert [file.name for file in tmp_path.iterdir()] == [BINARY.archive]


def test_a_corrupt_batch_in_an_archive_is_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / BINARY.archive, "w:gz") as tar:
        member = tarfile.TarInfo(f"{BINARY.folder}/data_batch_2.bin")
        member.size = 100
        tar.addfile(member, io.BytesIO(bytes(100)))
    with pytest.raises(UserError, match=r"binary\.tar\.gz/data_batch_2\.bin: has 100 bytes, which is no multiple"):
        load_cifar10(tmp_path, task=TASK)


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, "binary")
    (folder / "data_batch_4.bin").unlink()
    with pytest.raises(UserError) as caught:
        load_cifar10(tmp_path, task=TASK)
    assert str(caught.value) == (
        f"{folder / 'data_batch_4.bin'}: cannot be read: No such file or directory" + WAY_OUT.format(folder)
    )


@pytest.mark.parametrize("whole_url", [True, False])
def test_what_is_missing_is_downloaded(
    own_data_dir: Path,
    server: FileServer,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    small: None,
    whole_url: bool,
) -> None:
    server.files = {f"m/{BINARY.archive}": ZIPPED}
    server.cuts = [10_000]
    monkeypatch.setattr(cifar10, "fetch", functools.partial(fetch, sleep=lambda _: None))
    monkeypatch.setenv("HYPERBUDGET_CIFAR10_URL", server.url(f"m/{BINARY.archive}" if whole_url else "m"))
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(ZIPPED).hexdigest())
    prepare("cifar10")
    assert server.requests == [(f"/m/{BINARY.archive}", None), (f"/m/{BINARY.archive}", "bytes=10000-")]
    assert (own_data_dir / "cifar10" / BINARY.archive).read_bytes() == ZIPPED
    assert (own_data_dir / "cifar10" / digest_file.NAME).exists()  # so that no worker computes it
    assert len(load("cifar10").test_labels) == 3
    assert len(server.requests) == 2
    assert capfd.readouterr().out == ""


def test_a_download_must_be_the_official_archive(
    own_data_dir: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files = {BINARY.archive: ZIPPED}
    monkeypatch.setenv("HYPERBUDGET_CIFAR10_URL", server.base)
    with pytest.raises(UserError, match=r"what it sends is not the official file: it has md5 .*, not c32a1d4ab5d0"):
        prepare("cifar10")
    assert {path.name for path in (own_data_dir / "cifar10").iterdir()} == {".download.lock"}


def test_offline_says_what_to_put_where(own_data_dir: Path, closed_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "fetch", functools.partial(fetch, sleep=lambda _: None))
    monkeypatch.setenv("HYPERBUDGET_CIFAR10_URL", closed_url)
    for call in (prepare, digest, load):
        with pytest.raises(UserError) as caught:
            call("cifar10")
        first, second = str(caught.value).splitlines()
        assert first == f"{BINARY.archive} cannot be downloaded ({closed_url}{BINARY.archive}: Connection refused)"
        assert second.startswith(f"put {BINARY.archive} into {own_data_dir / 'cifar10'} by hand")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch, small: None) -> list[str]:
    """Notes each reading of the data by `load`, `digest` or `prepare`."""
    noted: list[str] = []
    read = load_module._read

    def note(task: str, folder: Path) -> Any:
        noted.append(task)
        return read(task, folder)

    monkeypatch.setattr(load_module, "_read", note)
    return noted


def new_process() -> None:
    """Forget what a process remembers."""
    load_module._computed.cache_clear()
    load_module._load.cache_clear()


def test_the_digest_is_computed_once_and_kept_beside_the_files(own_data_dir: Path, reads: list[str]) -> None:
    lay_out(own_data_dir / "cifar10", "binary")
    first = digest("cifar10")
    new_process()
    assert digest("cifar10") == first
    assert reads == ["cifar10"]
    assert load("cifar10").digest == first
    assert {path.name for path in (own_data_dir / "cifar10").iterdir()} == {BINARY.folder, digest_file.NAME}


def test_loading_keeps_the_digest_and_puts_a_wrong_one_right(own_data_dir: Path, reads: list[str]) -> None:
    lay_out(own_data_dir / "cifar10", "binary")
    data = load("cifar10")
    kept = own_data_dir / "cifar10" / digest_file.NAME
    content = json.loads(kept.read_text())
    assert content["digest"] == data.digest
    kept.write_text(json.dumps(content | {"digest": "0" * 64}))
    new_process()
    load("cifar10")
    assert digest("cifar10") == data.digest


def test_changed_files_have_another_digest(own_data_dir: Path, reads: list[str]) -> None:
    folder = lay_out(own_data_dir / "cifar10", "binary")
    first = digest("cifar10")
    path = folder / "data_batch_3.bin"
    path.write_bytes(GOOD[:-1] + bytes([GOOD[-1] ^ 1]))  # of the same size
    os.utime(path, (1, 1))
    assert digest("cifar10") != first
    path.write_bytes(GOOD)
    assert digest("cifar10") == first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"state": 1}', "\udcff"])
def test_a_damaged_digest_file_is_made_anew(own_data_dir: Path, reads: list[str], content: str) -> None:
    lay_out(own_data_dir / "cifar10", "binary")
    first = digest("cifar10")
    kept = own_data_dir / "cifar10" / digest_file.NAME
    good = kept.read_text()
    kept.write_text(content, errors="surrogateescape")
    new_process()
    assert digest("cifar10") == first
    assert kept.read_text() == good


def test_a_folder_that_cannot_be_written_to_is_read_once_a_process(
    own_data_dir: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(own_data_dir / "cifar10", "binary")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(digest_file.os, "replace", refuse)
    assert digest("cifar10") == digest("cifar10")
    assert reads == ["cifar10"]
    assert [path.name for path in (own_data_dir / "cifar10").iterdir()] == [BINARY.folder]


def test_a_kept_digest_needs_no_torch(own_data_dir: Path) -> None:
    folder = own_data_dir / "cifar10"
    lay_out(folder, "binary")
    digest_file.keep(folder, digest_file.state(TASKS["cifar10"], folder, cifar10.files(folder)), "abc")
    code = "import sys; from hyperbudget.data.load import digest; print(digest('cifar10'), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "abc False\n"


def test_the_real_data_set() -> None:
    if not any(
        (REAL_DATA_DIR / "cifar10" / name).exists() for form in cifar10.FORMS for name in (form.folder, form.archive)
    ):
        pytest.skip(f"CIFAR-10 is not in {REAL_DATA_DIR} (HYPERBUDGET_DATA_DIR)")
    data = load_cifar10(REAL_DATA_DIR / "cifar10")
    sizes = tuple(len(labels) for labels in (data.train_labels, data.validation_labels, data.test_labels))
    assert sizes == data.task.splits == (45_000, 5_000, 10_000)
    assert data.train_images.shape == (45_000, 3, 32, 32)
    assert torch.cat([data.train_labels, data.validation_labels]).bincount().tolist() == [5_000] * 10
    assert data.test_labels.bincount().tolist() == [1_000] * 10
    assert data.mean is not None
    assert data.deviation is not None
    assert (data.mean / 255).tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=2e-3)  # as everybody has them
    assert (data.deviation / 255).tolist() == pytest.approx([0.2470, 0.2435, 0.2616], abs=4e-3)
