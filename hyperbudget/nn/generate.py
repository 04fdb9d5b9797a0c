"""A language model writes."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperbudget.nn.language_model import LanguageModelNet


@torch.no_grad()
def generate(
    model: LanguageModelNet, prompt: Tensor, length: int, temperature: float, generator: torch.Generator
) -> Tensor:
    """`length` symbols after `prompt`, each drawn from what the model expects after all before it: int64, (length,).

    model: in evaluation mode. prompt: int64, shape (symbols,), at least one, read from the zero state. temperature: the
    logits are divided by it; at 0 the most likely symbol is taken, and nothing drawn. generator: on the CPU.
    """
    ids, state = prompt[:, None], None
    found = []
    for _ in range(length):
        logits, state = model(ids, state)
        ids = choose(logits[-1, 0], temperature, generator).to(prompt.device).view(1, 1)
        found.append(ids)
    return torch.cat(found).flatten()


def choose(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """One symbol by its probability, int64, shape (1,), on the CPU. logits: shape (symbols,); see `generate`."""
    below = logits.double().cpu() - logits.max().item()  # at most 0, so that a small temperature overflows to 0 alone
    if temperature == 0:
        return below.argmax(0, keepdim=True)
    return torch.multinomial(torch.softmax(below / temperature, 0), 1, generator=generator)
