"""Random numbers by counter."""

import pytest
import torch

from hyperbudget.nn.spec import SpecError
from hyperbudget.train.streams import BatchOrder, stream


def draw(*key):
    return torch.randint(2**31, (4,), generator=stream(*key)).tolist()


def test_a_stream_depends_on_its_key_alone():
    assert draw(1, "order", 2) == draw(1, "order", 2)
    keys = [(1, "order", 2), (2, "order", 2), (1, "augment", 2), (1, "order", 3)]
    assert len({tuple(draw(*key)) for key in keys}) == 4


def test_an_epoch_visits_every_sample_once_and_epochs_differ():
    order = BatchOrder(samples=20, batch_size=5, seed=0)
    first = torch.cat([order.indices(step) for step in range(4)])
    second = torch.cat([order.indices(step) for step in range(4, 8)])
    assert first.sort().values.tolist() == list(range(20))
    assert second.sort().values.tolist() == list(range(20))
    assert not torch.equal(first, second)


def test_any_step_can_be_asked_for_alone():
    steps = BatchOrder(17, 4, seed=3)
    expected = [steps.indices(step) for step in range(12)]
    for step in (11, 0, 5):
        assert torch.equal(BatchOrder(17, 4, seed=3).indices(step), expected[step])


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(SpecError, match="batch_size: 21 is more than the 20 training samples"):
        BatchOrder(20, 21, seed=0)
