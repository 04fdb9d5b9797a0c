"""``hyperbudget sample`` as a user calls it, on runs of a few steps."""

import shutil

import pytest
import torch
from click.testing import CliRunner

from hyperbudget.cli import main
from hyperbudget.cli.sample import read
from hyperbudget.data.load import digest
from hyperbudget.figures.style import INK, MUTED
from hyperbudget.nn.cells import HyperLstm, HyperRnn, Lstm, Rnn
from hyperbudget.nn.spec import LanguageModel, ModelSpec
from hyperbudget.study.folder import RunFolder, read_json, write_json
from hyperbudget.study.results.finished import find_run
from hyperbudget.study.workers.execute import execute
from hyperbudget.study.workers.job import Job
from hyperbudget.train.spec import RunSpec, TrainingSpec
from tests.cli.test_export import finished

CELLS = {"hyper_lstm": HyperLstm(4, 2), "lstm": Lstm(), "rnn": Rnn(), "hyper_rnn": HyperRnn(4, 2)}
PICTURES = {"weights", "units", "learning"}


def trained(folder, text, cell):
    """A language model of a few steps on the file `text`, in a run's folder under `folder`, as a worker leaves it."""
    task = f"text:{text}"
    settings = TrainingSpec(steps=4, batch_size=2, length=8, evaluate_every=2, evaluation_rows=4, learning_rate=1e-2)
    spec = RunSpec(task, ModelSpec(LanguageModel(8), cell), settings, 0)
    name = spec.name(digest(task))
    run = RunFolder(folder / name)
    run.path.mkdir(parents=True)
    write_json(run.spec, {"run": name, **spec.fields()})
    run.attempt.write_text("mine")
    result = execute(Job(name, spec.fields(), digest(task), run.path, "mine", threads=1))
    assert result["status"] == "finished", result
    return name


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder of results with a run of every cell in the study `chars`, and the names of the runs.

    The text they learned is gone: the stored file is all that is left of it.
    """
    folder = tmp_path_factory.mktemp("results")
    text = tmp_path_factory.mktemp("text") / "text.txt"
    text.write_bytes("abc äb\ncab b\n".encode() * 200)
    names = {name: trained(folder / "chars" / "runs", text, cell) for name, cell in CELLS.items()}
    names["images"] = finished(folder / "digits" / "runs").path.name
    text.unlink()
    return folder, names


@pytest.fixture
def runs(results, tmp_path, monkeypatch):
    """The names of the runs, in an empty current folder."""
    folder, names = results
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(folder))
    return names


def call(*arguments):
    return CliRunner().invoke(main, ["sample", *map(str, arguments)])


def sampled(*arguments):
    done = call(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*arguments):
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_at_temperature_zero_it_is_what_a_plain_loop_says(runs):
    model, metadata = find_run(runs["lstm"]).load()
    symbols = bytes(metadata.vocabulary)
    text = bytearray(b"cab")
    for _ in range(50):
        with torch.no_grad():
            logits, _ = model(torch.tensor([[symbols.index(byte)] for byte in text]))
        text.append(symbols[int(logits[-1, 0].argmax())])
    said = sampled(runs["lstm"], "--length", 50, "--temperature", 0, "--prompt", "cab")
    assert said == bytes(text).decode(errors="replace") + "\n"


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_writes_as_many_symbols_as_asked(runs, cell):
    said = sampled(runs[cell], "--length", 30, "--temperature", 0.01, "--prompt", "a")
    assert said[0] == "a"
    assert len(said) <= 1 + 30 + 1


def test_a_seed_is_a_text(runs):
    first, again, other = (sampled(runs["hyper_lstm"], "--length", 80, "--seed", seed) for seed in (3, 3, -4))
    assert first == again != other


def test_bytes_that_are_no_text_are_replaced(runs):
    """Such a model writes halves of an `ä`."""
    assert "\ufffd" in sampled(runs["lstm"], "--length", 400, "--temperature", 5)


def test_a_prompt_of_two_bytes(runs):
    assert sampled(runs["lstm"], "--prompt", "ä", "--length", 5).startswith("ä")


@pytest.mark.parametrize(("vocabulary", "place"), [(b"\n ab", 0), (b" ab", 0), (b"ab\n", 2), (b"ab", 0), (b"ab ", 2)])
def test_without_a_prompt_a_line_begins(vocabulary, place):
    assert read(None, vocabulary).tolist() == [place]


class TestPictures:
    def test_there_are_none_unless_asked_for(self, runs, tmp_path):
        sampled(runs["hyper_lstm"])
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("cell", "reason"),
        [
            ("hyper_lstm", None),
            ("lstm", "weights.png: no vectors scale the weights of this lstm"),
            ("hyper_rnn", "units.png: a hyper_rnn has no c"),
        ],
    )
    def test_those_that_the_cell_has(self, runs, cell, reason, tmp_path):
        done = call(runs[cell], "--length", 40, "--out", "x")
        assert done.exit_code == 0
        assert done.stdout == sampled(runs[cell], "--length", 40), "the text alone"
        missing = reason.partition(".")[0] if reason else None
        assert {path.name for path in (tmp_path / "x").iterdir()} == {f"{name}.png" for name in PICTURES - {missing}}
        assert (reason is None) or f"no x/{reason}\n" in done.stderr
        assert "x/learning.png\n" in done.stderr

    def test_a_cell_with_neither(self, runs):
        said = call(runs["rnn"], "--length", 5, "--out", "x").stderr
        assert said.count("no x/") == 2

    @pytest.mark.parametrize("ending", ["svg", "pdf"])
    def test_formats(self, runs, ending, tmp_path):
        call(runs["hyper_lstm"], "--length", 40, "--format", ending, "--out", "a/b")
        assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == {f"{name}.{ending}" for name in PICTURES}

    def test_the_text_is_in_the_picture_with_the_prompt_pale(self, runs, tmp_path):
        sampled(runs["hyper_lstm"], "--prompt", "cab", "--length", 40, "--format", "svg", "--out", "x")
        page = (tmp_path / "x" / "weights.svg").read_text()
        assert "after the pale prompt" in page
        mono = [line for line in page.splitlines() if "DejaVu Sans Mono" in line and "<text" in line]
        assert [MUTED in line for line in mono[:3]] == [True] * 3
        assert any(INK in line for line in mono[3:])

    def test_a_run_of_before(self, runs, results, tmp_path):
        """Its result says nothing of dynamics: the pictures are of the text that is written now."""
        copy = RunFolder(tmp_path / "old")
        shutil.copytree(results[0] / "chars" / "runs" / runs["hyper_lstm"], copy.path)
        older = read_json(copy.result)
        del older["dynamics"]
        write_json(copy.result, older)
        assert "x/weights.png\n" in call(copy.path, "--out", "x", "--length", 30).stderr


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--length", "0"], "--length 0: should be at least 1\n"),
            (["--temperature", "-0.5"], "--temperature -0.5: should be 0 or more, and finite\n"),
            (["--temperature", "nan"], "--temperature nan: should be 0 or more, and finite\n"),
            (["--temperature", "inf"], "--temperature inf: should be 0 or more, and finite\n"),
            (["--prompt", ""], "--prompt: is empty; give at least one character, or leave it out\n"),
            (["--prompt", "abx"], "--prompt: 'x' at position 2 is not among the 7 symbols of the vocabulary; leave it"),
            (["--prompt", "äö"], "--prompt: 'ö' at position 1 is not among"),
            (["--prompt", "a\udcff"], "--prompt: '\\udcff' at position 1 is not among"),
        ],
    )
    def test_an_option(self, runs, arguments, said):
        assert refused(runs["lstm"], *arguments).startswith(said)

    def test_a_network_of_images(self, runs):
        assert refused(runs["images"]) == f"{runs['images']}: a resnet writes no text; give a run of a language_model\n"

    def test_no_such_run(self, runs):
        assert refused("zzz").startswith("zzz: no run of this name in ")
        assert refused(runs["lstm"], "--study", "digits").startswith(f"{runs['lstm']}: no run of this name in ")

    def test_a_run_without_its_model(self, runs, results, tmp_path):
        run = RunFolder(tmp_path / "kept")
        shutil.copytree(results[0] / "chars" / "runs" / runs["lstm"], run.path)
        run.model.write_bytes(b"x")
        assert refused("kept").startswith("kept/model.safetensors: damaged; ")
        run.model.unlink()
        assert refused("kept").startswith("kept/model.safetensors: missing; ")
        run.result.unlink()
        assert refused("kept").startswith("kept: this run has not finished; ")

    def test_a_file_where_a_folder_should_be(self, runs, tmp_path):
        (tmp_path / "x").write_text("mine")
        assert refused(runs["lstm"], "--out", "x") == "x: is a file; give --out a folder\n"
        done = call(runs["hyper_lstm"], "--out", "x/y")
        assert done.exit_code == 2
        assert done.stderr == "x/y/weights.png: cannot be written: Not a directory\n"
