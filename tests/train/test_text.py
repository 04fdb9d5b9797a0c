"""Training on texts: the state is carried, resumed bit for bit, and every symbol is scored once."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F

from hyperbudget.data.load import load, shape, sizes
from hyperbudget.data.tasks import TextTask
from hyperbudget.data.text import text_data
from hyperbudget.data.text_splits import Texts
from hyperbudget.errors import UserError
from hyperbudget.nn.cells import CELLS, HyperLstm, Lstm, Rnn
from hyperbudget.nn.spec import LanguageModel, ModelSpec, SpecError
from hyperbudget.train.loop import Training
from hyperbudget.train.spec import RunSpec, TrainingSpec
from hyperbudget.train.text import TextProblem
from hyperbudget.train.timing import estimate_seconds

CPU = torch.device("cpu")
SETTINGS = TrainingSpec(
    steps=12, batch_size=4, length=10, learning_rate=1e-2, evaluate_every=4, evaluation_rows=3, clip_norm=1.0
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data():
    """Sentences with a rule: a digit is followed by as many letters."""
    generator = torch.Generator().manual_seed(0)

    def words(count):
        drawn = torch.randint(1, 6, (count,), generator=generator).tolist()
        return "".join(f"{n}{'abcde'[:n]} " for n in drawn).encode()

    return text_data(TextTask("text:/rule"), Texts(words(700), words(60), words(60)))


def run_spec(cell=None, seed=0, network=None, **training):
    network = network or LanguageModel(hidden_size=12)
    settings = dataclasses.replace(SETTINGS, **training)
    return RunSpec("text:/rule", ModelSpec(network, cell or HyperLstm(hyper_size=4, embedding_size=2)), settings, seed)


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_learns_the_rule(name, data):
    result = Training(run_spec(CELLS[name](), steps=150, learning_rate=2e-2, evaluate_every=50), data, CPU).run()
    assert result.metric == "bpc"
    assert result.curve.validation_error[-1] < result.curve.validation_error[0]
    # Where the numbers are even, a word's end and its letters certain: log2(5) bits a word of 5 symbols on average.
    assert math.log2(5) / 5 * 0.9 < result.test_error < 2.0


def test_the_same_seed_gives_the_same_numbers_and_another_one_does_not(data):
    network = LanguageModel(12, input_dropout=0.1, recurrent_dropout=0.2, output_dropout=0.1)
    first, again, other = (Training(run_spec(network=network, seed=s), data, CPU).run() for s in (1, 1, 2))
    assert first.curve == again.curve
    assert first.curve.train_loss != other.curve.train_loss


def test_resumes_bit_for_bit_in_the_middle_of_a_stream(data, tmp_path):
    """With the state that the streams carry, and the dropout masks of the steps that are left."""
    spec = run_spec(network=LanguageModel(12, num_layers=2, recurrent_dropout=0.2))
    undisturbed = Training(spec, data, CPU).run()
    saves = []

    def kill_at_the_second():
        saves.append(None)
        if len(saves) == 2:
            raise KeyboardInterrupt

    options = {"checkpoint_file": tmp_path / "checkpoint.pt", "checkpoint_seconds": 0.0}
    with pytest.raises(KeyboardInterrupt):
        Training(spec, data, CPU, before_checkpoint=kill_at_the_second, **options).run()
    resumed = Training(spec, data, CPU, **options)
    result = resumed.run()
    assert result.curve == undisturbed.curve
    assert result.test_error == undisturbed.test_error


def test_gradients_stop_at_a_window_and_the_state_does_not(data):
    problem = TextProblem(run_spec(), data, CPU)
    problem.losses(0)
    carried = problem.carried
    assert not any(tensor.requires_grad for layer in carried for tensor in layer)
    window = problem.streams.window(1)
    logits, _ = problem.model(window.inputs, carried)
    expected = F.cross_entropy(logits.flatten(0, 1), window.targets.flatten())
    assert problem.losses(1)[0].item() == pytest.approx(expected.item(), rel=1e-6)
    alone, _ = problem.model(window.inputs)
    assert F.cross_entropy(alone.flatten(0, 1), window.targets.flatten()).item() != pytest.approx(expected.item())


def test_an_epoch_begins_with_a_fresh_state(data):
    problem = TextProblem(run_spec(), data, CPU)
    per_epoch = problem.streams.steps_per_epoch
    problem.losses(0)
    window = problem.streams.window(per_epoch)
    assert window.fresh
    logits, _ = problem.model(window.inputs)
    expected = F.cross_entropy(logits.flatten(0, 1), window.targets.flatten())
    assert problem.losses(per_epoch)[0].item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_score_is_that_of_the_whole_text_symbol_by_symbol(data):
    """One row: the plain definition, one long sequence in float64."""
    problem = TextProblem(run_spec(Lstm(), evaluation_rows=1), data, CPU)
    score = problem.score("validation")
    ids = data.validation.long()[:, None]
    model = problem.model.double().eval()
    with torch.no_grad():
        logits, _ = model(ids[:-1])
    nats = F.cross_entropy(logits.flatten(0, 1), ids[1:].flatten()).item()
    assert score.error == pytest.approx(nats / math.log(2), rel=1e-6)
    assert score.loss == pytest.approx(nats, rel=1e-6)


def test_rows_change_the_score_only_by_the_fresh_states(data):
    problem = TextProblem(run_spec(Lstm(), evaluation_rows=1), data, CPU)
    one = problem.score("validation").error
    problem.settings = dataclasses.replace(problem.settings, evaluation_rows=4)
    assert problem.score("validation").error == pytest.approx(one, rel=0.05)
    assert problem.model.training


def test_evaluating_leaves_the_training_alone(data):
    looked, blind = (TextProblem(run_spec(), data, CPU) for _ in range(2))
    for problem in (looked, blind):
        problem.losses(0)
    looked.score("validation")
    assert looked.losses(1)[0].item() == blind.losses(1)[0].item()


def test_a_result_that_cannot_be_is_refused(data):
    problem = TextProblem(run_spec(Lstm()), data, CPU)
    with torch.no_grad():  # a model that always says what comes next, here: always the same symbol
        problem.model.head.weight.zero_()
        problem.model.head.bias.zero_()
        problem.model.head.bias[0] = 100
    problem.data = dataclasses.replace(problem.data, test=torch.zeros(200, dtype=torch.uint8))
    with pytest.raises(UserError, match="something leaks"):
        problem.score("test")


def test_a_text_that_is_too_short(data):
    with pytest.raises(UserError, match="make one of them smaller"):
        TextProblem(run_spec(batch_size=200, length=100), data, CPU)


@pytest.mark.parametrize(("fields", "field"), [({"l2": 1e-4}, "l2"), ({"compile": True}, "compile")])
def test_settings_for_images_are_refused(fields, field):
    spec = run_spec()
    with pytest.raises(SpecError) as caught:
        TrainingSpec(**fields).check(spec.model)
    assert caught.value.field == field


def test_recurrent_dropout_of_a_cell_that_has_none(data):
    with pytest.raises(SpecError, match="recurrent_dropout"):
        TextProblem(run_spec(Rnn(), network=LanguageModel(12, recurrent_dropout=0.1)), data, CPU)


def test_where_a_file_lies_is_no_part_of_a_runs_name():
    here, there = (dataclasses.replace(run_spec(), task=f"text:/{place}/book.txt") for place in ("a", "b"))
    assert here.name("digest") == there.name("digest")
    assert here.name("digest") != here.name("other")
    assert here.name("digest") != dataclasses.replace(here, task="ptb").name("digest")


def test_pydocs_needs_no_download():
    data = load("pydocs")
    assert shape("pydocs") == {"symbols": len(data.vocabulary)}
    assert sizes("pydocs") == (len(data.train), len(data.validation), len(data.test))
    spec = RunSpec("pydocs", run_spec().model, dataclasses.replace(SETTINGS, steps=3, evaluation_rows=500), 0)
    assert estimate_seconds(spec, CPU) > 0
