"""`enwik8`: the first 100,000,000 bytes of a dump of the English Wikipedia (XML, 3 March 2006), byte by byte.

It lies in ``<data directory>/enwik8/``, as the file ``enwik8`` or zipped in ``enwik8.zip``, which is read without
unpacking it; with neither the zip file is downloaded. Imports no torch.

Source: Mahoney 2011, "About the test data", http://mattmahoney.net/dc/textdata.html.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from hyperbudget.data.download import fetch
from hyperbudget.data.files import BadFileError, check_sha256, reading
from hyperbudget.data.tasks import TEXT_TASKS, TextTask
from hyperbudget.errors import UserError

MIRRORS = ("https://mattmahoney.net/dc/", "http://mattmahoney.net/dc/")
URL_VARIABLE = "HYPERBUDGET_ENWIK8_URL"
NAME, ARCHIVE = "enwik8", "enwik8.zip"
SHA256 = "2b49720ec4d78c3c9fabaee6e4179a5e997302b3a70029f30f2d582218c024a8"
"""Of the unzipped file; its published md5 is a1fa5ffddb56f4953e226637dabbb36a."""


def read_enwik8(folder: Path, *, task: TextTask = TEXT_TASKS["enwik8"]) -> bytes:
    """The text from `folder`, downloaded first where it is missing; the plain file is preferred.

    Raises UserError for a file that cannot be downloaded or read, or that is not as long as the task's splits.
    """
    download_enwik8(folder)
    assert task.splits is not None
    path = _find(folder)
    assert path is not None
    try:
        return _content(path, sum(task.splits))
    except BadFileError as error:
        raise UserError(f"{path}: {error}; delete it and run again to download it anew") from error


def download_enwik8(folder: Path) -> None:
    """Fetch the zip file if `folder` has the text in no form, from ``$HYPERBUDGET_ENWIK8_URL`` (the folder that has the
    zip file, or that file itself) if set, else from `MIRRORS`. Raises UserError when it cannot be had.
    """
    if _find(folder) is None:
        chosen = os.environ.get(URL_VARIABLE)
        urls = [
            url if url.endswith(".zip") else f"{url.rstrip('/')}/{ARCHIVE}" for url in ([chosen] if chosen else MIRRORS)
        ]
        fetch(urls, folder / ARCHIVE, _check)


def _find(folder: Path) -> Path | None:
    return next((path for path in (folder / NAME, folder / ARCHIVE) if path.exists()), None)


def _check(path: Path) -> None:
    splits = TEXT_TASKS[NAME].splits
    assert splits is not None
    check_sha256(_unzip(path, sum(splits)), SHA256)


def _content(path: Path, size: int) -> bytes:
    """The text, plain or zipped by the name of its file. Raises BadFileError."""
    if path.name == ARCHIVE:
        content = _unzip(path, size)
    else:
        with reading(path):
            content = path.read_bytes()
    if len(content) != size:
        raise BadFileError(f"holds {len(content):,} bytes, expected {size:,}")
    return content


def _unzip(path: Path, size: int) -> bytes:
    """At most one byte more than `size`, whatever the zip file unpacks to. Raises BadFileError."""
    with reading(path):
        try:
            with zipfile.ZipFile(path) as archive, archive.open(NAME) as file:
                return file.read(size + 1)
        except KeyError as error:
            raise BadFileError(f"lacks {NAME}") from error
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise BadFileError(f"is damaged: {error}") from error
