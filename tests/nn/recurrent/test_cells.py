"""The specifications of recurrent cells."""

import dataclasses
import subprocess
import sys

import pytest

from hyperbudget.nn.cells import CELLS, PRESETS, HyperLstm, LnHyperLstm, Lstm, Rnn, preset


def test_names_and_fields():
    assert list(CELLS) == ["lstm", "ln_lstm", "rnn", "hyper_rnn", "hyper_lstm", "ln_hyper_lstm"]
    assert all(cls.name == name for name, cls in CELLS.items())
    for cls in CELLS.values():
        for field in dataclasses.fields(cls):
            assert field.metadata["doc"]
            assert getattr(cls(), field.name) == field.default
        hash(cls())


def test_one_field_means_one_thing():
    """The same default, bounds and words in every cell that has it."""
    seen = {}
    for cls in CELLS.values():
        for field in dataclasses.fields(cls):
            assert seen.setdefault(field.name, field.metadata) == field.metadata


def test_defaults_are_the_papers_text():
    assert HyperLstm() == HyperLstm(
        hyper_size=128, embedding_size=4, z_from="current", z_initialisation="zero", initial_scale=0.1,
        input_initialisation="orthogonal", forget_bias=1.0, hyper_dropout=False,
    )  # fmt: skip
    assert LnHyperLstm().norm_epsilon == 1e-3
    assert not LnHyperLstm().hyper_bias


def test_presets_change_what_concerns_a_cell():
    literal = preset("paper_literal", "ln_hyper_lstm", embedding_size=16)
    assert literal == LnHyperLstm(embedding_size=16, z_from="previous", forget_bias=0.0, hyper_bias=True)
    assert preset("paper_literal", "hyper_lstm") == HyperLstm(z_from="previous", forget_bias=0.0)
    assert preset("paper_literal", "rnn") == Rnn()
    assert preset("author", "lstm") == Lstm(input_initialisation="uniform")
    assert preset("author", "lstm", input_initialisation="orthogonal") == Lstm()


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_preset_fits_every_cell(name, cell):
    assert isinstance(preset(name, cell), CELLS[cell])


def test_they_need_no_torch():
    code = "import sys, hyperbudget.nn.cells; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
