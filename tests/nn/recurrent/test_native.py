"""The windows in C++: how they come to be compiled, and their products in bfloat16."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from hyperbudget.nn.cells import HyperLstm, LnHyperLstm, LnLstm, Lstm
from hyperbudget.nn.recurrent import fused
from hyperbudget.nn.recurrent.fused import native
from hyperbudget.nn.recurrent.fused.native import build
from hyperbudget.nn.recurrent.fused.native.product import add_gradient
from tests.nn.recurrent.examples import network

USED = """
import torch
from hyperbudget.nn.recurrent import fused
path = fused.path_for(torch.device("cpu"), torch.float32, torch.float32)
print({fused.NATIVE: "native", fused.PYTORCH: "pytorch"}[path])
"""


def used(**environment):
    """By which path a new process computes, and that it says nothing besides."""
    variables = {**os.environ, "HYPERBUDGET_PLAIN": "", "HYPERBUDGET_NATIVE": "", **environment}
    done = subprocess.run([sys.executable, "-c", USED], check=True, capture_output=True, text=True, env=variables)
    assert not done.stderr
    return done.stdout.strip()


def wrapper(path, body):
    path.write_text(f'#!/bin/sh\ncase "$*" in *-dM*) ;; *) {body} ;; esac\nexec {build.compiler()} "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def cache(tmp_path):
    """Where compiled files lie; empty."""
    return tmp_path / "hyperbudget" / "native"


@pytest.mark.skipif(build.compiler() is None, reason="needs a C++ compiler")
class TestBuild:
    def test_it_is_compiled_once(self, cache, tmp_path):
        calls = tmp_path / "calls"
        compiler = wrapper(tmp_path / "compiler", f"echo >> {calls}")
        for _ in range(2):
            assert used(CXX=compiler, XDG_CACHE_HOME=str(tmp_path)) == "native"
        assert calls.read_text() == "\n"
        assert len(list(cache.iterdir())) == 1

    def test_a_compiler_that_fails_is_passed_over(self, cache, tmp_path):
        compiler = wrapper(tmp_path / "compiler", "echo no >&2; exit 1")
        assert used(CXX=compiler, XDG_CACHE_HOME=str(tmp_path)) == "pytorch"
        assert not list(cache.iterdir())

    def test_one_that_was_killed_is_in_nobodys_way(self, cache, tmp_path):
        compiler = wrapper(tmp_path / "compiler", "sleep 60")
        environment = {**os.environ, "HYPERBUDGET_NATIVE": "", "CXX": compiler, "XDG_CACHE_HOME": str(tmp_path)}
        process = subprocess.Popen([sys.executable, "-c", USED], env=environment, start_new_session=True)
        while not (cache.exists() and list(cache.iterdir())):
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert used(XDG_CACHE_HOME=str(tmp_path)) == "native"

    def test_what_cannot_be_loaded_is_passed_over(self, cache, tmp_path):
        assert used(XDG_CACHE_HOME=str(tmp_path)) == "native"
        (path,) = cache.iterdir()
        path.write_bytes(b"no library")
        assert used(XDG_CACHE_HOME=str(tmp_path)) == "pytorch"

    def test_a_folder_that_cannot_be_made_is_passed_over(self, tmp_path):
        (tmp_path / "hyperbudget").write_text("a file")
        assert used(XDG_CACHE_HOME=str(tmp_path)) == "pytorch"

    def test_it_can_be_turned_off(self):
        assert used(HYPERBUDGET_NATIVE="0") == "pytorch"
        assert used(HYPERBUDGET_NATIVE="1") == "native"


def test_without_a_compiler_it_is_passed_over(tmp_path):
    assert used(PATH=str(tmp_path), CXX="") == "pytorch"


def test_the_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "a-compiler")
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in ("a-compiler", "g++") else None)
    assert build.compiler() == "/bin/a-compiler"
    monkeypatch.delenv("CXX")
    assert build.compiler() == "/bin/g++"


needs_it = pytest.mark.skipif(not native.available(), reason="needs a C++ compiler, and not HYPERBUDGET_NATIVE=0")


@needs_it
def test_few_steps_are_for_another():
    """A weight is packed for many products. In mixed precision there is no other."""
    cpu = torch.device("cpu")
    for dtype in (torch.float32, torch.float64):
        paths = [fused.path_for(cpu, dtype, dtype, steps) for steps in (1, 3, 4)]
        assert paths == [fused.PYTORCH, fused.PYTORCH, fused.NATIVE]
    if native.mixes(torch.float32, torch.bfloat16):
        assert fused.path_for(cpu, torch.float32, torch.bfloat16, 1) is fused.NATIVE


@needs_it
@pytest.mark.parametrize(("batch", "size", "hyper_size"), [(1, 33, 17), (65, 15, 31), (3, 259, 65), (70, 130, 1)])
def test_products_of_all_sizes(batch, size, hyper_size):
    """More and fewer rows, inputs and outputs than a product takes at once: the loop's numbers and gradients."""
    torch.manual_seed(0)
    layer = network(HyperLstm(hyper_size, 3), 6, size, layers=1).double()
    x, weights = torch.randint(6, (5, batch)), torch.randn(5, batch, size, dtype=torch.float64)
    results = []
    for plain in (True, False):
        with fused.plain_loops(plain), fused.by(fused.NATIVE):
            outputs, _ = layer(x)
        results.append([outputs, *torch.autograd.grad((outputs * weights).sum(), list(layer.parameters()))])
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


