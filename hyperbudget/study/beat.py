"""What is done again and again beside the work: heartbeats, signs of life."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def repeating(call: Callable[[], object], seconds: float, name: str) -> Iterator[None]:
    """Call `call` now and every so many seconds, on a thread of its own that ends with the context."""
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            call()
            over.wait(seconds)

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
