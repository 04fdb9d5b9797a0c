"""What a pack launches again and again, as a CUDA graph."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hyperbudget.train.graph import WARMUP, Graph


class Replayed:
    """A function that takes and returns nothing but through memory that stays where it is.

    It runs as it comes the first `WARMUP` times, is then captured by the graph and replayed. Without a graph, or where
    it cannot be captured (after a line in the log), it always runs as it comes.
    """

    def __init__(self, launch: Callable[[], None], graph: Graph | None) -> None:
        self.launch, self.graph, self.calls = launch, graph, 0

    def __call__(self) -> None:
        """Run it once."""
        if self.graph is not None and self.calls == WARMUP:
            self._capture(self.graph)
        if self.graph is None:
            self.launch()
        elif self.calls < WARMUP:
            self.graph.warm_up(self.launch)
        else:
            self.graph.replay()
        self.calls += 1

    def _capture(self, graph: Graph) -> None:
        try:
            graph.capture(self.launch)
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            logging.getLogger(__name__).warning("a pack goes on without a CUDA graph: %s", reason)
            self.graph = None
