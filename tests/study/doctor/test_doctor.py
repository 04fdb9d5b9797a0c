"""What the doctor makes of facts; and the command, really, on this machine."""

import dataclasses
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from hyperbudget.cli import main
from hyperbudget.study.doctor import check as doctor
from hyperbudget.study.doctor.check import installed
from hyperbudget.study.doctor.examine import GIBI, MEBI, DataSet, Facts, examine
from hyperbudget.study.doctor.verdicts import Wanted, clock, machine, places, same_data, versions
from hyperbudget.study.workers.cluster import Node

NODE = Node("0" * 56, "node", False, {"CPU": 8.0, "GPU": 2.0})
FACTS = Facts(
    versions={"Python": "3.11.7", "hyperbudget": "0.1.0", "torch": "2.13.0", "ray": "2.60.0", "numpy": "2.4.6"},
    cores=8, threads=1, memory=64 * GIBI, memory_free=32 * GIBI, gpus=["H200", "H200"], triton=True,
    compiler="/usr/bin/g++", native=True, results=None, disk_free=100 * GIBI, data_dir="/data",
    data=[DataSet("mnist", digest="a" * 64)], settings={"HYPERBUDGET_DATA_DIR": "/data"},
)  # fmt: skip
WANTED = Wanted(Path("/shared/results/x"), ("mnist",), None, None, gpus=1.0)


def facts(**changes):
    return dataclasses.replace(FACTS, **changes)


def test_a_machine_that_is_well():
    checks = list(machine(FACTS, WANTED, NODE))
    assert [check for check in checks if check.verdict != "ok"] == []
    assert [check.name for check in checks] == [
        "CPUs", "GPUs", "memory", "native cells", "results", "disk", "data mnist", "settings"
    ]  # fmt: skip
    assert versions(FACTS, FACTS).verdict == "ok"
    assert not list(same_data(FACTS, FACTS))


@pytest.mark.parametrize(
    ("changes", "name", "verdict", "said"),
    [
        ({"cores": 4}, "CPUs", "warn", "--num-cpus"),
        ({"gpus": []}, "GPUs", "FAIL", "a torch build with CUDA"),
        ({"gpus": ["H200"] * 4}, "GPUs", "warn", "--num-gpus"),
        ({"triton": False}, "GPUs", "warn", "pip install triton"),
        ({"memory_free": GIBI}, "memory", "warn", "raise resources.cpus"),
        ({"native": False}, "native cells", "warn", "g++"),
        ({"native": False, "compiler": None}, "native cells", "warn", "install g++"),
        ({"results": "/shared: Permission denied"}, "results", "FAIL", "HYPERBUDGET_RESULTS"),
        ({"disk_free": GIBI}, "disk", "warn", "make room"),
        ({"disk_free": MEBI}, "disk", "FAIL", "make room"),
        ({"data": [DataSet("mnist", trouble="no network")]}, "data mnist", "FAIL", "HYPERBUDGET_DATA_DIR"),
    ],
)
def test_what_is_wrong_is_said_with_its_way_out(changes, name, verdict, said):
    wrong = [check for check in machine(facts(**changes), WANTED, NODE) if check.verdict != "ok"]
    assert [(check.name, check.verdict) for check in wrong] == [(name, verdict)]
    assert said in wrong[0].way_out


def test_data_that_the_first_run_fetches_are_well():
    (check,) = [c for c in machine(facts(data=[DataSet("mnist", fetched=True)]), WANTED, NODE) if "data" in c.name]
    assert check.verdict == "ok"
    assert "downloads them to /data, once" in check.found


def test_what_differs_from_here():
    other = {**FACTS.versions, "torch": "2.12.0"}
    assert versions(facts(versions=other), FACTS).verdict == "warn"
    assert versions(facts(versions={**other, "ray": "2.50.0"}), FACTS).verdict == "FAIL"
    (check,) = same_data(facts(data=[DataSet("mnist", digest="b" * 64)]), FACTS)
    assert check.verdict == "FAIL"


@pytest.mark.parametrize(
    ("seen", "verdict", "found"),
    [(100.0, "ok", "as here"), (97.0, "ok", "as here"), (90.0, "warn", "10 s behind"), (131.0, "warn", "30 s ahead")],
)
def test_clocks(seen, verdict, found):
    check = clock(seen, 100.0, 101.0)
    assert (check.verdict, check.found) == (verdict, found)


@pytest.mark.parametrize(("cpus", "gpus", "runs"), [(1.0, 0.0, 8), (1.0, 0.25, 8), (3.0, 0.0, 2), (1.0, 4.0, 0)])
def test_places(cpus, gpus, runs):
    assert places(NODE, dataclasses.replace(WANTED, cpus=cpus, gpus=gpus)) == runs


def test_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPERBUDGET_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HYPERBUDGET_MNIST_URL", "http://127.0.0.1:9")
    here = examine(tmp_path / "not" / "there", ("digits", "mnist"), True)
    digits, mnist = here.data
    assert len(digits.digest) == 64
    assert "cannot be downloaded (http://127.0.0.1:9/train-images-idx3-ubyte.gz: Connection refused)" in mnist.trouble
    assert here.results is None
    assert here.disk_free > 0
    assert not list(tmp_path.iterdir())
    assert installed(["digits", "mnist", "pydocs"]) == ("digits", "pydocs")


def test_stores(tmp_path):
    database = tmp_path / "a.db"
    assert doctor._trials(f"sqlite:///{database}").found == f"{database} is made by the first run"
    assert doctor._tracking(f"sqlite:///{database}").verdict == "ok"
    assert not database.exists()
    database.touch()
    assert doctor._trials(f"sqlite:///{database}").verdict == "ok"
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM studies").fetchone() == (0,)
        connection.execute("BEGIN EXCLUSIVE")
        locked = doctor._trials(f"sqlite:///{database}?timeout=0.1")
        assert (locked.verdict, "database is locked" in locked.found) == ("FAIL", True)
    assert doctor._trials(f"journal:{tmp_path}/a.log").verdict == "ok"
    for check in (doctor._trials("postgresql://me:s3cret@127.0.0.1:9/x"), doctor._tracking("http://127.0.0.1:9")):
        assert check.verdict == "FAIL"
        assert "nothing answers at 127.0.0.1, port 9 (Connection refused)" in check.found
        assert "s3cret" not in check.found


@pytest.mark.slow
def test_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(tmp_path))
    well = CliRunner().invoke(main, ["doctor", "digits-quick"])
    assert well.exit_code == 0, well.output
    assert "FAIL" not in well.output
    assert "1 node, room for" in well.output
    ill = CliRunner().invoke(main, ["doctor", "--address", "127.0.0.1:9", "--tracking-uri", "http://127.0.0.1:9"])
    assert ill.exit_code == 1
    assert ill.output.count("nothing answers at 127.0.0.1, port 9") == 2
    assert ill.output.endswith("2 things will fail\n")
