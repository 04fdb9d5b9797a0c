"""The windows for GPUs: their tests, ``gpu_windows.py``, by Triton's interpreter where there is no GPU."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hyperbudget.nn.recurrent.fused import gpu
from hyperbudget.nn.recurrent.fused.gpu import device

HERE = Path(__file__).parent
pytestmark = pytest.mark.timeout(900)
needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="no Triton")


def run(*arguments, **environment):
    """Python in a process of its own; its output if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stdout + done.stderr


@needs_triton
def test_by_the_interpreter():
    run("-m", "pytest", "-p", "no:cacheprovider", HERE / "gpu_windows.py", TRITON_INTERPRET="1", OMP_NUM_THREADS="1")


@needs_triton
@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu():
    run("-m", "pytest", "-p", "no:cacheprovider", HERE / "gpu_windows.py", TRITON_INTERPRET="0")


@needs_triton
def test_compilation_for_a_gpu_that_is_not_there(tmp_path):
    """What the interpreter does not see: types, shapes and layouts that a compiler refuses, and registers."""
    run("-m", "pytest", "-p", "no:cacheprovider", HERE / "gpu_compilation.py", TRITON_CACHE_DIR=str(tmp_path))


def test_triton_is_imported_when_it_is_needed():
    run("-c", "import sys, hyperbudget.nn, hyperbudget.nn.recurrent.fused.gpu; sys.exit('triton' in sys.modules)")


def test_a_device_that_is_none():
    assert not gpu.available(torch.device("cpu"))


@pytest.mark.parametrize("what", ["missing", "failing", "wrong"])
def test_without_a_triton_that_works_there_is_another_way(what, monkeypatch):
    def launcher(*_):
        if what == "missing":
            raise ImportError("no Triton")
        return lambda *_, **__: 1 / 0 if what == "failing" else None

    monkeypatch.setattr(device, "launcher", launcher)
    device.runs.cache_clear()
    assert not device.runs(torch.device("cpu"))
    device.runs.cache_clear()


def test_it_can_be_switched_off(monkeypatch):
    monkeypatch.setattr(device, "runs", lambda _: True)
    assert gpu.available(torch.device("cuda"))
    monkeypatch.setenv("HYPERBUDGET_TRITON", "0")
    assert not gpu.available(torch.device("cuda"))
