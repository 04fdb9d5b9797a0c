"""The rows of a pack are updated as torch's own optimizers update each run's parameters."""

import dataclasses

import pytest
import torch
from torch import nn

from hyperbudget.train.loop import build_optimizer
from hyperbudget.train.pack.layout import ALIGNED, Layout
from hyperbudget.train.pack.optimizer import OPTIMIZERS, first_state
from hyperbudget.train.schedule import learning_rate
from tests.train.pack.support import SETTINGS, VARIED

STEPS = 8


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_is_torchs_own(optimizer):
    """In float64, with gradients of very different norms; the rates fall, and the runs differ in all that is free."""
    generator = torch.Generator().manual_seed(0)
    settings = [dataclasses.replace(SETTINGS, optimizer=optimizer, **fields) for fields in VARIED]
    rows = torch.randn(3, 10, generator=generator, dtype=torch.float64)
    gradients = torch.randn(STEPS, 3, 10, generator=generator, dtype=torch.float64)
    gradients *= torch.logspace(-6, 2, STEPS, dtype=torch.float64)[:, None, None]
    expected = rows.clone()
    for row, spec, own in zip(expected, settings, gradients.unbind(1), strict=True):
        parameters = nn.ParameterList([row[:4].clone(), row[4:].clone()])
        reference = build_optimizer(parameters, spec)
        for step, gradient in enumerate(own):
            for group in reference.param_groups:
                group["lr"] = learning_rate(spec, step)
            parameters[0].grad, parameters[1].grad = gradient[:4].clone(), gradient[4:].clone()
            if spec.clip_norm is not None:
                nn.utils.clip_grad_norm_(parameters.parameters(), spec.clip_norm)
            reference.step()
        row[:4], row[4:] = (parameter.detach() for parameter in parameters)

    packed = OPTIMIZERS[optimizer](settings, first_state(optimizer, rows))
    for step, gradient in enumerate(gradients):
        numbers = [packed.coefficients(step, learning_rate(spec, step)) for spec in settings]
        packed.descend(rows, gradient, torch.tensor(numbers, dtype=torch.float64).T)
    torch.testing.assert_close(rows, expected, rtol=1e-12, atol=1e-14)


def test_where_nobody_clips_nothing_is_measured():
    spec = dataclasses.replace(SETTINGS, clip_norm=None)
    assert OPTIMIZERS["sgd"]([spec], torch.zeros(1, 1, 4)).clip_norm is None


def test_a_row_holds_all_parameters_and_gives_them_back():
    model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    layout = Layout(model)
    row = layout.row(model.state_dict())
    rows = torch.stack([row, 2 * row])
    assert rows.shape == (2, layout.width)
    assert layout.width % ALIGNED == 0
    assert row.count_nonzero() == sum(parameter.numel() for parameter in model.parameters())
    for name, parameter in model.named_parameters():
        both = layout.tensors(rows)[name]
        assert torch.equal(both[0], parameter)
        assert torch.equal(both[1], 2 * parameter)
        assert both.storage_offset() % ALIGNED == 0
        assert both.data_ptr() >= rows.data_ptr()  # a view: what is written there is in the row
        assert both.untyped_storage().data_ptr() == rows.untyped_storage().data_ptr()


def test_a_network_with_buffers_is_refused():
    with pytest.raises(ValueError, match="running_mean"):
        Layout(nn.BatchNorm1d(3))
