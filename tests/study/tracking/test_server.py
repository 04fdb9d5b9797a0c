"""A real MLflow server, stopped and started again while a study goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from mlflow import MlflowClient

from hyperbudget.errors import UserError
from hyperbudget.study.tracking.writer import PATIENCE
from tests.study.support import recorded, results, statuses

pytestmark = pytest.mark.slow


class Server:
    """``mlflow server`` on a port of its own, with a database that outlives it."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        serve = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.folder}/server.db", "--artifacts-destination", str(self.folder),
        ]  # fmt: skip
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.process = subprocess.Popen(
            serve, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                    return
            except OSError:
                assert self.process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)

    def kill(self):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


def assert_complete(bench):
    parents, children = recorded(bench.tracking, bench.study.name)
    assert statuses(parents) == {"FINISHED": 4}
    assert statuses(children) == {"FINISHED": 8}
    assert len({run.data.tags["hyperbudget.run"] for run in children}) == 8
    client = MlflowClient(bench.tracking)
    for child in children:
        result = results(bench.folder)[child.data.tags["hyperbudget.run"]]
        assert child.data.metrics["validation_error"] == result["validation_error"]
        assert len(client.get_metric_history(child.info.run_id, "curve.validation_error")) == 2
    assert set(bench.pool.trained.values()) == {1}


def test_a_server_that_is_killed_and_comes_back(bench, server):
    bench = bench()
    bench.tracking = server.uri
    engine = bench.engine()
    wait, behind = bench.pool.wait, []

    def slowly(timeout):
        yield from wait(timeout)
        trained = sum(bench.pool.trained.values())
        if trained == 3 and server.process:
            server.kill()
        if trained == 7 and server.process is None:
            time.sleep(3)
            behind.append(engine.record.behind())
            server.start()

    bench.pool.wait = slowly
    assert engine.run().finished == 8
    engine.record.close()
    assert behind[0] > 1
    assert engine.record.behind() == 0
    assert_complete(bench)


def test_a_server_that_is_gone_for_good(bench, server, monkeypatch):
    bench = bench()
    bench.tracking = server.uri
    monkeypatch.setenv(PATIENCE, "1")
    engine = bench.engine()
    wait = bench.pool.wait

    def slowly(timeout):
        yield from wait(timeout)
        if sum(bench.pool.trained.values()) == 3 and server.process:
            server.kill()
            engine.record._writer._thread.join(60)

    bench.pool.wait = slowly
    with pytest.raises(UserError, match=rf"MLflow's store {server.uri} failed: .*\nnothing is lost"):
        engine.run()
    bench.pool.wait = wait
    server.start()
    assert bench.run().finished == 8
    assert_complete(bench)
