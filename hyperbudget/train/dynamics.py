"""What a language model does on a piece of text, in numbers small enough to stand in a result (figures 4 and 5)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hyperbudget.nn.cells import PHI_BINS, SATURATED
from hyperbudget.nn.language_model import LanguageModelNet
from hyperbudget.nn.recurrent import RecurrentLayer
from hyperbudget.nn.recurrent.dynamics import (
    VECTORS,
    gates_of,
    scaling_vectors,
    shown_cell,
    trace,
    weight_changes,
)

STREAMS, STEPS, WARMUP = 16, 300, 60
"""A text's first pieces, side by side, symbols of each, and how many of these only give the network a state."""


def dynamics(model: LanguageModelNet, ids: Tensor, vocabulary: bytes, warmup: int) -> dict[str, Any]:
    """Of the last layer, as plain JSON data; lists of numbers to three digits; a part that the cell has not is missing.

    ids: int64, shape (time, streams), read from the zero state; the first `warmup` steps do not count. The model is in
    evaluation mode; nothing random is drawn.

    - ``symbols``: the bytes of the first stream, shape (time - warmup,)
    - ``change.G``: for each gate G (i, g, f, o; h of a HyperRNN) the norm of the change that its weights made at each
      of these symbols, see `weight_changes`
    - ``spread.h``, ``spread.x``, ``spread.b``: of d_h, d_x and d_b for each gate, the standard deviation over these
      symbols, as a mean over units
    - ``phi``: how many of phi(c_t) (`shown_cell`) of all streams and units lie in each of `PHI_BINS` equal bins of
      [-1, 1]
    - ``saturated``: the share of these beyond `SATURATED` on either side
    """
    layer = model.recurrent.layers[-1]
    assert isinstance(layer, RecurrentLayer)
    states = trace(model.recurrent, ids)
    found: dict[str, Any] = {}
    if gates := gates_of(layer):
        vectors = scaling_vectors(layer, states.hyper_h[:, :1])  # type: ignore[attr-defined]
        changes = weight_changes(layer, vectors)[:, warmup:, 0]
        found |= {f"change.{gate}": _short(values) for gate, values in zip(gates, changes, strict=True)}
        spread = vectors[:, :, warmup + 1 :].std(2, correction=0).mean((2, 3))
        found |= {f"spread.{name}": _short(values) for name, values in zip(VECTORS, spread, strict=True)}
    if hasattr(states, "c"):
        phi = shown_cell(layer, states.c[warmup + 1 :]).double().cpu()
        found["phi"] = torch.histc(phi, PHI_BINS, -1, 1).long().tolist()
        found["saturated"] = float((phi.abs() > SATURATED).double().mean())
    return {"symbols": [vocabulary[index] for index in ids[warmup:, 0].tolist()], **found} if found else {}


def piece(ids: Tensor) -> tuple[Tensor, int]:
    """The first symbols of a text as `dynamics` reads them, and its warm-up; less of both where the text is short.

    ids: shape (symbols,), of any integers. Returned: int64, shape (at most `STEPS`, at most `STREAMS`).
    """
    steps = min(STEPS, len(ids))
    streams = min(STREAMS, len(ids) // steps)
    return ids[: steps * streams].long().view(streams, steps).T.contiguous(), steps * WARMUP // STEPS


def _short(values: Tensor) -> list[float]:
    return [float(f"{value:.3g}") for value in values.tolist()]
