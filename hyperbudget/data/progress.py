"""The progress of one download, on stderr: a line that updates on a terminal, else one line at start and one at end."""

from __future__ import annotations

import os
import shutil
import sys
import time
from types import TracebackType
from typing import Self, TextIO

INTERVAL = 0.1  # seconds between two updates of the line


class Progress:
    """Counts the bytes of `name`, `done` of which were there before; `total` is None where the server does not say."""

    def __init__(self, name: str, source: str, done: int, total: int | None, stream: TextIO | None = None) -> None:
        self.name, self.source, self.done, self.total = name, source, done, total
        self.stream = sys.stderr if stream is None else stream
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.start_bytes, self.start_time = done, time.monotonic()
        self.drawn_at = float("-inf")

    def __enter__(self) -> Self:
        if self.live:
            self._draw()
        else:
            size = "" if self.total is None else f" ({readable(self.total)})"
            resumed = f", from {readable(self.done)} on" if self.done else ""
            print(f"downloading {self.name}{size} from {self.source}{resumed}", file=self.stream, flush=True)
        return self

    def advance(self, count: int) -> None:
        """`count` more bytes have been written."""
        self.done += count
        if self.live and time.monotonic() - self.drawn_at >= INTERVAL:
            self._draw()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.live:
            self._draw()
            print(file=self.stream, flush=True)
        elif kind is None:
            seconds = time.monotonic() - self.start_time
            print(f"downloaded {self.name}: {readable(self.done)} in {seconds:.1f} s", file=self.stream, flush=True)

    def _draw(self) -> None:
        now = time.monotonic()
        self.drawn_at = now
        rate = (self.done - self.start_bytes) / max(now - self.start_time, 1e-3)
        share = f" of {readable(self.total)}, {100 * self.done / self.total:3.0f}%" if self.total else ""
        line = f"{self.name}: {readable(self.done)}{share}, {readable(rate)}/s"
        columns = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:columns]:<{columns}}", end="", file=self.stream, flush=True)


def readable(count: float) -> str:
    """A number of bytes: ``9.6 MB``, ``28.9 kB``."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
