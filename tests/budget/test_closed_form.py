"""The closed form against the paper's numbers and against instantiated networks."""

import random

import pytest

from hyperbudget.budget.closed_form import GROUPS, anatomy
from hyperbudget.budget.paper import ROWS
from hyperbudget.data.load import shape
from hyperbudget.nn.build import build
from hyperbudget.nn.spec import (
    NETWORKS,
    ConvNet,
    Coordinate,
    Dct,
    Family,
    Free,
    Hashed,
    Hyper,
    LowRank,
    Mlp,
    ModelSpec,
    ResNet,
    Shared,
    SpecError,
    WideResNet,
)

MNIST = {"channels": 1, "size": 28, "classes": 10}


CIFAR = {"channels": 3, "size": 32, "classes": 10}


def random_model(generator: random.Random, channels: int, size: int) -> ModelSpec:
    basic = generator.choice([1, 2, 4])
    width = basic * generator.randint(1, 4)
    kind = generator.choice(list(NETWORKS))
    if kind == "convnet":
        network = ConvNet(width, generator.choice([1, 3, 5, 7]))
    elif kind == "mlp":
        network, basic = Mlp(width, size, channels), 1
    elif kind == "resnet":
        groups = generator.randint(1, 3)
        network = ResNet(depth=2 * groups * generator.randint(1, 2), width=width, groups=groups)
    else:
        width = 16
        network = WideResNet(
            generator.choice([10, 16]), generator.randint(1, 2), generator.choice(["paper", "standard"])
        )
    return ModelSpec(network, random_family(generator, basic, width))


def random_family(generator: random.Random, basic: int, width: int) -> Family:
    hyper = Hyper(
        generator.randint(1, 9), generator.choice([None, 1, 5]), basic, generator.choice([basic, width]),
        generator.choice(["in", "out"]),
    )  # fmt: skip
    return generator.choice(
        [
            Free(),
            Shared(generator.choice(["shape", "group", "all"])),
            hyper,
            LowRank(generator.randint(1, basic)),
            Dct(generator.choice([0.01, 0.13, 0.5, 1.0])),
            Coordinate(
                generator.randint(1, 9), generator.randint(1, 3), output_layout=generator.choice(["line", "grid"])
            ),
            Hashed(generator.randint(1, basic**2)),
        ]
    )


@pytest.mark.parametrize("seed", range(160))
def test_closed_form_is_what_the_network_has(seed):
    generator = random.Random(seed)
    images = {
        "channels": generator.randint(1, 3),
        "size": generator.randint(5, 33),
        "classes": generator.randint(2, 12),
    }
    spec = random_model(generator, images["channels"], images["size"])
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


@pytest.mark.parametrize(
    ("family", "generator", "learnable"), [(Free(), 0, 203_530), (Coordinate(output_layout="grid"), 801, 3_627)]
)
def test_the_papers_fully_connected_net(family, generator, learnable):
    """Appendix A.1: 784 x 256 = 200,704 weights, or 801 parameters that draw them; 256 biases and a head besides."""
    counts = anatomy(ModelSpec(Mlp(), family), **MNIST)
    assert counts.generated == 200_704
    assert counts.learnable == learnable
    assert {group: count for group, count in counts.groups.items() if count and group != "kernels"} == {
        **({"generator": generator} if generator else {}),
        "biases": 256,
        "head": 2_570,
    }


def test_images_of_another_size_are_refused():
    with pytest.raises(SpecError, match="image_size: 28 is not the 32 of the images"):
        anatomy(ModelSpec(Mlp(), Free()), **CIFAR)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.row)
def test_printed_counts_are_reproduced(row):
    """Rounded half-up at the printed precision."""
    fields = {name.removeprefix("model."): value for name, value in row.fields.items() if name.startswith("model.")}
    spec = ModelSpec.from_fields(fields)
    ours = anatomy(spec, **shape(row.fields["task"])).metrics()[row.counts]
    assert row.agrees(ours)
    assert (row.show(ours) == row.printed) == (row.exact is None)
    assert not row.agrees(ours + row.precision)


def test_table_2_as_printed():
    rows = [row for row in ROWS if row.slug == "paper/table-2"]
    assert [(row.printed, row.error) for row in rows] == [
        ("0.563M", 0.0673), ("2.236M", 0.0566), ("0.097M", 0.0802), ("0.148M", 0.0723),
    ]  # fmt: skip
    assert all(set(row.fields) - {"task"} <= {f"model.{name}" for name in fields_of(row)} for row in rows)


def test_appendix_a1_as_printed():
    rows = [row for row in ROWS if row.slug == "paper/appendix-a1"]
    assert [(row.printed, row.error) for row in rows] == [("200,704", 0.015), ("801", 0.065)]


def fields_of(row):
    fields = {name.removeprefix("model."): value for name, value in row.fields.items() if name.startswith("model.")}
    return ModelSpec.from_fields(fields).fields()


@pytest.mark.parametrize(
    ("width", "family", "accounting", "learnable"),
    [
        (1, Free(), "paper", 562_762),
        (1, Hyper(64), "paper", 96_602),
        (2, Free(), "paper", 2_235_530),
        (2, Hyper(64), "paper", 147_610),
        (1, Free(), "standard", 563_930),
        (1, Hyper(64), "standard", 97_770),
        (2, Free(), "standard", 2_243_546),
        (2, Hyper(64), "standard", 155_626),
    ],
)
def test_wide_resnets_exactly(width, family, accounting, learnable):
    assert anatomy(ModelSpec(WideResNet(40, width, accounting), family), **CIFAR).learnable == learnable


def test_rounding_is_half_up():
    row = next(row for row in ROWS if row.count == 563_000)
    assert row.agrees(562_500)
    assert row.agrees(563_499)
    assert not row.agrees(562_499)
    assert not row.agrees(563_500)
