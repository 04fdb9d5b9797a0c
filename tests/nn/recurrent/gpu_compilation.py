"""The kernels of `fused.gpu`, compiled for a GPU that need not be there, and never launched.

``test_gpu_window.py`` runs this file in a process of its own, since Triton is told of a device that is none.
"""

import re
import subprocess
from pathlib import Path

import pytest
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from hyperbudget.nn.recurrent.fused.gpu import HyperWindow, LstmWindow, device, hyper_window, lstm_window, scaling
from hyperbudget.nn.recurrent.fused.gpu.scaling import FEW
from hyperbudget.nn.recurrent.fused.tape import Replay, Tape
from tests.nn.recurrent import gpu_windows
from tests.nn.recurrent.gpu_windows import hyper_inputs, lstm_inputs, options

TOOL = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"


class NoDevice:
    """As much of a driver as the compiler asks."""

    def get_current_device(self):
        return 0

    def get_current_stream(self, device=0):
        return 0

    def get_current_target(self):
        return GPUTarget("cuda", 90, 32)


@pytest.fixture
def compiled(monkeypatch):
    """All kernels that windows launch, by name and by what they are compiled for."""
    found = {}

    def launcher(name, like, *grid):
        def launch(*arguments, **named):
            kernel = getattr(device.kernels(), name).warmup(*arguments, grid=grid, enable_fp_fusion=True, **named)
            found[name, kernel.hash] = kernel

        return launch

    driver.set_active(NoDevice())
    monkeypatch.setattr(gpu_windows, "DEVICE", "cpu")  # tensors are needed for their types and addresses
    for module in (hyper_window, lstm_window, scaling):
        monkeypatch.setattr(module, "launcher", launcher)
    return found


def passes(window, inputs, chosen):
    tape = Tape(len(inputs.main))
    outputs, *last = window(inputs, tape, chosen).forward()
    replay = Replay(len(inputs.main), tape.tensors)
    window(inputs, replay, chosen).backward(outputs, outputs, last)


def resources(kernel, tmp_path):
    """Registers of a thread, and bytes that did not fit into them."""
    file = tmp_path / "kernel.cubin"
    file.write_bytes(kernel.asm["cubin"])
    told = subprocess.run([TOOL, "--dump-resource-usage", file], capture_output=True, text=True, check=True).stdout
    numbers = dict(re.findall(r"(REG|STACK|LOCAL):(\d+)", told))
    return int(numbers["REG"]), int(numbers["STACK"]) + int(numbers["LOCAL"])


PENN_TREEBANK = {"size": 1000, "hyper": 128, "numbers": 5, "batch": 4, "dtype": torch.float32}


@pytest.mark.parametrize(("norms", "products"), [(False, torch.float32), (True, torch.bfloat16)], ids=str)
def test_the_size_of_penn_treebank(norms, products, compiled, tmp_path):
    """One kernel of each name for all steps; numbers are read by fours, and all fit into registers."""
    inputs = hyper_inputs(norms, 1, **PENN_TREEBANK)
    passes(HyperWindow, inputs, options(inputs, products=products))
    assert sorted(name for name, _ in compiled) == [
        "plain_backward", "plain_forward", "scaled_backward", "scaled_forward", "scaling_gradient",
    ]  # fmt: skip
    for kernel in compiled.values():
        registers, spilled = resources(kernel, tmp_path)
        assert registers * 32 * kernel.metadata.num_warps <= 65536
        assert not spilled
        assert "ld.global.v4" in re.sub(r"\.(L1|L2|nc)[^. ]*(::\w+)?", "", kernel.asm["ptx"])


def test_other_sizes(compiled, tmp_path):
    """Long rows, many numbers, and sizes that nothing divides."""
    for sizes in ({"size": 2048, "hyper": 512, "numbers": 65, "batch": 2}, {"size": 7, "hyper": 5, "numbers": FEW}):
        inputs = hyper_inputs(True, 2, **sizes, dtype=torch.float32)
        passes(HyperWindow, inputs, options(inputs, False))
    inputs = lstm_inputs(True, True, size=1000, dtype=torch.float32)
    passes(LstmWindow, inputs, options(inputs))
    assert not any(resources(kernel, tmp_path)[1] for kernel in compiled.values())


def test_float64(compiled):
    inputs = lstm_inputs(True, True, dtype=torch.float64)
    passes(LstmWindow, inputs, options(inputs))
    assert compiled
