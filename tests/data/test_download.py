"""`fetch` against a server on 127.0.0.1: whole, cut, refused, wrong, offline, and many at once."""

from __future__ import annotations

import errno
import io
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperbudget.data import download
from hyperbudget.data.download import fetch
from hyperbudget.data.files import BadFileError
from hyperbudget.data.progress import Progress
from hyperbudget.errors import UserError

if TYPE_CHECKING:
    from tests.data.conftest import FileServer

CONTENT = random.Random(0).randbytes(300_000)


def check(path: Path) -> None:
    if path.read_bytes() != CONTENT:
        raise BadFileError("is not what the test serves")


class Sleeps(list[float]):
    """Instead of time.sleep: notes the pauses."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def sleep() -> Sleeps:
    return Sleeps()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "set" / "file.gz"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".download.lock"}


def ranges(server: FileServer) -> list[str | None]:
    return [asked for _, asked in server.requests]


def test_a_fresh_download_is_whole_and_leaves_nothing_else(
    server: FileServer, target: Path, sleep: Sleeps, capfd: pytest.CaptureFixture[str]
) -> None:
    server.files["file.gz"] = CONTENT
    assert fetch([server.url("file.gz")], target, check, sleep=sleep) == target
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == {"file.gz"}
    assert sleep == []
    out, err = capfd.readouterr()
    assert out == ""
    first, last = err.splitlines()
    assert first == f"downloading file.gz (300.0 kB) from {server.url('file.gz')}"
    assert last.startswith("downloaded file.gz: 300.0 kB in ")


def test_what_is_there_is_not_asked_for(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    fetch([server.url("file.gz")], target, check)
    assert server.requests == []
    assert names(target.parent) == {"file.gz"}


def test_a_cut_connection_is_resumed_where_it_ended(server: FileServer, target: Path, sleep: Sleeps) -> None:
    server.files["file.gz"] = CONTENT
    server.cuts = [100_000, 50_000]
    fetch([server.url("file.gz")], target, check, sleep=sleep)
    assert target.read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=100000-", "bytes=150000-"]
    assert sleep == [0.5, 1.0]


def test_a_later_call_resumes_what_an_earlier_one_left(server: FileServer, target: Path, sleep: Sleeps) -> None:
    server.files["file.gz"] = CONTENT
    server.cuts = [100_000]
    with pytest.raises(UserError, match=r"the connection closed after 100\.0 kB of 300\.0 kB"):
        fetch([server.url("file.gz")], target, check, attempts=1, sleep=sleep)
    assert names(target.parent) == {"file.gz.part"}
    fetch([server.url("file.gz")], target, check, sleep=sleep)
    assert target.read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=100000-"]


def test_another_mirror_goes_on_where_the_first_one_ended(server: FileServer, target: Path, sleep: Sleeps) -> None:
    server.files = {"a/file.gz": CONTENT, "b/file.gz": CONTENT}
    server.cuts = [100_000]
    fetch([server.url("a/file.gz"), server.url("b/file.gz")], target, check, sleep=sleep)
    assert server.requests == [("/a/file.gz", None), ("/b/file.gz", "bytes=100000-")]
    assert target.read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_restarts_cleanly(server: FileServer, target: Path, sleep: Sleeps) -> None:
    server.files["file.gz"] = CONTENT
    server.ranges = False
    server.cuts = [100_000]
    fetch([server.url("file.gz")], target, check, sleep=sleep)
    assert target.read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=100000-"]


@pytest.mark.parametrize("left", [b"x" * 1_000, CONTENT + b"x", b"x" * len(CONTENT)], ids=["other", "longer", "equal"])
def test_a_part_of_another_file_is_dropped(server: FileServer, target: Path, sleep: Sleeps, left: bytes) -> None:
    server.files["file.gz"] = CONTENT
    target.parent.mkdir()
    target.with_name("file.gz.part").write_bytes(left)
    fetch([server.url("file.gz")], target, check, sleep=sleep)
    assert target.read_bytes() == CONTENT
    assert ranges(server) == [f"bytes={len(left)}-", None]
    assert sleep == []
    assert names(target.parent) == {"file.gz"}


def test_a_part_that_is_whole_is_only_checked(server: FileServer, target: Path) -> None:
    server.files["file.gz"] = CONTENT
    target.parent.mkdir()
    target.with_name("file.gz.part").write_bytes(CONTENT)
    fetch([server.url("file.gz")], target, check)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_wrong_content_is_not_left_behind(server: FileServer, target: Path, sleep: Sleeps) -> None:
    server.files["file.gz"] = b"<html>please log in</html>"
    with pytest.raises(UserError, match="what it sends is not what the test serves"):
        fetch([server.url("file.gz")], target, check, sleep=sleep)
    assert names(target.parent) == set()
    assert len(server.requests) == 1
    assert sleep == []


def test_wrong_content_of_one_mirror_is_mended_by_the_next(server: FileServer, target: Path) -> None:
    server.files = {"a/file.gz": b"wrong", "b/file.gz": CONTENT}
    fetch([server.url("a/file.gz"), server.url("b/file.gz")], target, check)
    assert target.read_bytes() == CONTENT


def test_a_server_error_is_tried_again(
    server: FileServer, target: Path, sleep: Sleeps, capfd: pytest.CaptureFixture[str]
) -> None:
    server.files["file.gz"] = CONTENT
    server.statuses = [500, 503]
    fetch([server.url("file.gz")], target, check, sleep=sleep)
    assert target.read_bytes() == CONTENT
    assert sleep == [0.5, 1.0]
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("file.gz: HTTP 500 Internal Server Error; again in 0.5 s\n")


def test_a_missing_file_sends_to_the_next_mirror_without_a_pause(
    server: FileServer, target: Path, sleep: Sleeps
) -> None:
    server.files["b/file.gz"] = CONTENT
    fetch([server.url("a/file.gz"), server.url("b/file.gz")], target, check, sleep=sleep)
    assert [path for path, _ in server.requests] == ["/a/file.gz", "/b/file.gz"]
    assert sleep == []


def test_attempts_are_bounded_and_reasons_are_kept(server: FileServer, target: Path, sleep: Sleeps) -> None:
    server.statuses = [500, 404, 500, 500]
    urls = [server.url("a/file.gz"), server.url("b/file.gz")]
    with pytest.raises(UserError) as caught:
        fetch(urls, target, check, attempts=3, sleep=sleep)
    assert [path for path, _ in server.requests] == ["/a/file.gz", "/b/file.gz", "/a/file.gz", "/a/file.gz"]
    first, second = str(caught.value).splitlines()
    assert first == (
        f"file.gz cannot be downloaded ({urls[0]}: HTTP 500 Internal Server Error; {urls[1]}: HTTP 404 Not Found)"
    )
    assert second == (
        f"put file.gz into {target.parent} by hand, or set HYPERBUDGET_DATA_DIR to a folder whose set/ has it"
    )


def test_offline_names_the_file_the_url_the_reason_and_the_way_out(
    closed_url: str, target: Path, sleep: Sleeps
) -> None:
    with pytest.raises(UserError) as caught:
        fetch([closed_url + "file.gz"], target, check, sleep=sleep)
    first, second = str(caught.value).splitlines()
    assert first == f"file.gz cannot be downloaded ({closed_url}file.gz: Connection refused)"
    assert second.startswith(f"put file.gz into {target.parent} by hand, or set HYPERBUDGET_DATA_DIR")
    assert sleep == [0.5, 1.0, 2.0]


def test_a_silent_server_is_given_up_after_the_timeout(server: FileServer, target: Path, sleep: Sleeps) -> None:
    server.files["file.gz"] = CONTENT
    server.gate = threading.Event()
    with pytest.raises(UserError, match="no answer in time"):
        fetch([server.url("file.gz")], target, check, attempts=1, timeout=0.2, sleep=sleep)
    server.gate.set()


@pytest.mark.parametrize("url", ["no-scheme/file.gz", "file:///no/such/file.gz"])
def test_a_url_that_cannot_be_is_not_tried_again(url: str, target: Path, sleep: Sleeps) -> None:
    with pytest.raises(UserError, match="cannot be downloaded"):
        fetch([url], target, check, sleep=sleep)
    assert sleep == []


def test_a_file_url_is_a_mirror_too(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "mirror.gz"
    source.write_bytes(CONTENT)
    fetch([source.as_uri()], target, check)
    assert target.read_bytes() == CONTENT


def test_no_target_until_it_is_complete(server: FileServer, target: Path) -> None:
    server.files["file.gz"] = CONTENT
    server.gate = threading.Event()
    thread = threading.Thread(target=fetch, args=([server.url("file.gz")], target, check))
    thread.start()
    assert server.half_sent.wait(10)
    assert not target.exists()
    server.gate.set()
    thread.join()
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == {"file.gz"}


def test_threads_at_once_download_once(server: FileServer, target: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server.files["file.gz"] = CONTENT
    server.gate = threading.Event()
    threads = [threading.Thread(target=fetch, args=([server.url("file.gz")], target, check)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert server.half_sent.wait(10)
    server.gate.set()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 1
    assert target.read_bytes() == CONTENT


PROCESS = """
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from hyperbudget.data.download import fetch
fetch([sys.argv[1]], Path(sys.argv[2]), lambda path: None)
"""


def test_processes_at_once_download_once(server: FileServer, target: Path) -> None:
    server.files["file.gz"] = CONTENT
    server.gate = threading.Event()
    command = [sys.executable, "-c", PROCESS, server.url("file.gz"), str(target)]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.half_sent.wait(60)
    second = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert second.stderr is not None
    assert second.stderr.readline() == f"waiting for another process that downloads into {target.parent}\n"
    server.gate.set()
    for process in (first, second):
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(server.requests) == 1
    assert target.read_bytes() == CONTENT


def test_a_killed_process_leaves_no_lock_and_its_bytes_are_used(server: FileServer, target: Path) -> None:
    server.files["file.gz"] = CONTENT * 4
    server.gate = threading.Event()
    command = [sys.executable, "-c", PROCESS, server.url("file.gz"), str(target)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    part = target.with_name("file.gz.part")
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
    process.kill()
    process.wait()
    left = part.stat().st_size
    server.gate.set()
    fetch([server.url("file.gz")], target, lambda path: None)
    assert target.read_bytes() == CONTENT * 4
    assert ranges(server) == [None, f"bytes={left}-"]


def test_a_full_disk_says_so(server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    server.files["file.gz"] = CONTENT
    monkeypatch.setattr(download, "open", lambda *_: FullDisk(), raising=False)
    with pytest.raises(UserError) as caught:
        fetch([server.url("file.gz")], target, check)
    assert str(caught.value) == (
        f"{target} cannot be written: No space left on device; make room or give access there, "
        "or set HYPERBUDGET_DATA_DIR to another folder"
    )


def test_a_folder_that_cannot_be_made_says_so(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "set").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"set/file\.gz cannot be written"):
        fetch([server.url("file.gz")], tmp_path / "set" / "file.gz", check)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_says_so(server: FileServer, target: Path) -> None:
    target.parent.mkdir(mode=0o500)
    with pytest.raises(UserError, match="cannot be written: Permission denied"):
        fetch([server.url("file.gz")], target, check)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    with Progress("file.gz", "http://here/", 0, 2_000_000, stream) as progress:
        progress.drawn_at = float("-inf")
        progress.advance(1_000_000)
        progress.advance(1_000_000)
    updates = stream.getvalue().split("\r")[1:]
    assert [line[:31] for line in updates] == [
        "file.gz: 0.0 kB of 2.0 MB,   0%",
        "file.gz: 1.0 MB of 2.0 MB,  50%",
        "file.gz: 2.0 MB of 2.0 MB, 100%",
    ]
    assert all(len(line.rstrip("\n")) == 39 for line in updates)
    assert stream.getvalue().count("\n") == 1
