"""Counts and operations of recurrent networks, against instantiated networks and the paper's Tables 3, 4 and 5."""

import random
import subprocess
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hyperbudget.budget.recurrent import RECURRENT_GROUPS, recurrent_anatomy, recurrent_flops
from hyperbudget.budget.recurrent_paper import SEQUENCE_ROWS
from hyperbudget.nn.cells import Cell, HyperLstm, HyperRnn, LnHyperLstm, LnLstm, Lstm, Rnn
from hyperbudget.nn.recurrent import Recurrent
from hyperbudget.nn.recurrent.fused import plain_loops

STARRED = {
    "layer norm HyperLSTM, 1000 units, large embedding": 5_085_170,
    "layer norm HyperLSTM, 1800 units": 18_727_749,
}


def random_cell(generator: random.Random) -> Cell:
    hyper, embedding = generator.randint(1, 9), generator.randint(1, 7)
    return generator.choice(
        [
            Rnn(),
            Lstm(),
            LnLstm(),
            HyperRnn(hyper, embedding, form=generator.choice(["efficient", "full"])),
            HyperLstm(hyper, embedding),
            LnHyperLstm(hyper, embedding, hyper_bias=generator.choice([False, True])),
        ]
    )


def random_sizes(generator: random.Random) -> dict[str, int]:
    return {
        "inputs": generator.randint(1, 12),
        "hidden_size": generator.randint(1, 12),
        "num_layers": generator.randint(1, 3),
        "outputs": generator.randint(0, 12),
    }


def build(cell: Cell, inputs: int, hidden_size: int, num_layers: int, outputs: int) -> torch.nn.ModuleList:
    head = [torch.nn.Linear(hidden_size, outputs)] if outputs else []
    return torch.nn.ModuleList([Recurrent(cell, inputs, hidden_size, num_layers), *head])


@pytest.mark.parametrize("seed", range(120))
def test_closed_form_is_what_the_network_has(seed):
    generator = random.Random(seed)
    cell, sizes = random_cell(generator), random_sizes(generator)
    groups, (network, *head) = recurrent_anatomy(cell, **sizes), build(cell, **sizes)
    assert tuple(groups) == RECURRENT_GROUPS
    own = {group: count for group, count in groups.items() if count and group != "head"}
    assert own == network.anatomy()
    assert groups["head"] == sum(parameter.numel() for part in head for parameter in part.parameters())


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_operations_are_those_of_the_matrix_products(seed, one_hot):
    """As torch counts them, over a whole sequence of several samples; in the plain loop, whose products it knows."""
    generator = random.Random(seed)
    cell, sizes = random_cell(generator), random_sizes(generator)
    network, *head = build(cell, **sizes)
    steps, batch = 3, 2
    x = torch.randint(sizes["inputs"], (steps, batch)) if one_hot else torch.randn(steps, batch, sizes["inputs"])
    with plain_loops(), FlopCounterMode(display=False) as counted, torch.no_grad():
        outputs, _ = network(x)
        for part in head:
            part(outputs)
    assert counted.get_total_flops() == steps * batch * recurrent_flops(cell, **sizes, one_hot=one_hot)


@pytest.mark.parametrize("row", SEQUENCE_ROWS, ids=lambda row: f"{row.table}: {row.row}")
def test_printed_counts_are_reproduced(row):
    """Rounded half-up to two decimals; but for the two rows that no accounting of the others gives."""
    ours = sum(row.groups.values())
    assert row.exact == STARRED.get(row.row)
    if row.exact:
        assert ours == row.exact
        assert not row.agrees(ours)
    else:
        assert row.agrees(ours)
        assert row.show(ours) == row.printed
        assert not row.agrees(ours + row.precision)


def test_tables_as_printed():
    rows = {
        table: [(row.printed, row.test, row.validation) for row in SEQUENCE_ROWS if row.slug == f"paper/table-{table}"]
        for table in (3, 4, 5)
    }
    assert rows[3] == [
        ("4.25M", 1.312, 1.347), ("6.57M", 1.306, 1.340), ("12.26M", 1.281, 1.312), ("4.26M", 1.267, 1.300),
        ("4.91M", 1.265, 1.296), ("4.92M", 1.250, 1.281), ("5.06M", 1.233, 1.263), ("14.41M", 1.219, 1.245),
    ]  # fmt: skip
    assert rows[4] == [
        ("14.81M", 1.470, None), ("18.06M", 1.461, None), ("14.82M", 1.402, None), ("18.71M", 1.391, None),
        ("18.78M", 1.353, None), ("26.54M", 1.340, None),
    ]  # fmt: skip
    assert rows[5] == [
        ("3.36M", None, -1026), ("3.26M", None, -1039), ("3.36M", None, -1055), ("4.14M", None, -1048),
        ("3.26M", None, -1068), ("5.16M", None, -1135), ("3.37M", None, -1096), ("4.14M", None, -1106),
        ("3.95M", None, -1067), ("3.94M", None, -1162),
    ]  # fmt: skip
    assert sum(map(len, rows.values())) == len(SEQUENCE_ROWS)


def test_every_row_says_how_it_was_trained():
    protocols = {row.row: row.protocol for row in SEQUENCE_ROWS}
    assert protocols["LSTM, 1000 units"]
    assert all(protocols.values())


@pytest.mark.parametrize(
    ("cell", "groups"),
    [
        (Lstm(), (4_204_000, 0, 0, 0, 50_050)),
        (LnLstm(), (4_200_000, 0, 0, 10_000, 50_050)),
        (HyperLstm(), (4_204_000, 603_648, 54_176, 0, 50_050)),
        (LnHyperLstm(), (4_204_000, 603_136, 54_176, 11_280, 50_050)),
        (LnHyperLstm(hyper_bias=True), (4_204_000, 603_648, 54_176, 11_280, 50_050)),
    ],
    ids=str,
)
def test_penn_treebank_by_group(cell, groups):
    """1000 units, 50 characters."""
    assert tuple(recurrent_anatomy(cell, inputs=50, hidden_size=1000, outputs=50).values()) == groups


def test_they_need_no_torch():
    code = "import sys, hyperbudget.budget.recurrent_paper; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
