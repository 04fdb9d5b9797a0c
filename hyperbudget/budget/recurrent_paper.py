"""Tables 3, 4 and 5 of the paper (Ha, Dai & Le 2016, arXiv 1609.09106), as data: its recurrent networks."""

from __future__ import annotations

from dataclasses import dataclass

from hyperbudget.budget.printed import PrintedCount
from hyperbudget.budget.recurrent import recurrent_anatomy
from hyperbudget.nn.cells import Cell, HyperLstm, LnHyperLstm, LnLstm, Lstm


@dataclass(frozen=True)
class SequenceTask:
    """What a table's networks are trained on: the sizes of input and output, and what its results are measured in."""

    name: str
    inputs: int
    outputs: int
    one_hot: bool
    unit: str


PTB = SequenceTask("ptb", inputs=50, outputs=50, one_hot=True, unit="bits per character")
ENWIK8 = SequenceTask("enwik8", inputs=205, outputs=205, one_hot=True, unit="bits per character")
# dx, dy and the pen; 20 Gaussians of 6 numbers each, and the end of a stroke (Graves 2013, section 4.2).
HANDWRITING = SequenceTask("handwriting", inputs=3, outputs=6 * 20 + 1, one_hot=False, unit="nats a sequence")


@dataclass(frozen=True)
class SequenceRow(PrintedCount):
    """One printed row: its network, its count in millions with two decimals, and its results.

    `validation` and `test` are in the task's unit, None where the table has none. `exact` is set where the printed
    count cannot be reached: what the stated sizes give, by the accounting that gives all other rows.
    """

    table: str
    row: str
    task: SequenceTask
    cell: Cell
    hidden_size: int
    count: int
    validation: float | None = None
    test: float | None = None
    num_layers: int = 1
    protocol: str = ""
    exact: int | None = None

    precision = 10_000
    """Of the printed counts."""

    @property
    def groups(self) -> dict[str, int]:
        """Learnable parameters by group, in closed form."""
        return recurrent_anatomy(
            self.cell,
            inputs=self.task.inputs,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            outputs=self.task.outputs,
        )


def ptb(
    row: str,
    cell: Cell,
    count: int,
    test: float,
    validation: float,
    *,
    size: int = 1000,
    layers: int = 1,
    keep: int = 90,
    exact: int | None = None,
) -> SequenceRow:
    """A row of Table 3: characters of the Penn Treebank (A.3.3)."""
    protocol = f"sequences of 100; dropout of input, output and recurrence that keeps {keep}%"
    return SequenceRow("Table 3", row, PTB, cell, size, count, validation, test, layers, protocol, exact)


def enwik8(
    row: str, cell: Cell, size: int, count: int, test: float, keep: int = 90, *, exact: int | None = None
) -> SequenceRow:
    """A row of Table 4: the Wikipedia of the Hutter Prize (A.3.4)."""
    dropout = "no dropout" if keep == 100 else f"recurrent dropout that keeps {keep}%"
    length = 300 if size == 2048 else 250
    return SequenceRow(
        "Table 4", row, ENWIK8, cell, size, count, None, test, 1, f"sequences of {length}; {dropout}", exact
    )


def handwriting(
    row: str, cell: Cell, size: int, count: int, log_loss: float, *, layers: int = 1, plain: bool = False
) -> SequenceRow:
    """A row of Table 5: the IAM online database, whose validation set is all that the table reports (A.3.5)."""
    protocol = (
        "no dropout, no augmentation" if plain else "augmentation; dropout of output and recurrence that keeps 95%"
    )
    return SequenceRow("Table 5", row, HANDWRITING, cell, size, count, log_loss, None, layers, protocol)


LARGE = LnHyperLstm(hyper_size=128, embedding_size=16)

SEQUENCE_ROWS: tuple[SequenceRow, ...] = (
    ptb("LSTM, 1000 units", Lstm(), 4_250_000, 1.312, 1.347),
    ptb("LSTM, 1250 units", Lstm(), 6_570_000, 1.306, 1.340, size=1250),
    ptb("2-layer LSTM, 1000 units", Lstm(), 12_260_000, 1.281, 1.312, layers=2),
    ptb("layer norm LSTM, 1000 units", LnLstm(), 4_260_000, 1.267, 1.300),
    ptb("HyperLSTM, 1000 units", HyperLstm(), 4_910_000, 1.265, 1.296),
    ptb("layer norm HyperLSTM, 1000 units", LnHyperLstm(), 4_920_000, 1.250, 1.281),
    ptb("layer norm HyperLSTM, 1000 units, large embedding", LARGE, 5_060_000, 1.233, 1.263, keep=85, exact=5_085_170),
    ptb("2-layer norm HyperLSTM, 1000 units", LARGE, 14_410_000, 1.219, 1.245, layers=2, keep=80),
    enwik8("LSTM, 1800 units, no recurrent dropout", Lstm(), 1800, 14_810_000, 1.470, keep=100),
    enwik8("LSTM, 2000 units, no recurrent dropout", Lstm(), 2000, 18_060_000, 1.461, keep=100),
    enwik8("layer norm LSTM, 1800 units", LnLstm(), 1800, 14_820_000, 1.402),
    enwik8("HyperLSTM, 1800 units", HyperLstm(256, 64), 1800, 18_710_000, 1.391),
    enwik8("layer norm HyperLSTM, 1800 units", LnHyperLstm(256, 64), 1800, 18_780_000, 1.353, exact=18_727_749),
    enwik8(
        "layer norm HyperLSTM, 2048 units", LnHyperLstm(512, 64, hyper_dropout=True), 2048, 26_540_000, 1.340, keep=85
    ),
    handwriting("LSTM, 900 units, as Graves 2013", Lstm(), 900, 3_360_000, -1026, plain=True),
    handwriting("3-layer LSTM, 400 units, as Graves 2013", Lstm(), 400, 3_260_000, -1039, layers=3, plain=True),
    handwriting("LSTM, 900 units", Lstm(), 900, 3_360_000, -1055),
    handwriting("LSTM, 1000 units", Lstm(), 1000, 4_140_000, -1048),
    handwriting("3-layer LSTM, 400 units", Lstm(), 400, 3_260_000, -1068, layers=3),
    handwriting("2-layer LSTM, 650 units", Lstm(), 650, 5_160_000, -1135, layers=2),
    handwriting("layer norm LSTM, 900 units", LnLstm(), 900, 3_370_000, -1096),
    handwriting("layer norm LSTM, 1000 units", LnLstm(), 1000, 4_140_000, -1106),
    handwriting("layer norm HyperLSTM, 900 units", LnHyperLstm(), 900, 3_950_000, -1067),
    handwriting("HyperLSTM, 900 units", HyperLstm(), 900, 3_940_000, -1162),
)
