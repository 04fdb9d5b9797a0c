"""Studies on real Ray clusters: nodes come, are killed, or share no disk, and the results are what they always are."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest
import ray

from hyperbudget.data.load import digest
from hyperbudget.errors import UserError
from hyperbudget.study.folder import StudyFolder, read_json
from hyperbudget.study.session import Options, run_study
from hyperbudget.study.workers.cluster import connect, nodes, on_every_node, reach
from hyperbudget.study.workers.execute import execute
from hyperbudget.study.workers.job import Job
from hyperbudget.study.workers.pool import Pool
from tests.study.support import TINY, Silent, numbers, results, tiny

STUDY = TINY.replace("grid: [4, 8]", "grid: [4]").replace("seeds: [0, 1]", "seeds: 3")
RUNS = 6


class Does(Silent):
    """A listener that does something when so many runs have ended."""

    def __init__(self, after, act):
        super().__init__()
        self.after, self.act = after, act

    def run_ended(self, what, result, snapshot):
        super().run_ended(what, result, snapshot)
        if snapshot.finished == self.after:
            self.act()


def run(folder, monkeypatch, listener, address):
    """Run the study in `folder` to its end: the numbers of every run are those of its training alone."""
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(folder / "results"))
    (folder / "results").mkdir(exist_ok=True)
    study = tiny(folder, text=STUDY)
    outcome = run_study(study, Options(address=address), listener)
    assert (outcome.finished, outcome.failures) == (RUNS, [])
    ended = results(StudyFolder.of(study.name))
    assert len(ended) == RUNS
    for name, result in ended.items():
        fields = read_json(StudyFolder.of(study.name).run(name).spec)
        fields.pop("run")
        alone = folder / "alone" / "study" / "runs" / name
        alone.mkdir(parents=True)
        (alone / "attempt").write_text("")
        job = Job(name, fields, digest("digits"), alone, "", threads=1)
        assert numbers(execute(job)) == numbers(result)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_only_node_is_killed_and_a_larger_one_comes(cluster, tmp_path, monkeypatch):
    doomed = cluster.add()
    capacities = []
    fitting = Pool._fitting
    monkeypatch.setattr(Pool, "_fitting", lambda pool: capacities.append(fitting(pool)) or capacities[-1])

    def change():
        cluster.kill(doomed)
        cluster.add(cpus=2)

    listener = Does(2, change)
    run(tmp_path, monkeypatch, listener, cluster.address)
    assert any("it is tried again" in message for message in listener.messages)
    assert not any("not shared" in message for message in listener.messages)
    assert capacities[0] == 1
    assert capacities[-1] in (2, 3)  # 3 where the study ends before Ray has noticed that the first node is dead


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_node_of_two_is_killed(cluster, tmp_path, monkeypatch):
    cluster.add()
    doomed = cluster.add()
    run(tmp_path, monkeypatch, Does(1, lambda: cluster.kill(doomed)), cluster.address)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(subprocess.run(["unshare", "-rm", "true"]).returncode != 0, reason="needs mount namespaces")
def test_a_node_without_the_drivers_folder(cluster, tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    cluster.add_without(tmp_path / "results", cpus=2)
    deadline = time.monotonic() + 60
    with ray.init(address=cluster.address, log_to_driver=False):
        while len(nodes()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    listener = Silent()
    run(tmp_path, monkeypatch, listener, cluster.address)
    (said,) = [message for message in listener.messages if "not shared" in message]
    assert f"cannot see {tmp_path}/results/tiny" in said
    folder = StudyFolder.of("tiny")
    sizes = {name: result["compact_bytes"] for name, result in results(folder).items()}
    assert {name: folder.run(name).model.stat().st_size for name in sizes} == sizes
    assert folder.frame.exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_every_node_says_and_what_fits_none(cluster, monkeypatch, tmp_path):
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(tmp_path))
    cluster.add()
    cluster.add(env_vars={"HYPERBUDGET_A_SETTING": "/node"})
    said = r"a worker asks for 2 CPUs and 0 GPUs, and none of the cluster's nodes has: they have .*1 CPUs"
    with pytest.raises(UserError, match=said):
        run_study(tiny(tmp_path, "resources.cpus=2"), Options(address=cluster.address), Silent())
    monkeypatch.setenv("HYPERBUDGET_A_SETTING", "/driver")
    connect(cluster.address, 1, 0, None)
    try:
        answers = on_every_node(json.loads, "[1, 2]")
        assert list(answers.values()) == [[1, 2]] * 3
        assert len({node.name for node in answers}) == 3
        assert all(node.here for node in answers)
        assert all(isinstance(answer, ValueError) for answer in on_every_node(json.loads, "x").values())
        # The driver's settings, except where a node has its own.
        assert sorted(on_every_node(os.getenv, "HYPERBUDGET_A_SETTING").values()) == ["/driver", "/driver", "/node"]
    finally:
        ray.shutdown()


@pytest.mark.slow
def test_a_submitted_job_may_set_what_workers_are_given(cluster, monkeypatch):
    """`ray job submit` starts a driver so, here with a runtime environment that has two variables."""
    given = {"PYTHONPATH": "/job", "HYPERBUDGET_DATA_DIR": "/data"}
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", json.dumps({"runtime_env": {"env_vars": given}}))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    connect(cluster.address, 1, 0, None)
    try:
        (path,) = on_every_node(os.getenv, "PYTHONPATH").values()
        assert "/job" in path.split(os.pathsep)
        assert list(on_every_node(os.getenv, "HYPERBUDGET_DATA_DIR").values()) == ["/data"]
    finally:
        ray.shutdown()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:9", "nothing answers at 127.0.0.1, port 9"),
        ("ray://127.0.0.1:9", "nothing answers at 127.0.0.1, port 9"),
        ("[::1]:9", "nothing answers at ::1, port 9"),
        ("head", "is none of local, auto, HOST:PORT"),
        ("ray://", "is none of local, auto, HOST:PORT"),
        ("http://me:s3cret@head:8265", "is none of local, auto, HOST:PORT"),
        ("a b:1", "is none of local, auto, HOST:PORT"),
    ],
)
def test_an_address_where_nothing_is(address, said):
    with pytest.raises(UserError) as caught:
        reach(address)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)
