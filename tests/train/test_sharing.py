"""What a run of an image network stores of how much its kernels share, which changes no result."""

import json

import numpy as np
import pytest
import torch

from hyperbudget.data.load import load
from hyperbudget.nn.build import build
from hyperbudget.nn.sharing.similarity import compare
from hyperbudget.nn.spec import KERNELS, ConvNet, Free, Hyper, Mlp, ModelSpec, ResNet, Shared, WideResNet
from hyperbudget.train import sharing as module
from hyperbudget.train.images import ImageProblem
from hyperbudget.train.loop import Training
from hyperbudget.train.sharing import PARTS, TILES, evenly, sharing
from hyperbudget.train.spec import RunSpec, TrainingSpec

CPU = torch.device("cpu")
TAG = 5_000
"""Characters of an MLflow tag, one of which holds each list."""


def model_of(network, family, **shape):
    torch.manual_seed(0)
    return build(ModelSpec(network, family), **({"channels": 1, "size": 8, "classes": 10} | shape))


def found_of(network, family, **shape):
    return sharing(model_of(network, family, **shape), family)


def test_the_triangle_is_the_measured_similarity():
    family = Hyper(embedding_size=3, basic_in=8, basic_out=8)
    model = model_of(ResNet(depth=6, width=16), family)
    found = sharing(model, family)
    kernels = [kernel.detach().double().numpy() for kernel in model.source()]
    expected = compare(kernels, family, (8, 8)).found
    triangle = np.zeros((6, 6))
    triangle[np.tril_indices(6, -1)] = found["sharing.cosine"]
    assert triangle[4, 2] == pytest.approx(expected.measured[4, 2], abs=6e-4)
    assert np.abs(triangle - np.tril(np.nan_to_num(expected.measured), -1)).max() < 6e-4
    assert found["sharing.overall"] == pytest.approx(expected.overall, abs=1e-4)
    assert found["sharing.chance"] == pytest.approx(expected.chance, abs=1e-4)
    assert (found["sharing.of"], found["sharing.part"]) == (["kernels"], [1, 2, 3, 4, 5, 6])
    assert found["sharing.tile_most"] == 4
    assert found["sharing.tile_rank"] <= 4
    assert found["sharing.kernel"] == [n for n in range(1, 7) for _ in range(4)]


def test_embeddings_are_where_they_are():
    family = Hyper(embedding_size=2, basic_in=8, basic_out=8)
    model = model_of(ResNet(depth=2, width=16), family)
    with torch.no_grad():
        model.source.embeddings.copy_(
            torch.tensor([[3.0, 0], [-3, 0], [1, 1], [-1, -1], [2, 0], [-2, 0], [0, 1], [0, -1]])
        )
    found = sharing(model, family)
    points = np.array([found["sharing.x"], found["sharing.y"]]).T
    distance = np.linalg.norm(points[0] - points[2]) / np.linalg.norm(points[0] - points[1])
    assert distance == pytest.approx(np.hypot(2, 1) / 6, abs=2e-3)
    assert np.abs(points).max() == pytest.approx(1)
    assert sum(found["sharing.axes"]) == pytest.approx(1, abs=2e-3)


def test_one_number_has_one_axis():
    found = found_of(ResNet(depth=2, width=16), Hyper(embedding_size=1, basic_in=8, basic_out=8))
    assert "sharing.y" not in found
    assert found["sharing.axes"] == [1.0]


def test_tied_kernels_are_the_same_and_free_ones_are_not():
    tied, free = (found_of(ResNet(depth=4, width=16), family) for family in (Shared(), Free()))
    assert set(tied["sharing.cosine"]) == {1.0}
    assert max(free["sharing.cosine"]) < 0.1
    assert tied["sharing.tile_rank"] == pytest.approx(1)
    assert "sharing.x" not in free


@pytest.mark.parametrize("network", [ResNet(depth=2, width=16), ConvNet(16, 5), Mlp(hidden=16, image_size=8)], ids=str)
@pytest.mark.parametrize("name", KERNELS)
def test_every_family_of_every_network(network, name):
    fields = {"hashed": {"buckets": 50}, "hyper": {"basic_in": 1 if isinstance(network, Mlp) else 16}}.get(name, {})
    found = found_of(network, KERNELS[name](**fields))
    assert json.loads(json.dumps(found)) == found
    count = len(found["sharing.part"])
    assert len(found["sharing.cosine"]) == count * (count - 1) // 2
    assert all(0 < rank <= most + 1e-6 for rank, most in zip(found["sharing.rank"], found["sharing.most"], strict=True))


def test_they_are_small():
    found = found_of(WideResNet(40, 2), Hyper(embedding_size=8), channels=3, size=32)
    assert len(found["sharing.part"]) == PARTS
    assert len(found["sharing.x"]) == TILES
    assert len(json.dumps(found)) < 10_000
    assert max(len(json.dumps(value)) for value in found.values()) < TAG


def test_what_cannot_be_measured_is_missing(monkeypatch):
    model = model_of(ResNet(depth=2, width=8), Free())
    with torch.no_grad():
        next(model.source.parameters())[0, 0, 0, 0] = float("nan")
    assert sharing(model, Free()) == {}
    monkeypatch.setattr(module, "LARGEST", 100)
    assert found_of(ResNet(depth=2, width=8), Free()) == {}


@pytest.mark.parametrize(("count", "most", "places"), [(3, 5, [0, 1, 2]), (9, 3, [0, 4, 8]), (100, 2, [0, 99])])
def test_evenly(count, most, places):
    assert evenly(count, most) == places


def test_a_result_has_it_and_the_training_is_left_alone():
    family = Hyper(embedding_size=2)
    spec = RunSpec("digits", ModelSpec(ResNet(depth=2), family), TrainingSpec(steps=4, evaluate_every=2), 0)
    data = load("digits")
    training = Training(spec, data, CPU)
    result = training.run()
    assert result.dynamics == sharing(training.model, family)
    looked, blind = (ImageProblem(spec, data, CPU) for _ in range(2))
    before = torch.random.get_rng_state()
    assert looked.dynamics() == looked.dynamics()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert looked.losses(0)[0].item() == blind.losses(0)[0].item()