@needs_it
@pytest.mark.parametrize(("steps", "outputs", "inputs"), [(1, 1, 1), (9, 65, 33), (40, 300, 70)])
def test_gradients_of_weights(steps, outputs, inputs):
    grad, x, total = (torch.randn(*shape) for shape in ((steps, 7, outputs), (steps, 7, inputs), (outputs, inputs)))
    expected = total.double() + torch.einsum("tbo,tbi->oi", grad.double(), x.double())
    add_gradient(total, grad, x)
    torch.testing.assert_close(total.double(), expected, rtol=1e-5, atol=1e-4)


@needs_it
def test_the_number_of_threads_changes_no_bit():
    torch.manual_seed(0)
    layer, x = network(Lstm(), 6, 150, layers=1), torch.randint(6, (5, 64))
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            with fused.plain_loops(False), fused.by(fused.NATIVE):
                outputs, _ = layer(x)
            results.append([outputs, *torch.autograd.grad(outputs.square().sum(), list(layer.parameters()))])
    finally:
        torch.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


SPECS = [Lstm(), LnLstm(), HyperLstm(16, 4, z_initialisation="normal"), LnHyperLstm(16, 4, z_initialisation="normal")]


@pytest.mark.skipif(not native.mixes(torch.float32, torch.bfloat16), reason="needs a processor with bfloat16")
@needs_it
@pytest.mark.parametrize("size", [48, 45])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_products_in_bfloat16(spec, size):
    """Two layers, ids and numbers: near float32, nowhere further from it than the loop under autocast is, by half."""
    torch.manual_seed(0)
    built = network(spec, 20, size, recurrent_dropout=0.2)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter *= 0.5
    x, results = torch.randint(20, (12, 8)), {}
    for how, plain, mixed in (("exact", False, False), ("loop", True, True), ("native", False, True)):
        with fused.plain_loops(plain), torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            outputs, state = built(x, generator=torch.Generator().manual_seed(1))
        gradients = torch.autograd.grad(outputs.float().square().mean(), list(built.parameters()))
        results[how] = [outputs.float(), *(t.float() for layer in state for t in layer), *gradients]
    exact, loop, found = results.values()
    distances = [
        tuple(float(((value - e).norm() / e.norm()).detach()) for value in (a, b))
        for e, a, b in zip(exact, loop, found, strict=True)
    ]
    worst_of_loop, worst = (max(column) for column in zip(*distances, strict=True))
    assert 1e-4 < worst < 3e-2
    assert worst < 1.5 * worst_of_loop
