"""A small text, runs on it, and what float64 throughout needs."""

import dataclasses

import torch

from hyperbudget.data.tasks import TextTask
from hyperbudget.data.text import text_data
from hyperbudget.data.text_splits import Texts
from hyperbudget.nn.cells import CELLS, HyperLstm
from hyperbudget.nn.spec import LanguageModel, ModelSpec
from hyperbudget.train import text
from hyperbudget.train.loop import Training
from hyperbudget.train.pack import training
from hyperbudget.train.pack.training import PackedTraining
from hyperbudget.train.spec import RunSpec, TrainingSpec

CPU = torch.device("cpu")
SETTINGS = TrainingSpec(
    steps=12, batch_size=4, length=10, learning_rate=1e-2, evaluate_every=4, evaluation_rows=3, clip_norm=1.0
)
VARIED = (
    {"learning_rate": 5e-3, "clip_norm": 1.0},
    {"learning_rate": 1e-2, "clip_norm": None, "schedule": "constant", "momentum": 0.0},
    {"learning_rate": 2e-3, "clip_norm": 0.1, "schedule": "step", "warmup": 3, "final_learning_rate": 1e-3},
)
"""Settings in which the runs of a pack differ."""


def letters(count, seed):
    drawn = torch.randint(97, 103, (count,), generator=torch.Generator().manual_seed(seed))
    return drawn.to(torch.uint8).numpy().tobytes()


DATA = text_data(TextTask("text:/letters"), Texts(letters(500, 0), letters(100, 1), letters(100, 2)))
"""An epoch has 12 steps."""


def small(name):
    return CELLS[name](hyper_size=4, embedding_size=2) if "hyper" in name else CELLS[name]()


def with_dropout(name, **fields):
    return LanguageModel(
        12, input_dropout=0.1, output_dropout=0.2, recurrent_dropout=0.2 * ("rnn" not in name), **fields
    )


def run_spec(seed=0, cell=None, network=None, **settings):
    model = ModelSpec(network or LanguageModel(12), cell or HyperLstm(hyper_size=4, embedding_size=2))
    return RunSpec("text:/letters", model, dataclasses.replace(SETTINGS, **settings), seed)


def varied(count=3, **fields):
    return [run_spec(seed, **{**fields, **VARIED[seed % 3]}) for seed in range(count)]


def trained(specs, **options):
    pack = PackedTraining(specs, DATA, CPU, **options)
    return pack, pack.run()


def alone(spec, **options):
    training = Training(spec, DATA, CPU, **options)
    return training, training.run()


def in_float64(monkeypatch):
    """Models, and the losses that both kinds of training cast to float32 otherwise."""
    own = text.initial_language_model
    for module in (text, training):
        monkeypatch.setattr(module, "initial_language_model", lambda *args: own(*args).double())
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self)
