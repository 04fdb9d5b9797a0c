"""The main networks: shapes, the source's place in them, and plain references."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from hyperbudget.nn.build import build
from hyperbudget.nn.networks import IMAGES
from hyperbudget.nn.resnet import shortcut
from hyperbudget.nn.sources import FreeKernels
from hyperbudget.nn.spec import (
    ConvNet,
    Coordinate,
    Free,
    Hyper,
    Mlp,
    ModelSpec,
    ResNet,
    Shared,
    SpecError,
    WideResNet,
)

MODELS = [
    ModelSpec(ConvNet(), Free()),
    ModelSpec(ConvNet(), Hyper()),
    ModelSpec(Mlp(hidden=12), Free()),
    ModelSpec(Mlp(hidden=32), Hyper(basic_in=1)),
    ModelSpec(Mlp(hidden=12), Coordinate(output_layout="grid")),
    ModelSpec(ResNet(depth=4, width=8, groups=2), Free()),
    ModelSpec(ResNet(depth=4, width=8, groups=2), Shared()),
    ModelSpec(ResNet(depth=6, width=8, groups=3), Hyper(2, None, 8, 8)),
    ModelSpec(WideResNet(depth=10, width=1), Hyper(2)),
    ModelSpec(WideResNet(depth=16, width=1, accounting="standard"), Shared()),
    ModelSpec(WideResNet(depth=10, width=2, accounting="standard"), Free()),
]


def make(spec, size=12):
    if isinstance(spec.network, Mlp):
        spec = ModelSpec(dataclasses.replace(spec.network, image_size=size), spec.family)
    torch.manual_seed(0)
    return build(spec, channels=1, size=size, classes=10)


def test_every_network_has_an_example():
    assert {spec.network.name for spec in MODELS} == set(IMAGES)


@pytest.mark.parametrize("spec", MODELS, ids=str)
class TestEveryNetwork:
    @pytest.mark.parametrize("size", [8, 13, 28])
    def test_logits(self, spec, size):
        assert make(spec, size)(torch.rand(5, 1, size, size)).shape == (5, 10)

    def test_uses_every_kernel(self, spec):
        model = make(spec)
        kernels = [kernel.detach().requires_grad_() for kernel in model.source()]
        model.apply_kernels(torch.rand(4, 1, 12, 12), kernels).square().sum().backward()
        assert all(kernel.grad is not None and kernel.grad.abs().sum() > 0 for kernel in kernels)

    def test_baked_gives_the_same_logits(self, spec):
        model, images = make(spec).eval(), torch.rand(4, 1, 12, 12)
        logits = model(images)
        model.source = FreeKernels.bake(model.source)
        assert torch.equal(model(images), logits)

    def test_fields_round_trip(self, spec):
        assert ModelSpec.from_fields(spec.fields()) == spec


def test_convnet_is_the_papers():
    """Convolution, relu, pooling, twice, and a linear layer, written out."""
    model, x = make(ModelSpec(ConvNet(), Free()), 28), torch.rand(3, 1, 28, 28)
    y = F.max_pool2d(F.relu(F.conv2d(x, model.stem.weight, model.stem.bias, padding=3)), 2)
    y = F.max_pool2d(F.relu(F.conv2d(y, model.source()[0], model.biases[0], padding=3)), 2)
    torch.testing.assert_close(model(x), F.linear(y.flatten(1), model.head.weight, model.head.bias))


@pytest.mark.parametrize("channels", [1, 3])
def test_mlp_is_a_convolution_with_a_kernel_as_large_as_the_image(channels):
    """And nothing else: no stem, no norms. Images and kernels may be channels last, as in training."""
    model = build(ModelSpec(Mlp(20, 9, channels), Free()), channels=channels, size=9, classes=10)
    model.biases[0].data.normal_()
    x = torch.rand(3, channels, 9, 9)
    y = F.conv2d(x, model.source()[0], model.biases[0])
    assert y.shape == (3, 20, 1, 1)
    y = F.linear(F.relu(y.flatten(1)), model.head.weight, model.head.bias)
    torch.testing.assert_close(model(x), y)
    last = {"memory_format": torch.channels_last}
    torch.testing.assert_close(model.to(**last)(x.contiguous(**last)), y)
    assert set(model.anatomy()) == {"kernels", "biases", "head"}


@pytest.mark.parametrize(
    ("channels", "size", "message"),
    [
        (1, 8, "image_size: 28 is not the 8 of the images of the data"),
        (3, 28, "image_channels: 1 is not the 3 of the images of the data"),
    ],
)
def test_mlp_is_for_images_of_its_size(channels, size, message):
    with pytest.raises(SpecError) as caught:
        build(ModelSpec(Mlp(), Free()), channels=channels, size=size, classes=10)
    assert str(caught.value) == message


def test_resnet_halves_the_image_and_doubles_the_channels():
    spec = ResNet(depth=12, width=4, groups=3)
    assert spec.widths == [4, 8, 16]
    assert spec.blocks == 2
    assert [(s.in_channels, s.out_channels) for s in spec.kernel_shapes()] == [
        (4, 4), (4, 4), (4, 4), (4, 4), (4, 8), (8, 8), (8, 8), (8, 8), (8, 16), (16, 16), (16, 16), (16, 16),
    ]  # fmt: skip


def test_wide_resnet_is_wrn_d_k():
    spec = WideResNet(depth=40, width=2)
    assert (spec.stem_width, spec.widths, spec.blocks) == (16, [32, 64, 128], 6)
    assert len(spec.kernel_shapes()) == 36
    assert [shape[:2] for shape in spec.kernel_shapes()[::12]] == [(32, 16), (64, 32), (128, 64)]
    assert spec.projections() == []
    assert [shape[:2] for shape in WideResNet(10, 2, "standard").projections()] == [(32, 16), (64, 32), (128, 64)]
    assert [shape[:2] for shape in WideResNet(10, 1, "standard").projections()] == [(32, 16), (64, 32)]


@pytest.mark.parametrize("accounting", ["paper", "standard"])
def test_wide_resnet_written_out(accounting):
    """One block a group: every convolution with its bias, every norm and every shortcut."""
    papers = accounting == "paper"
    model, x = make(ModelSpec(WideResNet(10, 1, accounting), Free())), torch.rand(3, 1, 12, 12)
    for parameter in model.parameters():  # norms and biases that do something
        parameter.data += 0.1 * torch.randn_like(parameter)
    norms, kernels, (one, two) = list(model.norms), model.source(), [None] * 2
    biases = list(model.biases) if papers else [None] * 6
    if not papers:
        one, two = (model.shortcuts[block].weight for block in ("1", "2"))
    y = F.conv2d(x, model.stem.weight, model.stem.bias, padding=1)
    if papers:
        y = F.relu(norms.pop(0)(y))
    for block, (stride, projection) in enumerate([(1, None), (2, one), (2, two)]):
        first, second = 2 * block, 2 * block + 1
        a = F.relu(norms[first](y))
        z = F.conv2d(a, kernels[first], biases[first], stride=stride, padding=1)
        z = F.conv2d(F.relu(norms[second](z)), kernels[second], biases[second], padding=1)
        y = z + (shortcut(y, z.shape[1], stride) if projection is None else F.conv2d(a, projection, stride=stride))
    y = F.linear(F.relu(norms[6](y)).mean((2, 3)), model.head.weight, model.head.bias)
    torch.testing.assert_close(model(x), y)
    assert (model.stem.bias is not None) == papers
    assert hasattr(model, "shortcuts") != papers


def test_shortcut_pads_channels_with_zeros():
    x = torch.rand(2, 3, 5, 5)
    y = shortcut(x, 7, 2)
    assert y.shape == (2, 7, 3, 3)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2])
    assert not y[:, 3:].any()
    assert shortcut(x, 3, 1) is x


def test_leaving_d_out_means_n_z():
    assert Hyper(embedding_size=8) == Hyper(embedding_size=8, generator_hidden=8)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"network": "convnet", "family": "hyper", "width": 24}, "basic_in"),
        ({"network": "convnet", "family": "free", "embedding_size": 4}, "embedding_size"),
        ({"network": "vgg", "family": "free"}, "network"),
        ({"network": "convnet", "family": "fre"}, "family"),
        ({"network": "resnet", "family": "free", "depth": 3}, "depth"),
        ({"network": "convnet", "family": "free", "kernel_size": 4}, "kernel_size"),
        ({"network": "wrn", "family": "free", "depth": 12}, "depth"),
        ({"network": "mlp", "family": "hyper"}, "basic_in"),
        ({"network": "mlp", "family": "free", "width": 8}, "width"),
        ({"network": "wrn", "family": "hyper", "width": 1, "basic_out": 32}, "basic_out"),
    ],
)
def test_what_cannot_be_is_named(fields, field):
    with pytest.raises(SpecError) as caught:
        ModelSpec.from_fields(fields)
    assert caught.value.field == field
