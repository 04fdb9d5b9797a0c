"""Which runs share a pack, and how large packs are."""

import dataclasses

import pytest

from hyperbudget.nn.cells import HyperLstm
from hyperbudget.nn.spec import LanguageModel
from hyperbudget.train.pack.key import FREE, packable
from hyperbudget.train.pack.sizes import size_for
from hyperbudget.train.spec import TrainingSpec
from tests.train.pack.support import run_spec, varied
from tests.train.test_loop import run_spec as image_spec


def test_runs_share_a_pack_that_differ_in_what_is_free():
    assert len({packable(spec) for spec in varied()}) == 1
    assert len({packable(run_spec(seed)) for seed in range(3)}) == 1
    assert hash(packable(run_spec())) is not None


@pytest.mark.parametrize(
    "fields",
    [{"steps": 13}, {"batch_size": 5}, {"length": 11}, {"optimizer": "sgd"}, {"evaluate_every": 5},
     {"evaluation_rows": 2}, {"precision": "bf16"}, {"network": LanguageModel(13)},
     {"network": LanguageModel(12, output_dropout=0.1)}, {"cell": HyperLstm(hyper_size=5, embedding_size=2)}],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_runs_do_not_that_differ_in_anything_else(fields):
    assert packable(run_spec(**fields)) != packable(run_spec())


def test_another_task_is_another_pack():
    assert packable(dataclasses.replace(run_spec(), task="ptb")) != packable(run_spec())


def test_networks_of_images_are_not_packed():
    assert packable(image_spec()) is None


def test_what_is_free_are_settings():
    assert {field.name for field in dataclasses.fields(TrainingSpec)} > FREE


def test_sizes():
    assert [size_for(runs) for runs in range(1, 14)] == [1, 2, 3, 4, 6, 6, 8, 8, 12, 12, 12, 12, 16]
    assert (size_for(32), size_for(33), size_for(100)) == (32, 48, 128)
    assert all(size_for(size_for(runs)) == size_for(runs) >= runs for runs in range(1, 300))
    with pytest.raises(ValueError, match="runs: 0"):
        size_for(0)
