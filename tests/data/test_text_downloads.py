"""PTB and enwik8 in small, made here: what is missing is downloaded, and every fault is named with the way out."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperbudget.data import enwik8, ptb
from hyperbudget.data import load_text as load_module
from hyperbudget.data.download import fetch
from hyperbudget.data.enwik8 import read_enwik8
from hyperbudget.data.load_text import DIGESTS, load_text, prepare_text, text_digest, text_symbols
from hyperbudget.data.ptb import read_ptb
from hyperbudget.data.tasks import TEXT_TASKS, TextTask
from hyperbudget.data.text_splits import Texts, digest, digest_of
from hyperbudget.errors import UserError

if TYPE_CHECKING:
    from tests.data.conftest import FileServer

FILES = {
    "ptb.train.txt": b" no it was n't \n <unk> rose N N \n",
    "ptb.valid.txt": b" it rose \n",
    "ptb.test.txt": b" no \n was \n",
}
SENTENCES = Texts(b"no it was n't\n<unk> rose N N\n", b"it rose\n", b"no\nwas\n")
PTB = TextTask("ptb", symbols=17, splits=(29, 8, 7), published_apart=True)
TEXT = b"<mediawiki>" * 9 + "Café".encode() * 20
ENWIK8 = TextTask("enwik8", symbols=13, splits=(170, 20, 9))
WAY_OUT = "; delete it and run again to download it anew"


def zipped(content: bytes = TEXT, name: str = "enwik8", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tasks are the small ones, no pause is waited, and nothing is remembered of other tests."""
    monkeypatch.setitem(TEXT_TASKS, "ptb", PTB)
    monkeypatch.setitem(TEXT_TASKS, "enwik8", ENWIK8)
    monkeypatch.setitem(DIGESTS, "ptb", digest(SENTENCES))
    monkeypatch.setitem(DIGESTS, "enwik8", digest(Texts(TEXT[:170], TEXT[170:190], TEXT[190:])))
    monkeypatch.setattr(ptb, "SHA256", {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()})
    monkeypatch.setattr(enwik8, "SHA256", hashlib.sha256(TEXT).hexdigest())
    for module in (ptb, enwik8):
        monkeypatch.setattr(module, "fetch", functools.partial(fetch, sleep=lambda _: None))
    load_module._load.cache_clear()


def test_ptb_lines_are_stripped_and_end_with_a_newline(tmp_path: Path) -> None:
    lay_out(tmp_path, FILES)
    before = os.listdir(tmp_path)
    assert read_ptb(tmp_path, task=PTB) == SENTENCES
    lay_out(tmp_path, {name: content.replace(b"\n", b"\r\n") for name, content in FILES.items()})
    assert read_ptb(tmp_path, task=PTB) == SENTENCES
    assert os.listdir(tmp_path) == before


