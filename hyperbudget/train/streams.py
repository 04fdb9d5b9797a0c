"""Random numbers by counter: each is a function of (seed, purpose, index) and of nothing that came before.

So a run that resumes at step 1,000 draws what it would have drawn, and one run's draws never depend on another's.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from hyperbudget.nn.spec import SpecError


def stream(seed: int, purpose: str, index: int = 0) -> torch.Generator:
    """A CPU generator for draw number `index` of `purpose`."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{index}".encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)


class BatchOrder:
    """Which samples make up each step's batch: every epoch a new order, its incomplete last batch left out.

    Raises SpecError when not even one batch fits into the training samples.
    """

    def __init__(self, samples: int, batch_size: int, seed: int) -> None:
        if batch_size > samples:
            raise SpecError("batch_size", f"{batch_size} is more than the {samples} training samples")
        self.samples, self.batch_size, self.seed = samples, batch_size, seed
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def indices(self, step: int) -> Tensor:
        """Indices of step `step`: shape (batch_size,), int64."""
        epoch, batch = divmod(step, self.samples // self.batch_size)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = torch.randperm(self.samples, generator=stream(self.seed, "order", epoch))
        return self._order[batch * self.batch_size : (batch + 1) * self.batch_size]
