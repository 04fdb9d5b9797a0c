"""Windows of many runs for GPUs: their tests, ``gpu_packed.py``, by Triton's interpreter, and compiled for a GPU."""

import pytest
import torch

from tests.nn.recurrent.test_gpu_window import HERE, needs_triton, run

pytestmark = pytest.mark.timeout(900)


@needs_triton
@pytest.mark.slow
def test_by_the_interpreter():
    run("-m", "pytest", "-p", "no:cacheprovider", HERE / "gpu_packed.py", TRITON_INTERPRET="1", OMP_NUM_THREADS="1")


@needs_triton
@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu():
    run("-m", "pytest", "-p", "no:cacheprovider", HERE / "gpu_packed.py", "-k", "not compilation", TRITON_INTERPRET="0")


@needs_triton
def test_compilation_for_a_gpu_that_is_not_there(tmp_path):
    run("-m", "pytest", "-p", "no:cacheprovider", HERE / "gpu_packed.py", "-k", "compilation",
        TRITON_CACHE_DIR=str(tmp_path))  # fmt: skip