def test_the_missing_files_of_ptb_are_downloaded(
    own_data_dir: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lay_out(own_data_dir / "ptb", {"ptb.valid.txt": FILES["ptb.valid.txt"]})
    server.files = {f"m/{name}": content for name, content in FILES.items()}
    server.cuts = [10]
    monkeypatch.setenv("HYPERBUDGET_PTB_URL", server.url("m"))
    prepare_text("ptb")
    assert server.requests == [("/m/ptb.train.txt", None), ("/m/ptb.train.txt", "bytes=10-"), ("/m/ptb.test.txt", None)]
    data = load_text("ptb")
    assert data.digest == text_digest("ptb")
    assert len(data.vocabulary) == text_symbols("ptb") == 17
    assert (data.decode(data.train).encode(), data.decode(data.test).encode()) == (SENTENCES.train, SENTENCES.test)
    assert len(server.requests) == 3
    assert capfd.readouterr().out == ""


def test_a_file_of_ptb_must_be_the_official_one(
    own_data_dir: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files = FILES | {"ptb.train.txt": b"<!DOCTYPE html>"}
    monkeypatch.setenv("HYPERBUDGET_PTB_URL", server.base)
    with pytest.raises(
        UserError, match=r"ptb.train.txt cannot be downloaded .* what it sends is not the official file"
    ):
        prepare_text("ptb")
    assert {path.name for path in (own_data_dir / "ptb").iterdir()} == {".download.lock"}


def test_a_damaged_file_of_ptb_is_named(own_data_dir: Path) -> None:
    folder = own_data_dir / "ptb"
    lay_out(folder, FILES | {"ptb.test.txt": b" no \n"})
    with pytest.raises(UserError) as caught:
        load_text("ptb")
    assert str(caught.value) == f"{folder / 'ptb.test.txt'}: holds 3 characters, expected 7" + WAY_OUT
    lay_out(folder, FILES | {"ptb.test.txt": b" no \n saw \n"})
    with pytest.raises(UserError, match="ptb: the data differ from those that this version of hyperbudget knows"):
        load_text("ptb")
    lay_out(folder, FILES | {"ptb.test.txt": b" no \n wax \n"})
    with pytest.raises(UserError, match="ptb: the test text has b'x' at position 5, a symbol that the training text"):
        load_text("ptb")


@pytest.mark.parametrize(("task", "file"), [("ptb", "ptb.train.txt"), ("enwik8", "enwik8.zip")])
def test_offline_says_what_to_put_where(
    own_data_dir: Path, closed_url: str, monkeypatch: pytest.MonkeyPatch, task: str, file: str
) -> None:
    monkeypatch.setenv(f"HYPERBUDGET_{task.upper()}_URL", closed_url)
    for call in (prepare_text, load_text):
        with pytest.raises(UserError) as caught:
            call(task)
        first, second = str(caught.value).splitlines()
        assert first == f"{file} cannot be downloaded ({closed_url}{file}: Connection refused)"
        assert second.startswith(f"put {file} into {own_data_dir / task} by hand")
    assert text_digest(task) == DIGESTS[task]  # nothing is asked for


@pytest.mark.parametrize("content", [{"enwik8": TEXT}, {"enwik8.zip": zipped()}, {"enwik8": TEXT, "enwik8.zip": b""}])
def test_enwik8_is_read_plain_or_zipped(own_data_dir: Path, content: dict[str, bytes]) -> None:
    lay_out(own_data_dir / "enwik8", content)
    data = load_text("enwik8")
    assert data.decode(data.train) == TEXT[:170].decode()
    assert [len(split) for split in (data.train, data.validation, data.test)] == [170, 20, 9]
    assert len(data.vocabulary) == text_symbols("enwik8") == 13
    assert data.digest == text_digest("enwik8")
    assert {path.name for path in (own_data_dir / "enwik8").iterdir()} == set(content)  # it is not unpacked


@pytest.mark.parametrize("whole_url", [True, False])
def test_enwik8_is_downloaded_zipped(
    own_data_dir: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch, whole_url: bool
) -> None:
    server.files = {"m/enwik8.zip": zipped()}
    server.cuts = [50]
    monkeypatch.setenv("HYPERBUDGET_ENWIK8_URL", server.url("m/enwik8.zip" if whole_url else "m"))
    prepare_text("enwik8")
    assert server.requests == [("/m/enwik8.zip", None), ("/m/enwik8.zip", "bytes=50-")]
    assert len(load_text("enwik8").test) == 9
    assert len(server.requests) == 2
    assert (own_data_dir / "enwik8" / "enwik8.zip").read_bytes() == zipped()


def test_enwik8_is_checked_by_its_unzipped_content(
    own_data_dir: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERBUDGET_ENWIK8_URL", server.base)
    for content in (zipped(TEXT.upper()), zipped(TEXT + b"x"), b"<!DOCTYPE html>"):
        server.files = {"enwik8.zip": content}
        with pytest.raises(UserError, match=r"what it sends is (not the official file|damaged: File is not a zip)"):
            prepare_text("enwik8")
    server.files = {"enwik8.zip": zipped(method=zipfile.ZIP_STORED)}
    prepare_text("enwik8")


ZIPPED = zipped()
BAD = {
    "plain cut": ("enwik8", TEXT[:-1], "holds 198 bytes, expected 199"),
    "plain too long": ("enwik8", TEXT + b"x", "holds 200 bytes, expected 199"),
    "short": ("enwik8.zip", zipped(TEXT[:5]), "holds 5 bytes, expected 199"),
    "a bomb": ("enwik8.zip", zipped(bytes(10**6)), "holds 200 bytes, expected 199"),
    "another file": ("enwik8.zip", zipped(name="text8"), "lacks enwik8"),
    "cut": ("enwik8.zip", ZIPPED[:-30], "is damaged: File is not a zip file"),
    "empty": ("enwik8.zip", b"", "is damaged: File is not a zip file"),
    "damaged": ("enwik8.zip", ZIPPED[:40] + b"\xff" * 20 + ZIPPED[60:], "is damaged: "),
    "checksum": (
        "enwik8.zip",
        zipped(method=zipfile.ZIP_STORED).replace(b"Caf", b"caf", 1),
        "is damaged: Bad CRC-32 for file 'enwik8'",
    ),
}


@pytest.mark.parametrize(("name", "content", "problem"), BAD.values(), ids=BAD)
def test_a_corrupt_enwik8_is_named_with_its_fault_and_the_way_out(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    lay_out(tmp_path, {name: content})
    with pytest.raises(UserError) as caught:
        read_enwik8(tmp_path, task=ENWIK8)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: {problem}")
    assert message.endswith(WAY_OUT)
    assert len(message.splitlines()) == 1


def test_another_text_of_the_right_length_is_refused(own_data_dir: Path) -> None:
    lay_out(own_data_dir / "enwik8", {"enwik8": TEXT.upper()})
    with pytest.raises(UserError, match="enwik8: the data differ from those that this version of hyperbudget knows"):
        load_text("enwik8")


def test_the_pinned_digest_of_enwik8_is_that_of_its_published_sha256(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    splits = TEXT_TASKS["enwik8"].splits
    assert splits is not None
    assert sum(splits) == 100_000_000
    assert digest_of(list(splits), enwik8.SHA256) == DIGESTS["enwik8"]
