"""Fetch one file from the first mirror that has it: resumable, checked, and there only once it is whole."""

from __future__ import annotations

import http.client
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from hyperbudget import __version__
from hyperbudget.data.directory import VARIABLE
from hyperbudget.data.files import BadFileError
from hyperbudget.data.lock import exclusive
from hyperbudget.data.progress import Progress, readable
from hyperbudget.errors import UserError

CHUNK = 1 << 16  # bytes
FIRST_PAUSE = 0.5  # seconds; doubles with every round
TRANSIENT_STATUS = {408, 425, 429, 500, 502, 503, 504}


Missing = tuple[Sequence[str], Path]
"""Where a file that is not there can be had, and where it belongs."""
_wanted: ContextVar[list[Missing] | None] = ContextVar("wanted", default=None)


@contextmanager
def noting() -> Iterator[list[Missing]]:
    """Within, `fetch` downloads nothing; what it would is in the list."""
    wanted: list[Missing] = []
    token = _wanted.set(wanted)
    try:
        yield wanted
    finally:
        _wanted.reset(token)


def reachable(url: str, *, timeout: float = 5.0) -> str | None:
    """Why nothing can be had from `url`; None where it can."""
    try:
        _open(url, {"User-Agent": f"hyperbudget/{__version__}"}, timeout).close()
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code} {error.reason}".rstrip()
    except _Failure as failure:
        return str(failure)
    return None


class _Failure(Exception):
    """Why a mirror did not deliver; `final`: asking it again is no use."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


def fetch(
    urls: Sequence[str],
    target: Path,
    check: Callable[[Path], object],
    *,
    attempts: int = 4,
    timeout: float = 15.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Download `target` from one of `urls`, unless it exists; returns `target`.

    The bytes gather in ``<target>.part``, which a later call, on any mirror, goes on from. `check` raises BadFileError
    for a file that is not what it should be; only a file that passes is renamed to `target`, atomically. A lock in the
    folder lets one process download at a time. Each mirror is asked up to `attempts` times, with pauses (`sleep`, in
    seconds) that double; one that refuses, or cannot be reached within `timeout` seconds, is not asked again.

    Raises UserError when no mirror delivers, with the reason of each, and when the folder cannot be written to.
    Within `noting` it only notes what is missing.
    """
    if target.exists():
        return target
    if (wanted := _wanted.get()) is not None:
        wanted.append((urls, target))
        return target
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        waiting = f"waiting for another process that downloads into {target.parent}"
        with exclusive(target.parent / ".download.lock", waiting=waiting):
            if not target.exists():  # another process may have fetched it while this one waited
                _fetch(urls, target, check, attempts, timeout, sleep)
    return target


def _fetch(
    urls: Sequence[str],
    target: Path,
    check: Callable[[Path], object],
    attempts: int,
    timeout: float,
    sleep: Callable[[float], None],
) -> None:
    part = target.with_name(f"{target.name}.part")
    failures: dict[str, _Failure] = {}
    for attempt in range(attempts):
        if attempt:
            pause = FIRST_PAUSE * 2 ** (attempt - 1)
            reasons = "; ".join({str(failure): None for failure in failures.values() if not failure.final})
            print(f"{target.name}: {reasons}; again in {pause:g} s", file=sys.stderr, flush=True)
            sleep(pause)
        for url in urls:
            if url in failures and failures[url].final:
                continue
            try:
                _fetch_from(url, part, target.name, check, timeout)
            except _Failure as failure:
                failures[url] = failure
            else:
                os.replace(part, target)
                return
        if all(failure.final for failure in failures.values()):
            break
    tried = "; ".join(f"{url}: {failure}" for url, failure in failures.items())
    raise UserError(
        f"{target.name} cannot be downloaded ({tried})\n"
        f"put {target.name} into {target.parent} by hand, "
        f"or set {VARIABLE} to a folder whose {target.parent.name}/ has it"
    )


def _fetch_from(url: str, part: Path, name: str, check: Callable[[Path], object], timeout: float) -> None:
    """Complete `part` from `url` and check it; it is dropped, and started anew, when old and new bytes do not fit."""
    resumed = _download(url, part, name, timeout)
    try:
        check(part)
    except BadFileError as error:
        part.unlink()
        if not resumed:
            raise _Failure(f"what it sends {error}", final=True) from error
        _fetch_from(url, part, name, check, timeout)


def _download(url: str, part: Path, name: str, timeout: float) -> bool:
    """Append to `part` what it lacks; True if bytes of an earlier download are in it. Raises _Failure."""
    offset = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": f"hyperbudget/{__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        response = _open(url, headers, timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and offset:  # nothing follows: either all is there already, or `part` is of another file
            if error.headers.get("Content-Range") == f"bytes */{offset}":
                return True
            part.unlink()
            return _download(url, part, name, timeout)
        why = f"HTTP {error.code} {error.reason}".rstrip()
        raise _Failure(why, final=error.code not in TRANSIENT_STATUS) from error
    with response:
        status = getattr(response, "status", None)
        if offset and status == 206 and _range_start(response) != offset:
            part.unlink()
            raise _Failure("it sent another range than the one asked for")
        if status != 206:  # the server ignores ranges (or the scheme has none): this is the whole file
            offset = 0
        _save(response, part, name, url, offset)
    return offset > 0


def _save(response: Any, part: Path, name: str, url: str, offset: int) -> None:
    length = response.headers.get("Content-Length", "")
    total = offset + int(length) if length.isdecimal() else None
    with open(part, "ab" if offset else "wb") as out, Progress(name, url, offset, total) as progress:
        while chunk := _read(response):
            out.write(chunk)
            progress.advance(len(chunk))
        if total is not None and progress.done < total:
            raise _Failure(f"the connection closed after {readable(progress.done)} of {readable(total)}")


def _open(url: str, headers: dict[str, str], timeout: float) -> Any:
    """Raises HTTPError for an answer that is an error, _Failure where there is no answer."""
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError as error:
        # A host that swallows packets would cost the whole timeout again and again.
        final = isinstance(error.reason, (TimeoutError, FileNotFoundError))
        raise _Failure(_reason(error.reason), final=final) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Failure(_reason(error)) from error
    except ValueError as error:  # not a URL
        raise _Failure(str(error), final=True) from error


def _read(response: Any) -> bytes:
    try:
        return bytes(response.read(CHUNK))
    except (OSError, http.client.HTTPException) as error:
        raise _Failure(_reason(error)) from error


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _range_start(response: Any) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Report what the local disk refuses; what the network does is a _Failure by then, and no OSError."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{target} cannot be written: {error.strerror or error}; make room or give access there, "
            f"or set {VARIABLE} to another folder"
        ) from error
