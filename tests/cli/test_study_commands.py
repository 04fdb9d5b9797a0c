"""plan, run, status and ui, as a user calls them; what trains is tested in tests/study."""

import dataclasses
import os
import socket
import subprocess
import sys
import time
import urllib.request
from io import StringIO

import pytest
from click.testing import CliRunner
from mlflow.exceptions import MlflowException
from optuna.exceptions import StorageInternalError
from rich.console import Console
from rich.live import Live

from hyperbudget.cli import main
from hyperbudget.cli.live import LiveTable, PlainLines, duration
from hyperbudget.study.folder import Stores, StudyFolder, write_json
from hyperbudget.study.lock import lock_path, locked
from hyperbudget.study.progress import Best, Snapshot
from hyperbudget.study.session import lost_store, set_aside
from tests.study.support import TINY, tiny


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYPERBUDGET_RESULTS", raising=False)
    (tmp_path / "tiny.yaml").write_text(TINY)


def call(*arguments):
    return CliRunner().invoke(main, arguments)


class TestPlan:
    def test_the_papers_count(self):
        """4,240 parameters of the generator and an embedding of 4."""
        done = call("plan", "mnist-kernel", "--no-timing")
        assert done.exit_code == 0
        row = next(line for line in done.stdout.splitlines() if "hyper N_z 4 d 4" in line)
        assert row.split()[-5:] == ["12,910", "4,244", "12,544", "1.64", "x"]
        assert "22 configurations x 3 seeds = 66 runs" in done.stdout

    def test_what_the_budget_refuses(self):
        done = call("plan", "tiny.yaml", "--set", "budget.params.max=500", "--no-timing")
        assert done.exit_code == 0
        assert "the budget refuses 1 configuration (1 model):" in done.stdout
        assert "free width 8: 1,362 learnable parameters are 862 outside budget.params" in done.stdout

    def test_a_budget_that_refuses_everything(self):
        done = call("plan", "tiny.yaml", "--set", "budget.params.max=5", "--no-timing")
        assert done.exit_code == 3
        assert "budget.params: refuses every configuration" in done.stderr

    def test_time_is_estimated_without_data(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HYPERBUDGET_DATA_DIR", str(tmp_path / "none"))
        done = call("plan", "tiny.yaml")
        assert "8 runs, " in done.stdout.splitlines()[-1]
        assert not (tmp_path / "none").exists()

    def test_a_space_without_end_is_sampled(self):
        done = call(
            "plan", "tiny.yaml", "--no-timing", "--set", "model.embedding_size={between: [1, 9]}", "--set",
            "search={sampler: tpe, trials: 7, seeds: [0]}",
        )  # fmt: skip
        assert "tpe search: at most 7 configurations x 1 seed = at most 7 runs" in done.stdout
        assert "(a sample of 500 configurations)" in done.stdout


class TestRun:
    def test_a_budget_that_refuses_everything(self):
        done = call("run", "tiny.yaml", "--set", "budget.params.max=5")
        assert done.exit_code == 3
        assert "refuses all 4 configurations (the smallest has" in done.stderr

    def test_bad_input(self):
        assert call("run", "nothing.yaml").exit_code == 2
        assert call("run", "tiny.yaml", "--set", "task=digit").exit_code == 2
        assert call("run", "tiny.yaml", "--workers", "0").exit_code == 2

    def test_no_cluster_there(self, monkeypatch):
        monkeypatch.setenv("RAY_TMPDIR", os.getcwd())
        done = call("run", "tiny.yaml", "--address", "auto")
        assert done.exit_code == 2
        assert "--address auto: no Ray cluster answers there" in done.output

    def test_resources_that_the_machine_does_not_have(self):
        done = subprocess.run(
            [sys.executable, "-m", "hyperbudget", "run", "tiny.yaml", "--set", "resources.gpus=64"],
            capture_output=True, text=True, check=False, timeout=200,
        )  # fmt: skip
        assert done.returncode == 2
        assert "a worker asks for 1 CPUs and 64 GPUs" in done.stderr
        assert "Traceback" not in done.stderr


class TestStatus:
    def test_never_run(self):
        done = call("status", "tiny.yaml")
        assert done.exit_code == 2
        assert "no results; begin with: hyperbudget run tiny.yaml" in done.stderr

    def test_counts(self):
        folder = StudyFolder.of("tiny")
        for number in range(4):
            folder.run(f"run{number}").path.mkdir(parents=True)
        write_json(folder.stores, {"storage": "sqlite:///a.db", "tracking": "https://me:secret@host"})
        write_json(folder.run("run0").result, {"status": "finished"})
        write_json(folder.run("run1").result, {"status": "failed", "reason": "diverged: nan"})
        done = call("status", "tiny.yaml")
        assert done.exit_code == 0
        lines = [line.split() for line in done.stdout.splitlines()]
        assert ["finished", "1"] in lines
        assert ["interrupted", "2"] in lines
        assert ["failed", "1"] in lines
        assert "run1: diverged: nan" in done.stdout
        assert "secret" not in done.stdout
        with locked(folder):
            assert call("status", "tiny.yaml").stdout.startswith("tiny: running\n")

    def test_of_another_name(self):
        folder = StudyFolder.of("other")
        folder.path.mkdir(parents=True)
        write_json(folder.stores, {"storage": folder.default_storage(), "tracking": folder.default_tracking()})
        assert call("status", "tiny.yaml", "--set", "name=other").stdout.startswith("other: not running\n")


class TestFresh:
    def test_earlier_results_are_kept_aside(self, tmp_path):
        folder = StudyFolder.of("tiny")
        folder.runs.mkdir(parents=True)
        write_json(folder.stores, {"storage": folder.default_storage(), "tracking": folder.default_tracking()})
        set_aside(folder)
        assert not folder.path.exists()
        kept = list((tmp_path / "results").glob("tiny.*"))
        assert len(kept) == 1
        assert (kept[0] / "stores.json").exists()

    def test_nothing_to_keep(self):
        set_aside(StudyFolder.of("tiny"))

    def test_stores_elsewhere_are_not_ours_to_empty(self):
        folder = StudyFolder.of("tiny")
        folder.path.mkdir(parents=True)
        write_json(folder.stores, {"storage": "postgresql://h/x", "tracking": folder.default_tracking()})
        with pytest.raises(Exception, match="--fresh: this study is recorded in stores outside its folder"):
            set_aside(folder)

    def test_the_lock_is_beside_the_folder(self):
        folder = StudyFolder.of("tiny")
        assert lock_path(folder).parent == folder.path.parent


@pytest.mark.parametrize(
    ("error", "place"),
    [
        (MlflowException("gone"), "MLflow's store http://me:***@host failed: gone"),
        (StorageInternalError("gone"), "Optuna's storage sqlite:///a.db failed: gone"),
        (OSError(28, "No space left on device", "/runs/x"), "/runs/x failed: No space left on device\n"),
    ],
)
def test_a_store_that_gives_up_is_named_and_the_study_goes_on(error, place):
    told = lost_store(error, Stores("sqlite:///a.db", "http://me:secret@host"))
    assert str(told).startswith(place)
    assert "give the same command again" in str(told)
    assert "secret" not in str(told)
    assert lost_store(ZeroDivisionError(), Stores("", "")) is None


class TestUi:
    def test_never_run(self):
        assert call("ui", "tiny.yaml").exit_code == 2

    def test_a_port_that_is_taken(self):
        write_stores()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = call("ui", "tiny.yaml", "--port", str(taken.getsockname()[1]))
        assert done.exit_code == 2
        assert "something listens there already" in done.stderr

    def test_no_password_on_a_command_line(self, monkeypatch):
        folder = StudyFolder.of("tiny")
        folder.path.mkdir(parents=True)
        write_json(folder.stores, {"storage": "s", "tracking": "postgresql://me:s3cret@h/db"})
        called = {}

        def run(command, env, **_):
            called.update(command=command, env=env)
            return subprocess.CompletedProcess(command, 0)

        monkeypatch.setattr(subprocess, "run", run)
        done = call("ui", "tiny.yaml", "--port", "5973")
        assert "s3cret" not in done.stdout + done.stderr + " ".join(called["command"])
        assert called["env"]["MLFLOW_BACKEND_STORE_URI"] == "postgresql://me:s3cret@h/db"

    def test_serves_the_studys_store(self):
        write_stores()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "hyperbudget", "ui", "tiny.yaml", "--port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 120
            while True:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                        assert answer.read() == b"OK"
                    break
                except OSError:
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.3)
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=30)


