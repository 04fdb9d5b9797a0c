"""The closed form against the paper's numbers and against instantiated networks."""

import random

import pytest

from hyperbudget.budget.closed_form import GROUPS, anatomy
from hyperbudget.budget.paper import ROWS
from hyperbudget.nn.build import build
from hyperbudget.nn.spec import ConvNet, Free, Hyper, ModelSpec, ResNet, Shared

MNIST = {"channels": 1, "size": 28, "classes": 10}


def random_model(generator: random.Random) -> ModelSpec:
    basic = generator.choice([1, 2, 4])
    width = basic * generator.randint(1, 4)
    if generator.random() < 0.5:
        network = ConvNet(width, generator.choice([1, 3, 5, 7]))
    else:
        groups = generator.randint(1, 3)
        network = ResNet(depth=2 * groups * generator.randint(1, 2), width=width, groups=groups)
    hyper = Hyper(
        generator.randint(1, 9), generator.choice([None, 1, 5]), basic, generator.choice([basic, width]),
        generator.choice(["in", "out"]),
    )  # fmt: skip
    return ModelSpec(network, generator.choice([Free(), Shared(), hyper]))


@pytest.mark.parametrize("seed", range(60))
def test_closed_form_is_what_the_network_has(seed):
    generator = random.Random(seed)
    spec = random_model(generator)
    images = {
        "channels": generator.randint(1, 3),
        "size": generator.randint(5, 33),
        "classes": generator.randint(2, 12),
    }
    counts, network = anatomy(spec, **images), build(spec, **images)
    assert {group: count for group, count in counts.groups.items() if count} == network.anatomy()
    assert counts.learnable == sum(parameter.numel() for parameter in network.parameters())
    assert counts.generated == sum(kernel.numel() for kernel in network.source())
    assert counts.free == anatomy(ModelSpec(spec.network, Free()), **images).learnable


def test_groups_are_all_there_and_add_up():
    counts = anatomy(ModelSpec(ResNet(), Hyper()), **MNIST)
    assert tuple(counts.groups) == GROUPS
    metrics = counts.metrics()
    assert sum(metrics[f"params.{group}"] for group in GROUPS) == metrics["params.learnable"]
    assert counts.compression == counts.free / counts.learnable


@pytest.mark.parametrize(
    ("family", "source", "learnable"),
    [(Free(), 12_544, 21_210), (Hyper(embedding_size=4), 4_244, 12_910), (Hyper(embedding_size=1), 1_601, 10_267)],
)
def test_the_papers_mnist_net(family, source, learnable):
    """Section 4.1: 12,544 against 4,240 + 4; the rest of the network is the same."""
    counts = anatomy(ModelSpec(ConvNet(), family), **MNIST)
    assert counts.source == source
    assert counts.learnable == learnable
    assert counts.generated == 12_544


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.row)
def test_printed_counts_are_reproduced(row):
    fields = {name.removeprefix("model."): value for name, value in row.fields.items() if name.startswith("model.")}
    counts = anatomy(ModelSpec.from_fields(fields), **MNIST).metrics()
    assert counts[row.counts] == row.count
