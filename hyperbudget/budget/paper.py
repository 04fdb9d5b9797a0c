"""Numbers printed in the paper (Ha, Dai & Le 2016, arXiv 1609.09106), as data: what a study is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PaperRow:
    """One printed row: its count and its result, and which runs reproduce it.

    `count` is what the table calls parameters, and `counts` the frame's column that counts the same; `error` is the
    test error as a share; `fields` are the frame's columns that a run must have with these values.
    """

    table: str
    row: str
    count: int
    counts: str
    error: float
    fields: Mapping[str, Any]
    protocol: str


ROWS: tuple[PaperRow, ...] = (
    PaperRow(
        table="Table 6",
        row="normal convnet",
        count=12_544,
        counts="params.source",
        error=0.0072,
        fields={"task": "mnist", "model.network": "convnet", "model.family": "free", "model.width": 16,
                "model.kernel_size": 7},
        protocol="accuracy 99.28%; the count is the second kernel's alone",
    ),
    PaperRow(
        table="Table 6",
        row="hypernetwork, N_z = 4",
        count=4_244,
        counts="params.source",
        error=0.0076,
        fields={"task": "mnist", "model.network": "convnet", "model.family": "hyper", "model.width": 16,
                "model.kernel_size": 7, "model.embedding_size": 4, "model.generator_hidden": 4, "model.basic_in": 16,
                "model.basic_out": 16},
        protocol="accuracy 99.24%; 4,240 parameters of the generator and an embedding of 4",
    ),
)  # fmt: skip
