"""hyperbudget bench packs, as a user calls it."""

import json

import pytest
import torch
from click.testing import CliRunner

from hyperbudget.cli import main

QUICK = ["--runs", "2", "--size", "4", "--batch", "2", "--length", "5", "--repetitions", "1", "--steps", "1"]


@pytest.fixture(autouse=True)
def as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def packs(*arguments):
    return CliRunner().invoke(main, ["bench", "packs", *QUICK, *map(str, arguments)], prog_name="hyperbudget")


def test_the_text_and_the_numbers(tmp_path):
    text, data = tmp_path / "bench.txt", tmp_path / "bench.json"
    said = packs("--device", "cpu", "--cell", "rnn", "--out", text, "--json", data)
    assert said.exit_code == 0, said.output
    assert "2 runs at once, each of 2 streams of 5 symbols a step" in said.stdout
    assert "training steps of 2 runs of rnn, size 4, batch 20" in said.stdout
    assert said.stdout.count("packed / one after another") == 2
    assert text.read_text(encoding="utf-8").strip() == said.stdout.strip()
    found = json.loads(data.read_text(encoding="utf-8"))
    assert (found["benchmark"], found["runs"]) == ("packs", 2)
    assert "rnn" in json.dumps(found["model"])
    assert [len(c["ratios"]) for c in found["comparisons"]] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cell", "hyper_lstn"], "--cell: 'hyper_lstn' is not one of lstm"),
        (["--json", "nowhere/bench.json"], "--json nowhere/bench.json: there is no folder nowhere"),
    ],
)
def test_mistakes_of_the_user(arguments, says):
    said = packs(*arguments)
    assert said.exit_code == 2
    assert says in said.stderr
    assert "Traceback" not in said.output
