"""What a run of a language model stores of what it does: figures 4 and 5 in numbers, which change no result."""

import json

import pytest
import torch

from hyperbudget.data.tasks import TextTask
from hyperbudget.data.text import text_data
from hyperbudget.data.text_splits import Texts
from hyperbudget.nn.build import build
from hyperbudget.nn.cells import CELLS, PHI_BINS, SATURATED, HyperLstm, HyperRnn, LnHyperLstm, LnLstm, Lstm
from hyperbudget.nn.recurrent.dynamics import scaling_vectors, trace
from hyperbudget.nn.spec import LanguageModel, ModelSpec
from hyperbudget.train.dynamics import STEPS, STREAMS, WARMUP, dynamics, piece
from hyperbudget.train.loop import Training
from hyperbudget.train.spec import RunSpec, TrainingSpec
from hyperbudget.train.text import TextProblem

CPU = torch.device("cpu")
VOCABULARY = b"\n abcde"
TAG = 5_000
"""Characters of an MLflow tag, one of which holds each list."""


def model_of(cell, layers=1):
    torch.manual_seed(0)
    built = build(ModelSpec(LanguageModel(12, layers), cell), symbols=len(VOCABULARY)).eval()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return built


@pytest.fixture(scope="module")
def data():
    text = bytes(VOCABULARY[i] for i in torch.randint(7, (9_000,), generator=torch.Generator().manual_seed(0)).tolist())
    return text_data(TextTask("text:/random"), Texts(text[:3_000], text[3_000:8_500], text[8_500:]))


def run_spec(cell, steps=4, **training):
    settings = TrainingSpec(steps=steps, batch_size=4, length=10, evaluate_every=2, evaluation_rows=16, **training)
    return RunSpec("text:/random", ModelSpec(LanguageModel(12), cell), settings, 0)


def test_the_piece_is_the_texts_beginning_in_streams():
    ids, warmup = piece(torch.arange(6_000))
    assert ids.shape == (STEPS, STREAMS)
    assert warmup == WARMUP
    assert ids[:, 0].tolist() == list(range(STEPS))
    assert ids[:, 1].tolist() == list(range(STEPS, 2 * STEPS))


@pytest.mark.parametrize(("symbols", "shape", "warmup"), [(2, (2, 1), 0), (50, (50, 1), 10), (700, (300, 2), 60)])
def test_a_short_text_gives_a_smaller_piece(symbols, shape, warmup):
    ids, skipped = piece(torch.arange(symbols))
    assert ids.shape == shape
    assert skipped == warmup


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_gives_what_it_has(name):
    found = dynamics(model_of(CELLS[name]()), torch.randint(7, (30, 3)), VOCABULARY, warmup=10)
    parts = {key.partition(".")[0] for key in found}
    assert parts == {
        "lstm": {"symbols", "phi", "saturated"}, "ln_lstm": {"symbols", "phi", "saturated"}, "rnn": set(),
        "hyper_rnn": {"symbols", "change", "spread"},
        "hyper_lstm": {"symbols", "change", "spread", "phi", "saturated"},
        "ln_hyper_lstm": {"symbols", "change", "spread", "phi", "saturated"},
    }[name]  # fmt: skip


@pytest.mark.parametrize("cell", [HyperLstm(5, 3), LnHyperLstm(5, 3, z_from="previous"), HyperRnn(5, 3)], ids=str)
def test_changes_and_spreads_by_the_definition(cell):
    """From the vectors of the last of two layers, symbol by symbol, with matrices."""
    model, ids = model_of(cell, layers=2), torch.randint(7, (25, 2))
    found = dynamics(model, ids, VOCABULARY, warmup=5)
    assert found["symbols"] == [VOCABULARY[i] for i in ids[5:, 0]]
    layer = model.recurrent.layers[-1]
    vectors = scaling_vectors(layer, trace(model.recurrent, ids).hyper_h)[:, :, :, 0].double()
    gates = list(cell_gates(found))
    for place, gate in enumerate(gates):
        for number, value in enumerate(found[f"change.{gate}"]):
            now, last = vectors[:, place, 5 + number + 1], vectors[:, place, 5 + number]
            weights = [
                w.view(len(gates), 12, -1)[place].double() for w in (layer.weight_h.detach(), layer.weight_x.detach())
            ]
            squares = [torch.diag(now[k] - last[k]) @ weights[k] for k in range(2)]
            expected = torch.linalg.matrix_norm(torch.cat(squares, 1)).item()
            assert value == pytest.approx(expected, rel=6e-3, abs=1e-6)
        for number, name in enumerate("hxb"):
            spread = vectors[number, place, 6:].std(0, correction=0).mean().item()
            assert found[f"spread.{name}"][place] == pytest.approx(spread, rel=6e-3)


def cell_gates(found):
    return (name.removeprefix("change.") for name in found if name.startswith("change."))


@pytest.mark.parametrize("cell", [Lstm(), LnLstm(), LnHyperLstm(5, 3)], ids=str)
def test_every_unit_of_every_stream_is_counted_once(cell):
    found = dynamics(model_of(cell), torch.randint(7, (40, 3)), VOCABULARY, warmup=8)
    assert len(found["phi"]) == PHI_BINS
    assert sum(found["phi"]) == 32 * 3 * 12
    outer = round((1 - SATURATED) / (2 / PHI_BINS))
    share = sum(found["phi"][:outer] + found["phi"][-outer:]) / sum(found["phi"])
    assert found["saturated"] == pytest.approx(share, abs=1e-6)
    assert 0 < found["saturated"] < 1


def test_a_result_has_the_dynamics_of_the_selected_model(data):
    training = Training(run_spec(HyperLstm(5, 3), learning_rate=1e-2), data, CPU)
    result = training.run()
    assert result.dynamics["symbols"] == [data.vocabulary[i] for i in data.validation[WARMUP:STEPS]]
    ids, warmup = piece(data.validation)
    assert result.dynamics == dynamics(training.model.eval(), ids, data.vocabulary, warmup)
    assert json.loads(json.dumps(result.dynamics)) == result.dynamics
    assert {len(result.dynamics[f"change.{gate}"]) for gate in "igfo"} == {STEPS - WARMUP}


def test_they_are_small():
    found = dynamics(model_of(LnHyperLstm(8, 4)), torch.randint(7, (STEPS, STREAMS)), VOCABULARY, WARMUP)
    assert len(json.dumps(found)) < 20_000
    assert max(len(json.dumps(value)) for value in found.values()) < TAG


def test_they_draw_nothing_and_leave_the_training_alone(data):
    spec = run_spec(HyperLstm(5, 3))
    looked, blind = (TextProblem(spec, data, CPU) for _ in range(2))
    for problem in (looked, blind):
        problem.losses(0)
    before = torch.random.get_rng_state()
    first = looked.dynamics()
    assert looked.model.training
    assert first == looked.dynamics()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert looked.losses(1)[0].item() == blind.losses(1)[0].item()
    assert looked.score("test") == blind.score("test")
