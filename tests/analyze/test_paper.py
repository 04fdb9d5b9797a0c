import dataclasses

import pytest

from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.paper import paper_matches
from hyperbudget.budget.paper import ROWS
from hyperbudget.nn.cells import LnHyperLstm
from tests.report.frames import frame, row

CELL = {f"model.{name}": value for name, value in dataclasses.asdict(LnHyperLstm()).items()}


def of_table_3(**fields):
    """Runs of the layer norm HyperLSTM of 1000 units, and of one that no row has."""
    shape = {"model.network": "language_model", "model.num_layers": 1, "metric": "bpc", "task": "ptb"}
    training = {"training.steps": 37_000, "training.batch_size": 128, "training.length": 100}
    return [
        row("ln_hyper_lstm", 4_922_370 if size == 1000 else 10, seed, 1.25 + seed / 1_000, label=f"units {size}")
        | shape | CELL | training | {"model.hidden_size": size} | fields
        for size in (1000, 999)
        for seed in range(3)
    ]  # fmt: skip


def match_of(rows):
    (found,) = paper_matches(configurations(frame(rows)))
    return found


def test_a_row_and_what_was_trained_otherwise():
    found = match_of(of_table_3(**{"model.recurrent_dropout": 0.1, "training.precision": "bf16"}))
    assert (found.row.table, found.row.row) == ("Table 3", "layer norm HyperLSTM, 1000 units")
    assert found.row.agrees(found.count)
    assert found.inside
    assert found.protocol == "37,000 steps of 128 x 100 symbols, dropout that keeps recurrent 90%, bf16"
    assert match_of(of_table_3(**{"training.l2": 0.0})).protocol == "37,000 steps of 128 x 100 symbols, no dropout"


def test_one_seed_is_in_no_interval():
    assert match_of(of_table_3()[:1]).inside is None


def test_another_cell_is_no_match():
    assert paper_matches(configurations(frame(of_table_3(**{"model.hyper_size": 127})))) == []


@pytest.mark.parametrize("table", ["Table 2", "Table 3", "Table 4", "Table 6", "Appendix A.1"])
def test_every_table_that_studies_can_reproduce_has_rows(table):
    assert [row for row in ROWS if row.table == table and row.error > 0]


@pytest.mark.parametrize(("level", "inside"), [(1.249, True), (1.2, False), (1.3, False)])
def test_the_printed_result_is_inside_or_on_either_side(level, inside):
    """Table 3 prints 1.250."""
    assert match_of([run | {"test_error": level + run["seed"] / 1_000} for run in of_table_3()]).inside is inside
