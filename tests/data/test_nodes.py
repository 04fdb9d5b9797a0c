"""Data on the nodes of a cluster: fetched once a node, whoever asks first, and looked for without fetching them."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hyperbudget.data import load as loading
from hyperbudget.data import mnist
from hyperbudget.data.download import reachable
from hyperbudget.data.load import load, missing
from hyperbudget.errors import UserError
from tests.data.test_mnist import CONTENTS, SMALL, TASK

if TYPE_CHECKING:
    from tests.data.conftest import FileServer


@pytest.fixture
def small(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST as a few images that the server has."""
    for function in (mnist.load_mnist, mnist.download_mnist):
        options: dict[str, Any] = function.__kwdefaults__
        monkeypatch.setitem(options, "files", SMALL)
        if "task" in options:
            monkeypatch.setitem(options, "task", TASK)
    server.files = {f"{name}.gz": gzip.compress(content) for name, content in CONTENTS.items()}
    monkeypatch.setenv("HYPERBUDGET_MNIST_URL", server.base)


def load_on_node(folder: Path, answers: Any) -> None:
    os.environ["HYPERBUDGET_DATA_DIR"] = str(folder)
    loading.DIGESTS.pop("mnist")
    loading.DIGESTS["mnist"] = mnist.load_mnist(folder / "mnist").digest
    answers.put(load("mnist").digest)


@pytest.mark.usefixtures("small")
def test_three_workers_on_each_of_two_nodes_download_once_a_node(tmp_path: Path, server: FileServer) -> None:
    server.gate = threading.Event()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    folders = [tmp_path / node for node in ("a", "b") for _ in range(3)]
    workers = [context.Process(target=load_on_node, args=(folder, answers), daemon=True) for folder in folders]
    for worker in workers:
        worker.start()
    assert server.half_sent.wait(60)
    server.gate.set()
    assert len({answers.get(timeout=60) for _ in workers}) == 1
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert Counter(path for path, _ in server.requests) == {f"/{name}.gz": 2 for name in CONTENTS}


@pytest.mark.usefixtures("small")
def test_what_a_load_would_fetch(tmp_path: Path, server: FileServer) -> None:
    wanted = missing("mnist", tmp_path)
    assert [(list(urls), target) for urls, target in wanted] == [
        ([server.url(f"{file.name}.gz")], tmp_path / "mnist" / f"{file.name}.gz") for file in SMALL.all()
    ]
    assert not list(tmp_path.iterdir())
    assert server.requests == []
    mnist.download_mnist(tmp_path / "mnist")
    assert missing("mnist", tmp_path) == []


@pytest.mark.parametrize("task", ["digits", "pydocs"])
def test_what_ships_is_never_missing(task: str) -> None:
    assert missing(task) == []


@pytest.mark.parametrize(("task", "files"), [("ptb", 3), ("enwik8", 1), ("cifar10", 1)])
def test_the_other_ones(task: str, files: int) -> None:
    assert len(missing(task)) == files


def test_an_unknown_task() -> None:
    with pytest.raises(UserError, match="is not one of"):
        missing("nothing")


def test_whether_an_address_has_it(server: FileServer, closed_url: str) -> None:
    server.files = {"there": b"content"}
    assert reachable(server.url("there")) is None
    assert reachable(server.url("not")) == "HTTP 404 Not Found"
    assert reachable(closed_url) == "Connection refused"
