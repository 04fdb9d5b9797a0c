"""Budgets solved: the vectorised closed forms against the scalar ones, and every configuration found."""

import itertools
import random
import time

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hyperbudget.budget import grids
from hyperbudget.budget import solve as solving
from hyperbudget.budget.closed_form import anatomy
from hyperbudget.budget.flops import forward_flops
from hyperbudget.budget.grids import Grid, grid
from hyperbudget.budget.solve import solve
from hyperbudget.budget.vector import NETWORK_FORMS, tabulate
from hyperbudget.budget.vector_families import FAMILY_FORMS
from hyperbudget.nn.build import build
from hyperbudget.nn.cells import Lstm
from hyperbudget.nn.networks import IMAGES
from hyperbudget.nn.spec import (
    CELLS,
    FAMILIES,
    KERNELS,
    NETWORKS,
    ConvNet,
    Free,
    Hyper,
    LanguageModel,
    Mlp,
    ModelSpec,
    ResNet,
    SpecError,
    WideResNet,
)

CIFAR = {"channels": 3, "size": 32, "classes": 10}
DRAWS = {
    "convnet": {"width": [1, 6, 8, 16], "kernel_size": [1, 2, 3, 5, 7]},
    "mlp": {"hidden": [1, 8, 13, 16]},
    "resnet": {"depth": [2, 4, 6, 8, 12], "width": [1, 3, 4, 8, 16], "groups": [1, 2, 3, 4]},
    "wrn": {"depth": [10, 11, 16, 22], "width": [1, 2, 3], "accounting": ["paper", "standard"]},
    "free": {},
    "shared": {"scope": ["shape", "group", "all"]},
    "hyper": {"embedding_size": [1, 4, 7], "generator_hidden": [None, 1, 4, 5], "basic_in": [1, 4, 16, 32],
              "basic_out": [1, 2, 8, 16], "slice_axis": ["in", "out"]},
    "low_rank": {"rank": [1, 2, 8, 32]},
    "dct": {"coefficient_share": [0.001, 0.05, 0.25, 0.5, 1.0]},
    "coordinate": {"coordinate_hidden": [1, 25], "coordinate_layers": [1, 2, 3], "output_layout": ["line", "grid"]},
    "hashed": {"buckets": [1, 50, 1000, 100_000]},
}  # fmt: skip


def test_every_network_and_family_has_a_vectorised_form():
    assert set(NETWORK_FORMS) == set(IMAGES)
    assert set(FAMILY_FORMS) == set(KERNELS)
    assert set(DRAWS) == {*IMAGES, *KERNELS}


@pytest.mark.parametrize("network", IMAGES)
@pytest.mark.parametrize("family", KERNELS)
def test_vectorised_is_scalar(network, family):
    """Which configurations can be, their learnable parameters, generated weights and FLOPs."""
    generator = random.Random(network + family)
    images = {"channels": generator.randint(1, 3), "size": generator.randint(5, 33), "classes": 7}
    draws = {"image_size": [images["size"], 4], "image_channels": [1, 2, 3], **DRAWS[network]}
    networks, families = grid(NETWORKS[network], draws), grid(KERNELS[family], DRAWS[family])
    kept, table = tabulate(networks, **images)
    slots = [slot.column(0, len(kept)) for slot in table.slots]
    own, fits = FAMILY_FORMS[family](families.arrays, slots)
    shape = (len(kept), len(families))
    learnable, fits = np.broadcast_to(table.rest[:, None] + own, shape), np.broadcast_to(fits, shape)

    specs = [_built(networks, i, images) for i in range(len(networks))]
    assert [kept.at(i) for i in range(len(kept))] == [spec for spec in specs if spec is not None]
    for row, column in generator.sample(list(itertools.product(*map(range, shape))), min(300, learnable.size)):
        main = kept.at(row)
        try:
            counts = anatomy(ModelSpec(main, families.at(column)), **images)
        except SpecError:
            assert not fits[row, column]
            continue
        assert fits[row, column]
        assert learnable[row, column] == counts.learnable
        assert table.generated[row] == counts.generated
        assert table.flops[row] == forward_flops(ModelSpec(main, families.at(column)), **images)


def _built(networks: Grid, index: int, images: dict[str, int]):
    try:
        network = networks.at(index)
        network.check(images)
    except SpecError:
        return None
    return network


@pytest.mark.parametrize("size", [8, 13, 32])
@pytest.mark.parametrize(
    "network", [ConvNet(8, 5), Mlp(9), ResNet(6, 4, 3), WideResNet(10, 1), WideResNet(10, 2, "standard")], ids=str
)
def test_flops_are_what_torch_counts(network, size):
    if isinstance(network, Mlp):
        network = Mlp(network.hidden, size, 3)
    spec = ModelSpec(network, Free())
    model = build(spec, channels=3, size=size, classes=10)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, size, size))
    assert forward_flops(spec, channels=3, size=size, classes=10) == counter.get_total_flops()


def test_finds_the_papers_hypernetwork():
    solved = solve(96_602, 0.0, **CIFAR, networks=["wrn"], families=["hyper"])
    assert ModelSpec(WideResNet(40, 1), Hyper(64)) in [found.model for found in solved.solutions]
    assert {found.anatomy.learnable for found in solved.solutions} == {96_602}
    assert solved.found == {"hyper": len(solved.solutions)}


def test_a_network_for_one_size_of_images_follows_them():
    solved = solve(20_000, 0.05, channels=2, size=9, classes=10, networks=["mlp"])
    assert set(solved.found) == set(KERNELS)
    assert min(solved.found.values()) > 0
    assert {(s.model.network.image_size, s.model.network.image_channels) for s in solved.solutions} == {(9, 2)}
    elsewhere = solve(20_000, channels=2, size=9, classes=10, networks=["mlp"], ranges={"image_size": [28]})
    assert (elsewhere.solutions, elsewhere.nearest, elsewhere.searched) == ([], {}, 0)


