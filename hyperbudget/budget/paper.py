"""Numbers printed in the paper (Ha, Dai & Le 2016, arXiv 1609.09106), as data: what a study is compared with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hyperbudget.budget.printed import PrintedCount
from hyperbudget.budget.recurrent_paper import SEQUENCE_ROWS, SequenceRow


@dataclass(frozen=True)
class PaperRow(PrintedCount):
    """One printed row: its count and its result, and which runs reproduce it.

    `count` is what the table calls parameters, printed to `precision` (1: exactly), and `counts` the frame's column
    that counts the same; `exact` is set where no accounting reaches the printed count: what the stated sizes give, by
    the accounting that gives all other rows. `error` is the test error as a share, or bits per character; `fields` are
    the frame's columns that a run must have with these values.
    """

    table: str
    row: str
    count: int
    counts: str
    error: float
    fields: Mapping[str, Any]
    protocol: str
    precision: int = 1
    exact: int | None = None

    def agrees(self, count: int) -> bool:
        """Whether `count` is the printed one, as far as that was printed, or what it should have been."""
        return super().agrees(count) if self.exact is None else count == self.exact


def wrn(width: int, count: int, error: float, hyper: bool) -> PaperRow:
    """A row of Table 2: a Wide ResNet 40-`width` on CIFAR-10; kernels generated from 16 x 16 tiles with N_z = 64."""
    fields: dict[str, Any] = {
        "task": "cifar10", "model.network": "wrn", "model.family": "free", "model.depth": 40, "model.width": width,
        "model.accounting": "paper",
    }  # fmt: skip
    if hyper:
        fields |= {"model.family": "hyper", "model.embedding_size": 64, "model.generator_hidden": 64,
                   "model.basic_in": 16, "model.basic_out": 16}  # fmt: skip
    return PaperRow(
        table="Table 2",
        row=f"{'hyper ' if hyper else ''}wide residual network 40-{width}",
        count=count,
        counts="params.learnable",
        error=error,
        fields=fields,
        protocol=f"test error {100 * error:.2f}%; " + (
            "trained with Adam, Table 8" if hyper else "trained with SGD and Nesterov momentum, Table 7"
        ),
        precision=1_000,
    )  # fmt: skip


def language_model(row: SequenceRow) -> PaperRow:
    """A row of Table 3 or 4, in bits per character."""
    assert row.test is not None
    return PaperRow(
        table=row.table, row=row.row, count=row.count, counts="params.learnable", error=row.test,
        fields={
            "task": row.task.name, "model.network": "language_model", "model.family": row.cell.name,
            "model.hidden_size": row.hidden_size, "model.num_layers": row.num_layers,
            **{f"model.{name}": value for name, value in dataclasses.asdict(row.cell).items()},
        },
        protocol=f"{row.test:.3f} bits per character; {row.protocol}", precision=row.precision, exact=row.exact,
    )  # fmt: skip


ROWS: tuple[PaperRow, ...] = (
    wrn(width=1, count=563_000, error=0.0673, hyper=False),
    wrn(width=2, count=2_236_000, error=0.0566, hyper=False),
    wrn(width=1, count=97_000, error=0.0802, hyper=True),
    wrn(width=2, count=148_000, error=0.0723, hyper=True),
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
    PaperRow(
        table="Appendix A.1",
        row="fully connected, 784-256-10",
        count=200_704,
        counts="params.source",
        error=0.015,
        fields={"task": "mnist", "model.network": "mlp", "model.family": "free", "model.hidden": 256},
        protocol="best accuracy 98.5%; the count is the hidden matrix's alone, 784 x 256",
    ),
    PaperRow(
        table="Appendix A.1",
        row="coordinate network, 4-25-25-1",
        count=801,
        counts="params.source",
        error=0.065,
        fields={"task": "mnist", "model.network": "mlp", "model.family": "coordinate", "model.hidden": 256,
                "model.coordinate_hidden": 25, "model.coordinate_layers": 2, "model.coordinate_activation": "relu",
                "model.output_layout": "grid"},
        protocol="best accuracy 93.5%; a four-layer relu network draws the hidden matrix",
    ),
    *(language_model(row) for row in SEQUENCE_ROWS if row.task.one_hot),
)  # fmt: skip
