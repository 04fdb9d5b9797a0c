import pytest
import torch

from hyperbudget.train import dynamics


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def short_dynamics(monkeypatch):
    """They take longer than these trainings."""
    monkeypatch.setattr(dynamics, "STEPS", 10)
    monkeypatch.setattr(dynamics, "WARMUP", 2)
