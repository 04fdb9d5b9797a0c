"""hyperbudget bench engine. No test is about speed."""

import json

from click.testing import CliRunner

from hyperbudget.bench.engine import Cost, study_of, tenth
from hyperbudget.cli import main


def test_a_handful_of_runs(tmp_path):
    text, data = tmp_path / "bench.txt", tmp_path / "bench.json"
    arguments = ["bench", "engine", "--runs", 5, "--seeds", 2, "--workers", 1, "--json", data, "--out", text]
    said = CliRunner().invoke(main, list(map(str, arguments)), prog_name="hyperbudget")
    assert said.exit_code == 0, said.output
    assert text.read_text() == said.stdout
    assert "6 runs that train nothing, 2 seeds a configuration, 1 at once; ray " in said.stdout
    assert {line.rsplit("   ", 1)[0].strip() for line in said.stdout.splitlines() if line.startswith("  ")} >= {
        "with the engine / alone", "growth a run"
    }  # fmt: skip
    found = json.loads(data.read_text())
    assert (found["runs"], found["seeds"], found["workers"]) == (6, 2, 1)
    assert found["ratio"] == found["engine_seconds"] / found["bare_seconds"] > 0
    assert 0 < found["loop_cpu_seconds"] <= found["engine_cpu_seconds"]
    assert found["late_memory"] > 0 < found["early_memory"]


def test_growth_is_of_the_runs_after_the_first_tenth():
    cost = Cost(100, 1, 2, 2.0, 1.0, 0.5, 0.5, early_memory=1000, late_memory=1900)
    assert (cost.ratio, cost.growth) == (4, 10)
    assert [tenth(runs) for runs in (1, 9, 10, 25)] == [1, 1, 1, 2]


def test_the_study_has_enough_configurations(tmp_path):
    assert [study_of(runs, tmp_path).size() for runs in (1, 2, 5, 200)] == [1, 2, 6, 210]
    assert [study_of(runs, tmp_path, seeds=3).budget.runs for runs in (1, 6, 200)] == [3, 6, 201]
