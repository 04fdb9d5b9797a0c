"""How a running study is shown: one live table on a terminal, plain lines anywhere else. All of it on stderr."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hyperbudget.config import Study
from hyperbudget.study.progress import Listener, Snapshot
from hyperbudget.study.results.metrics import metric_named

FRONT_ROWS = 8


@contextlib.contextmanager
def listener(study: Study) -> Iterator[Listener]:
    """The listener that suits stderr. Rich obeys NO_COLOR."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield PlainLines(console)
        return
    with Live(console=console, auto_refresh=False, transient=False) as live:
        yield LiveTable(study, live)


class PlainLines:
    """One line for every run that ends: readable in a log file, no control characters."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def update(self, snapshot: Snapshot) -> None:
        """Nothing: a log wants events."""

    def run_ended(self, what: str, result: dict[str, Any], snapshot: Snapshot) -> None:
        """E.g. ``[12/40] hyper N_z 4 seed 0: validation error 1.33% (4.2 s), 2 min left``."""
        done = snapshot.finished + snapshot.failed + snapshot.pruned
        left = f", {duration(snapshot.seconds_left)} left" if snapshot.seconds_left is not None else ""
        self.message(f"[{done}/{snapshot.total}] {what}: {outcome(result)}{left}")

    def message(self, text: str) -> None:
        """A line of its own."""
        self.console.print(text, markup=False, soft_wrap=True)


class LiveTable:
    """Counts, the best configurations by size, and the time left, redrawn in place."""

    def __init__(self, study: Study, live: Live) -> None:
        self.study, self.live = study, live
        self.last = ""
        self.started = time.monotonic()

    def update(self, snapshot: Snapshot) -> None:
        """Redraw."""
        self.live.update(self._draw(snapshot), refresh=True)

    def run_ended(self, what: str, result: dict[str, Any], snapshot: Snapshot) -> None:
        """Failures stay above the table; the last run that ended stands in it."""
        if result["status"] == "failed":
            self.message(f"failed: {what}: {result['reason']}")
        self.last = f"{what}: {outcome(result)}"
        self.update(snapshot)

    def message(self, text: str) -> None:
        """A line above the table."""
        self.live.console.print(text, markup=False)

    def _draw(self, snapshot: Snapshot) -> Group:
        counts = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
        cells = {
            "finished": f"{snapshot.finished} / {snapshot.total}",
            "running": str(snapshot.running),
            "failed": str(snapshot.failed),
            "pruned": str(snapshot.pruned),
            "refused": str(snapshot.refused),
            "elapsed": duration(time.monotonic() - self.started),
            "left": duration(snapshot.seconds_left) if snapshot.seconds_left is not None else "…",
        }
        for name in cells:
            counts.add_column(name, justify="right", no_wrap=True)
        counts.add_row(*cells.values())

        front = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", title_justify="left")
        front.add_column("parameters", justify="right")
        bests = snapshot.front()
        names = " / ".join(dict.fromkeys(metric_named(best.metric).short for best in bests))
        front.add_column(f"validation {names}".rstrip(), justify="right")
        front.add_column("best so far within as many")
        for best in _spread(bests):
            seeds = "" if best.seeds == len(self.study.search.seeds) else f" ({best.seeds} seeds yet)"
            error = metric_named(best.metric).full(best.validation_error)
            front.add_row(f"{best.learnable:,}", error, best.label + seeds)
        title = Text(f"{self.study.name}  ", style="bold") + Text(self.study.question, style="dim")
        return Group(title, counts, Text(), front, Text(self.last, style="dim"))


def _spread(front: list[Any]) -> list[Any]:
    """At most `FRONT_ROWS` of the front, the smallest and the best among them."""
    if len(front) <= FRONT_ROWS:
        return front
    return [front[round(i * (len(front) - 1) / (FRONT_ROWS - 1))] for i in range(FRONT_ROWS)]


def outcome(result: dict[str, Any]) -> str:
    """A run's result in a few words."""
    if result["status"] != "finished":
        return str(result["reason"]) if result["status"] == "pruned" else f"failed: {result['reason']}"
    quality = metric_named(result.get("metric")).measured("validation", result["validation_error"])
    return f"{quality} ({duration(result['seconds'])})"


def duration(seconds: float) -> str:
    """Seconds in the two largest units that matter."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
