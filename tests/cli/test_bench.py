"""hyperbudget bench, as a user calls it. No test is about speed."""

import json

import pytest
import torch
from click.testing import CliRunner

from hyperbudget.bench.recurrent import variants
from hyperbudget.cli import main
from hyperbudget.cli.bench import machine_words

QUICK = ["--depth", "10", "--batch", "4", "--repetitions", "1", "--device", "cpu"]


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def static(*arguments):
    return CliRunner().invoke(main, ["bench", "static", *QUICK, *map(str, arguments)], prog_name="hyperbudget")


def test_kernels_and_precision(tmp_path):
    text, data = tmp_path / "bench.txt", tmp_path / "bench.json"
    said = static("--batch", 2, "--only", "precision", "--only", "kernels", "--out", text, "--json", data)
    assert said.exit_code == 0
    assert text.read_text() == said.stdout.rstrip("\n") + "\n"
    lines = said.stdout.splitlines()
    assert "1 thread, torch " in lines[0]
    assert "wrn depth 10 width 1, hyper N_z 64 d 64 in 16 out 16" in lines[1]
    assert [line for line in lines if "batch" in line and not line.startswith(" ")] == [
        "kernels, batch 4",
        "kernels, batch 2",
        "precision, batch 4",
    ]
    assert {line.partition("   ")[0].strip() for line in lines if " / " in line} == {
        "hyper / free", "hyper per tile / free", "hyper / hyper per tile", "free bf16 / free", "hyper bf16 / hyper"
    }  # fmt: skip

    found = json.loads(data.read_text())
    assert (found["benchmark"], found["repetitions"], found["machine"]["threads"]) == ("static", 1, 1)
    assert [(c["name"], c["batch"]) for c in found["comparisons"]] == [
        ("kernels", 4), ("kernels", 2), ("precision", 4)
    ]  # fmt: skip
    for comparison in found["comparisons"]:
        for variant in comparison["variants"].values():
            assert len(variant["seconds_by_round"]) == 1
            assert variant["images_per_second"] > 0


def test_everything_is_compared_unless_told_otherwise(monkeypatch):
    """Without compiling anything: that takes a minute, and a compiler."""
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    said = static()
    assert said.exit_code == 0
    assert "hyper compiled / hyper" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--depth", 11], "--depth: 11 is not 6N + 4; the nearest are 10 and 16"),
        (["--only", "kernel"], "--only: 'kernel' is not one of kernels, precision, compile; did you mean 'kernels'?"),
        (["--json", "nowhere/bench.json"], "--json nowhere/bench.json: there is no folder nowhere"),
        (["--out", "nowhere/bench.txt"], "--out nowhere/bench.txt: there is no folder nowhere"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_measured(arguments, what):
    said = static(*arguments)
    assert (said.exit_code, said.stdout, said.stderr) == (2, "", what + "\n")


def test_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    said = static("--device", "cuda")
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.startswith("--device cuda: torch finds no CUDA device here")


def recurrent(*arguments):
    quick = ["--size", "3", "--repetitions", "1", "--device", "cpu"]
    return CliRunner().invoke(main, ["bench", "recurrent", *quick, *map(str, arguments)], prog_name="hyperbudget")


class TestRecurrent:
    @pytest.fixture(autouse=True)
    def short(self, monkeypatch):
        monkeypatch.setattr("hyperbudget.bench.recurrent.TIME", 4)

    def test_every_cell_is_compared_with_torchs(self, tmp_path):
        text, data = tmp_path / "bench.txt", tmp_path / "bench.json"
        said = recurrent("--size", 2, "--out", text, "--json", data)
        assert said.exit_code == 0
        assert text.read_text() == said.stdout.rstrip("\n") + "\n"
        lines = said.stdout.splitlines()
        assert "1 thread, torch " in lines[0]
        assert lines[1] == (
            "forward and backward pass of one layer over 4 symbols of 50, 32 sequences side by side; N_z 4"
        )
        assert [line for line in lines if line.startswith("size")] == [
            f"size {size}, hyper cells of 1, batch 32" for size in (3, 2)
        ]
        names = [str(variant) for variant in variants(torch.device("cpu"))]
        functions = [name for name in names if name.endswith(("PyTorch", "C++"))]
        assert [line.strip().partition("  ")[0] for line in lines if " / " in line] == 2 * [
            *(f"{name} / nn.LSTM" for name in names[1:]),
            *(f"{name} / {name.split()[0]} loop" for name in functions),
        ]

        found = json.loads(data.read_text())
        assert (found["benchmark"], found["time"], found["machine"]["threads"]) == ("recurrent", 4, 1)
        assert found["operations_per_symbol"]["3"]["nn.LSTM"] == 2 * 4 * 3 * (50 + 3)
        for comparison in found["comparisons"]:
            assert list(comparison["variants"]) == names
            for variant in comparison["variants"].values():
                assert len(variant["seconds_by_round"]) == 1
                assert variant["sequences_per_second"] > 0

    def test_bad_input_is_one_line(self):
        said = recurrent("--json", "nowhere/bench.json")
        assert (said.exit_code, said.stdout) == (2, "")
        assert said.stderr == "--json nowhere/bench.json: there is no folder nowhere\n"


def test_a_machine_in_words():
    about = {"processor": "A CPU", "bf16_instructions": ["amx_bf16"], "threads": 2, "torch": "2.13.0", "device": "cpu"}
    assert machine_words(about) == "A CPU (amx_bf16), 2 threads, torch 2.13.0, device cpu"
    assert machine_words({**about, "bf16_instructions": []}).startswith("A CPU (no bf16 instructions), ")
