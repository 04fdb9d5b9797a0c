"""What names a run."""

import dataclasses

import pytest

from hyperbudget.nn.fields import changed
from hyperbudget.nn.spec import ConvNet, Free, Hyper, ModelSpec, SpecError
from hyperbudget.train import spec as module
from hyperbudget.train.spec import RunSpec, TrainingSpec

RUN = RunSpec("digits", ModelSpec(ConvNet(), Hyper()), TrainingSpec(), seed=0)


def test_the_name_changes_with_whatever_decides_the_result(monkeypatch):
    training = dataclasses.replace(RUN.training, learning_rate=2e-3)
    names = [
        RUN.name("data"),
        RUN.name("other data"),
        dataclasses.replace(RUN, seed=1).name("data"),
        dataclasses.replace(RUN, task="mnist").name("data"),
        dataclasses.replace(RUN, model=ModelSpec(ConvNet(), Free())).name("data"),
        dataclasses.replace(RUN, training=training).name("data"),
    ]
    monkeypatch.setattr(module, "RESULT_VERSION", module.RESULT_VERSION + 1)
    names.append(RUN.name("data"))
    assert len(set(names)) == len(names)


def test_a_field_at_its_default_is_no_part_of_the_name():
    """So that a version which adds a field does not train everything again."""
    said = dataclasses.replace(RUN.training, steps=TrainingSpec().steps)
    assert dataclasses.replace(RUN, training=said).name("data") == RUN.name("data")
    assert changed(dataclasses.replace(TrainingSpec(), steps=7)) == {"steps": 7}
    assert changed(ConvNet()) == {}


def test_seeds_share_their_configuration():
    assert RUN.configuration() == dataclasses.replace(RUN, seed=9).configuration()


def test_fields_round_trip_to_the_same_name():
    assert RunSpec.from_fields(RUN.fields()) == RUN
    assert RunSpec.from_fields(RUN.fields()).name("data") == RUN.name("data")


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"steps": 10, "warmup": 10}, "warmup"), ({"final_learning_rate": 1.0}, "final_learning_rate")],
)
def test_settings_that_contradict_each_other_are_named(fields, field):
    with pytest.raises(SpecError) as caught:
        TrainingSpec(**fields)
    assert caught.value.field == field
