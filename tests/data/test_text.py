"""Texts by name: splits, vocabulary, ids, digests, on texts made here; pydocs; and any file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hyperbudget.data import load_text as load_module
from hyperbudget.data.directory import data_dir
from hyperbudget.data.load_text import DIGESTS, load_text, prepare_text, text_digest, text_symbols
from hyperbudget.data.pydocs import read_pydocs
from hyperbudget.data.tasks import TASKS, TEXT_TASKS, TextTask, text_task
from hyperbudget.data.text import text_data
from hyperbudget.data.text_splits import Texts, cut, digest
from hyperbudget.errors import UserError

REAL_DATA_DIR = data_dir()  # read at import, before the fixture moves it
CUT = TextTask("cut")
APART = TextTask("apart", published_apart=True)


def test_a_text_is_cut_90_5_5_in_its_order() -> None:
    text = bytes(range(200))
    assert cut(CUT, text) == (text[:180], text[180:190], text[190:])
    assert cut(TextTask("x", splits=(3, 2, 5)), b"0123456789") == (b"012", b"34", b"56789")


@pytest.mark.parametrize("size", [0, 1, 10, 20])
def test_a_text_without_two_symbols_a_split_is_refused(size: int) -> None:
    with pytest.raises(UserError, match=f"cut: {size} bytes are too few to be cut into splits; take a longer text"):
        cut(CUT, bytes(size))
    assert [len(text) for text in cut(CUT, bytes(40))] == [36, 2, 2]


def test_ids_count_the_bytes_in_their_order() -> None:
    data = text_data(CUT, Texts(b"banana", b"nab", b"cb"))
    assert data.vocabulary == b"abcn"
    assert data.train.tolist() == [1, 0, 3, 0, 3, 0]
    assert data.validation.tolist() == [3, 0, 1]
    assert data.test.tolist() == [2, 1]  # of a text that we cut, the whole has the vocabulary
    assert {data.train.dtype, data.validation.dtype, data.test.dtype} == {torch.uint8}


def test_every_byte_may_be_a_symbol() -> None:
    text = bytes(range(256))
    data = text_data(CUT, Texts(text, text[::-1], text))
    assert data.vocabulary == text
    assert data.validation.tolist() == list(range(255, -1, -1))


def test_splits_published_apart_know_the_symbols_of_the_training_split_alone() -> None:
    assert text_data(APART, Texts(b"banana", b"nab", b"ab")).vocabulary == b"abn"
    for texts, split in ((Texts(b"banana", b"nac", b"ab"), "validation"), (Texts(b"banana", b"nab", b"nbcx"), "test")):
        with pytest.raises(
            UserError, match=rf"apart: the {split} text has b'c' at position 2, a symbol that the train"
        ):
            text_data(APART, texts)


def test_encoding_and_decoding_are_inverse() -> None:
    text = "Grüße, 世界\n"
    data = text_data(CUT, Texts(text.encode(), b"G", b"r"))
    ids = data.encode(text)
    assert ids.dtype == torch.uint8
    assert torch.equal(ids, data.train)
    assert data.decode(ids) == data.decode(ids.long()) == text
    assert data.encode("").shape == (0,)
    assert data.decode(data.encode("")) == ""
    assert data.decode(data.encode("ü")[:1]) == "\ufffd"
    with pytest.raises(IndexError):
        data.decode(torch.tensor([len(data.vocabulary)]))


@pytest.mark.parametrize(
    ("text", "symbol", "where"),
    [
        ("xab", "x", 0),
        ("ab\n", r"\n", 2),
        ("üaß", "ß", 2),
        ("üü世a", "世", 2),
        ("aÿb", "ÿ", 1),
        ("a\ud800", r"\ud800", 1),
    ],
)
def test_an_unknown_symbol_is_named_with_its_place(text: str, symbol: str, where: int) -> None:
    data = text_data(CUT, Texts("abü".encode(), b"a", b"b"))
    with pytest.raises(UserError) as caught:
        data.encode(text)
    assert str(caught.value) == (
        f"cut: '{symbol}' at position {where} is not among the 4 symbols of the vocabulary; leave it out"
    )


def test_the_digest_follows_the_text_and_the_splits() -> None:
    texts = Texts(b"banana", b"nab", b"ab")
    assert digest(texts) == digest(Texts(*texts))
    others = [Texts(b"banana", b"nab", b"aa"), Texts(b"banan", b"anab", b"ab"), Texts(b"banana", b"na", b"bab")]
    assert len({digest(other) for other in [texts, *others]}) == 4
    assert text_data(CUT, texts).digest == digest(texts)


def test_moving_to_where_the_data_are_copies_nothing() -> None:
    data = text_data(CUT, Texts(b"banana", b"nab", b"ab"))
    moved = data.to("cpu")
    assert moved.train is data.train
    assert (moved.digest, moved.task, moved.vocabulary) == (data.digest, data.task, data.vocabulary)
    assert data.to("meta").test.device.type == "meta"


def test_pydocs_is_in_every_python(own_data_dir: Path) -> None:
    prepare_text("pydocs")
    data = load_text("pydocs")
    assert load_text("pydocs") is data
    text = read_pydocs()
    assert len(text) > 300_000
    splits = (data.train, data.validation, data.test)
    assert "".join(data.decode(split) for split in splits).replace("\ufffd", "") in text.decode()
    assert [len(split) for split in splits] == [len(split) for split in cut(data.task, text)]
    assert data.digest == text_digest("pydocs")
    assert len(data.vocabulary) == text_symbols("pydocs")
    assert not own_data_dir.exists()


def test_a_python_without_pydocs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(
        UserError, match=r"pydocs: this Python lacks pydoc_data \(.*\); take another text, by text:PATH"
    ):
        read_pydocs()


def test_any_file_is_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(range(100)) * 3
    file = tmp_path / "a b.txt"
    file.write_bytes(content)
    monkeypatch.chdir(tmp_path)
    name = f"text:{file}"
    assert text_task("text:a b.txt") == text_task(name) == TextTask(name)
    data = load_text("text:a b.txt")
    assert load_text(name) is data
    assert data.task.path == file
    assert torch.cat([data.train, data.validation, data.test]).tolist() == list(content)
    assert (data.digest, len(data.vocabulary)) == (text_digest(name), text_symbols(name))
    prepare_text(name)
    assert [path.name for path in tmp_path.iterdir()] == ["a b.txt"]  # nothing is written beside it


def test_a_changed_file_is_another_text(tmp_path: Path) -> None:
    file = tmp_path / "text"
    name = f"text:{file}"
    file.write_bytes(b"ab" * 100)
    first, old = load_text(name), text_digest(name)
    file.write_bytes(b"ba" * 100)
    os.utime(file, (1, 1))
    assert text_digest(name) != old
    assert load_text(name).digest == text_digest(name)
    assert first.digest == old


@pytest.mark.parametrize(("path", "problem"), [("none", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, path: str, problem: str) -> None:
    for call in (load_text, text_digest, text_symbols, prepare_text):
        with pytest.raises(UserError) as caught:
            call(f"text:{tmp_path / path}")
        message = f"{tmp_path / path}: cannot be read: {problem}; after `text:` stands the path of a file"
        assert str(caught.value) == message


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert text_task("text:~/x").path == tmp_path / "x"


@pytest.mark.parametrize("name", ["pbt", "digits", "text:", "text", ""])
def test_an_unknown_text_is_refused(name: str) -> None:
    for call in (text_task, load_text, text_digest, text_symbols, prepare_text):
        with pytest.raises(UserError) as caught:
            call(name)
        assert str(caught.value) == f"task: {name!r} is not one of pydocs, ptb, enwik8, text:PATH"


def test_texts_and_images_have_names_of_their_own() -> None:
    assert not set(TASKS) & set(TEXT_TASKS)
    assert all(task.path is None for task in TEXT_TASKS.values())


def test_digest_and_symbols_need_no_torch() -> None:
    calls = "; ".join(f"text_digest({name!r}), text_symbols({name!r})" for name in (*TEXT_TASKS, f"text:{__file__}"))
    code = f"import sys; from hyperbudget.data.load_text import *; {calls}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_texts_with_another_digest_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIGESTS, "pydocs", "0" * 64)
    load_module._load.cache_clear()
    with pytest.raises(UserError, match=r"pydocs: the data differ from those that .* expected 000000000000"):
        load_text("pydocs")


def test_the_real_penn_treebank() -> None:
    folder = REAL_DATA_DIR / "ptb"
    if not all((folder / f"ptb.{split}.txt").exists() for split in ("train", "valid", "test")):
        pytest.skip(f"PTB is not in {REAL_DATA_DIR} (HYPERBUDGET_DATA_DIR)")
    data = load_text("ptb", REAL_DATA_DIR)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [5_017_482, 393_042, 442_423]
    assert data.vocabulary == b"\n #$&'*-./0123456789<>N\\abcdefghijklmnopqrstuvwxyz"
    assert len(data.vocabulary) == data.task.symbols == 50
    assert data.train.unique().tolist() == list(range(50))
    assert data.digest == text_digest("ptb")
    assert data.decode(data.train[:20]) == "aer banknote berlitz"
    assert data.decode(data.train[-6:]) == "<unk>\n"
    newline = data.encode("\n").item()
    lines = [int((split == newline).sum()) for split in (data.train, data.validation, data.test)]
    assert lines == [42_068, 3_370, 3_761]  # the sentences that everybody counts


def test_the_real_wikipedia() -> None:
    file = REAL_DATA_DIR / "wiki" / "enwiki-sample.xml"
    if not file.exists():
        pytest.skip(f"{file} is not there (HYPERBUDGET_DATA_DIR)")
    data = load_text(f"text:{file}")
    whole = torch.cat([data.train, data.validation, data.test])
    content = file.read_bytes()
    assert bytes(data.vocabulary[index] for index in whole[:10_000].tolist()) == content[:10_000]
    assert len(whole) == len(content)
    assert len(data.vocabulary) == len(set(content)) == 201
