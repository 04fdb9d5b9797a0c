"""Ray clusters of several nodes on this machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

os.environ["RAY_AUTH_MODE"] = "disabled"
SMALL = {"object_store_memory": 100 * 2**20, "include_dashboard": False}


class Cluster:
    """Nodes that come and go. The head has no CPU, so that no run is on it."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **SMALL})
        self.address = self.cluster.address
        self.elsewhere = []

    def add(self, cpus=1, **options):
        return self.cluster.add_node(num_cpus=cpus, **options, object_store_memory=SMALL["object_store_memory"])

    def kill(self, node):
        self.cluster.remove_node(node, allow_graceful=False)

    def add_without(self, folder, cpus=1):
        """A node that has a `folder` of its own under that name, as a machine without a shared disk has."""
        start = [
            sys.executable,
            "-m",
            "ray.scripts.scripts",
            "start",
            f"--address={self.address}",
            f"--num-cpus={cpus}",
        ]
        start += [f"--object-store-memory={SMALL['object_store_memory']}", "--block"]
        script = f'mount -t tmpfs none "{folder}" && exec "$@"'
        command = ["unshare", "-rm", "sh", "-c", script, "sh", *start]
        self.elsewhere.append(subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL))

    def stop(self):
        import psutil

        for process in self.elsewhere:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()
        self.cluster.shutdown()


@pytest.fixture
def cluster():
    started = Cluster()
    yield started
    started.stop()