@pytest.mark.parametrize("chunk", [1, 7, 1 << 18])
def test_finds_exactly_what_brute_force_finds(chunk, monkeypatch):
    monkeypatch.setattr(solving, "CHUNK", chunk)
    ranges = {"depth": [4, 6], "width": [4, 6, 8], "groups": [1, 2], "embedding_size": [1, 4, 8],
              "generator_hidden": [None, 4], "basic_in": [2, 4], "basic_out": [2, 4]}  # fmt: skip
    everything = {}
    for d, w, g, n, h, i, o in itertools.product(*ranges.values()):
        for family in (Free(), Hyper(n, h, i, o)):
            try:
                spec = ModelSpec(ResNet(d, w, g), family)
            except SpecError:
                continue
            everything[spec] = anatomy(spec, **CIFAR).learnable
    solved = solve(2_500, 0.4, **CIFAR, networks=["resnet"], families=["free", "hyper"], ranges=ranges)
    wanted = {spec for spec, count in everything.items() if 1_500 <= count <= 3_500}
    assert len(wanted) > 5
    assert len(solved.solutions) == len(wanted)
    assert {found.model for found in solved.solutions} == wanted
    for family, nearest in solved.nearest.items():
        off = min(abs(count - 2_500) for spec, count in everything.items() if spec.family.name == family)
        assert abs(nearest.anatomy.learnable - 2_500) == off


def test_a_limit_takes_different_networks_first():
    everything = solve(100_000, **CIFAR, networks=["wrn"], families=["hyper"])
    few = solve(100_000, **CIFAR, networks=["wrn"], families=["hyper"], limit=5)
    assert few.found == everything.found
    assert len({found.model.network for found in few.solutions}) == 5
    assert {found.model for found in few.solutions} < {found.model for found in everything.solutions}
    ratios = [found.ratio for found in few.solutions]
    assert ratios == sorted(ratios, reverse=True)


def test_a_family_without_a_vectorised_form_is_counted_one_by_one(monkeypatch):
    arguments = {"networks": ["wrn", "convnet"], "families": ["low_rank"], "ranges": {"rank": [1, 2, 3]}}
    fast = solve(50_000, 0.2, **CIFAR, **arguments)
    monkeypatch.delitem(FAMILY_FORMS, "low_rank")
    slow = solve(50_000, 0.2, **CIFAR, **arguments)
    assert slow == fast
    assert slow.found["low_rank"] > 3
    monkeypatch.setattr(solving, "SCALAR_LIMIT", 50)
    part = solve(50_000, 0.2, **CIFAR, **arguments)
    assert part.thinned == ("low_rank",)
    assert part.searched == 100


def test_nothing_on_the_budget():
    solved = solve(10, **CIFAR, networks=["wrn"])
    assert solved.solutions == []
    assert not any(solved.found.values())
    assert solved.nearest["free"].model == ModelSpec(WideResNet(10, 1), Free())
    nowhere = solve(10, **CIFAR, networks=["wrn"], families=["hyper"], ranges={"basic_in": [3]})
    assert nowhere.nearest == {}


@pytest.mark.parametrize(
    ("ranges", "field"),
    [
        ({"dpth": [1]}, "dpth"),
        ({"depth": []}, "depth"),
        ({"embedding_size": [0]}, "embedding_size"),
        ({"embedding_size": [None]}, "embedding_size"),
        ({"basic_in": ["wide"]}, "basic_in"),
        ({"accounting": ["papers"]}, "accounting"),
        ({"coefficient_share": [0]}, "coefficient_share"),
        ({"coefficient_share": [1.5]}, "coefficient_share"),
    ],
)
def test_a_range_that_cannot_be_is_named(ranges, field):
    with pytest.raises(SpecError) as caught:
        solve(1000, **CIFAR, ranges=ranges)
    assert caught.value.field == field


def test_the_ranges_are_of_fields_that_exist():
    for owner, field in grids.RANGES:
        cls = {**NETWORKS, **FAMILIES}[owner]
        assert field in cls.__dataclass_fields__
        grid(cls, {field: grids.RANGES[owner, field]})


def test_millions_of_configurations_in_seconds():
    """About 10^7 a second on one core; the bound leaves room for a busy machine."""
    ranges = {"embedding_size": range(1, 65), "generator_hidden": range(1, 65)}
    started = time.perf_counter()
    solved = solve(100_000, **CIFAR, networks=["wrn"], families=["hyper"], ranges=ranges, limit=10)
    assert solved.searched > 3_000_000
    assert time.perf_counter() - started < 10


def test_language_models_on_a_budget():
    """Those of a text, by cell; a text has no kernels, and images no cells."""
    ranges = {"hidden_size": [32, 64, 100], "num_layers": [1, 2], "hyper_size": [8, 16], "embedding_size": [2, 4]}
    solved = solve(30_000, 0.3, symbols=50, ranges=ranges)
    assert set(solved.found) == set(CELLS)
    for found in solved.solutions:
        assert anatomy(found.model, symbols=50).learnable == found.anatomy.learnable
        assert abs(found.anatomy.learnable - 30_000) <= 9_000
    wanted = [ModelSpec(LanguageModel(h, n), Lstm()) for h in (32, 64, 100) for n in (1, 2)]
    wanted = [spec for spec in wanted if abs(anatomy(spec, symbols=50).learnable - 30_000) <= 9_000]
    assert {found.model for found in solved.solutions if found.model.family == Lstm()} == set(wanted) != set()