def write_stores():
    folder = StudyFolder.of("tiny")
    folder.path.mkdir(parents=True)
    write_json(folder.stores, {"storage": folder.default_storage(), "tracking": folder.default_tracking()})


SNAPSHOT = Snapshot(
    total=8, finished=3, failed=1, pruned=0, running=2, refused=0, seconds_left=75.0,
    front=lambda: [Best("free width 4", 700, 0.21, 2), Best("hyper width 8 N_z 4", 1200, 0.034, 1)],
)  # fmt: skip


class TestProgress:
    def test_plain_lines(self):
        text = StringIO()
        lines = PlainLines(Console(file=text, width=40))
        lines.run_ended("free width 4 seed 0", {"status": "finished", "validation_error": 0.21, "seconds": 2}, SNAPSHOT)
        lines.run_ended("free width 4 seed 1", {"status": "failed", "reason": "diverged: nan"}, SNAPSHOT)
        assert text.getvalue().splitlines() == [
            "[4/8] free width 4 seed 0: validation error 21.00% (2.0 s), 1 min 15 s left",
            "[4/8] free width 4 seed 1: failed: diverged: nan, 1 min 15 s left",
        ]

    def test_bits_are_no_percent(self, tmp_path):
        text = StringIO()
        console = Console(file=text, width=100, force_terminal=True, color_system=None)
        result = {"status": "finished", "metric": "bpc", "validation_error": 1.3119, "seconds": 2}
        PlainLines(console).run_ended("lstm seed 0", result, SNAPSHOT)
        assert "lstm seed 0: validation 1.312 bpc (2.0 s)" in text.getvalue()
        snapshot = dataclasses.replace(SNAPSHOT, front=lambda: [Best("lstm hidden size 300", 700, 1.3119, 2, "bpc")])
        with Live(console=console, auto_refresh=False) as live:
            LiveTable(tiny(tmp_path), live).update(snapshot)
        assert "validation bpc" in text.getvalue()
        assert "%" not in text.getvalue()

    def test_live_table(self, tmp_path):
        text = StringIO()
        console = Console(file=text, width=100, force_terminal=True, color_system=None)
        with Live(console=console, auto_refresh=False) as live:
            LiveTable(tiny(tmp_path), live).update(SNAPSHOT)
        shown = text.getvalue()
        for expected in ("3 / 8", "1 min 15 s", "1,200", "3.40%", "hyper width 8 N_z 4 (1 seeds yet)"):
            assert expected in shown
        assert "validation error" in shown

    @pytest.mark.parametrize(
        ("seconds", "words"), [(0.51, "0.5 s"), (59.2, "59 s"), (61, "1 min 01 s"), (3_720, "1 h 02 min")]
    )
    def test_duration(self, seconds, words):
        assert duration(seconds) == words
