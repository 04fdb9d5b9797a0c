"""Each kernel family against its formula, written out weight by weight in float64."""

import itertools
import math
import subprocess
import sys

import numpy
import pytest
import scipy.fft
import torch

from hyperbudget.nn.sources import CoordinateNetwork, build_source
from hyperbudget.nn.sources.dct import simplex
from hyperbudget.nn.sources.hashed import SIGN_KEY, mix
from hyperbudget.nn.spec import (
    Coordinate,
    Dct,
    Hashed,
    KernelShape,
    LowRank,
    ResNet,
    Shared,
    SpecError,
)

SHAPES = [
    KernelShape(4, 3, 3, 3), KernelShape(4, 4, 3, 3), KernelShape(8, 4, 1, 1), KernelShape(4, 3, 3, 3),
    KernelShape(8, 4, 5, 3), KernelShape(8, 8, 3, 3), KernelShape(4, 4, 3, 3),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _float64():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(5)
    yield
    torch.set_default_dtype(torch.float32)


def places(shape: KernelShape):
    return itertools.product(*map(range, shape))


def agree(kernel: torch.Tensor, reference: numpy.ndarray | torch.Tensor) -> None:
    torch.testing.assert_close(kernel.detach(), torch.as_tensor(reference), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_low_rank_is_a_sum_of_outer_products(rank):
    source = build_source(LowRank(rank), SHAPES)
    seen = dict.fromkeys(SHAPES, 0)
    for kernel, shape in zip(source(), SHAPES, strict=True):
        entry, row = list(seen).index(shape), seen[shape]
        seen[shape] += 1
        left, right = source.left[entry].detach().numpy()[row], source.right[entry].detach().numpy()[row]
        agree(kernel, sum(numpy.outer(left[:, k], right[k]) for k in range(rank)).reshape(shape))
        assert torch.linalg.matrix_rank(kernel.detach().flatten(1)) == rank


@pytest.mark.parametrize("share", [0.001, 0.07, 0.5, 1.0])
def test_dct_is_scipys(share):
    family = Dct(share)
    source = build_source(family, SHAPES)
    seen = dict.fromkeys(SHAPES, 0)
    for kernel, shape in zip(source(), SHAPES, strict=True):
        entry, row = list(seen).index(shape), seen[shape]
        seen[shape] += 1
        learnt = source.coefficients[entry].detach()[row]
        assert len(learnt) == family.kept(shape) == max(1, round(share * shape.weights))
        every = numpy.zeros(shape)
        for frequency, value in zip(sorted(places(shape), key=lambda index: (sum(index), index)), learnt, strict=False):
            every[frequency] = value
        agree(kernel, math.sqrt(shape.weights / len(learnt)) * scipy.fft.idctn(every, norm="ortho"))
        assert kernel.square().mean().item() == pytest.approx(learnt.square().mean().item())


def test_lowest_frequencies_come_first():
    shape = KernelShape(16, 16, 3, 3)
    frequencies = simplex(shape, 200)
    assert frequencies[0].tolist() == [0, 0, 0, 0]
    assert sorted(frequencies[1:5].tolist(), reverse=True) == torch.eye(4, dtype=int).tolist()
    others = {tuple(index) for index in simplex(shape, shape.weights)[200:].tolist()}
    assert frequencies.sum(1).max() <= min(sum(index) for index in others)
    assert len(others) == shape.weights - 200


@pytest.mark.parametrize("activation", ["relu", "tanh", "sin"])
@pytest.mark.parametrize("layout", ["line", "grid"])
@pytest.mark.parametrize(
    "shapes",
    [SHAPES, [KernelShape(6, 5, 3, 3)], [KernelShape(7, 5, 1, 1)] * 2, [KernelShape(12, 1, 5, 5)]],
    ids=["7", "1", "2", "mlp"],
)
def test_coordinate_is_a_small_network_at_every_weight(activation, layout, shapes):
    source = build_source(Coordinate(5, 2, activation, layout), shapes)
    rows = {shape: 1 if layout == "line" else {4: 2, 6: 2, 7: 1, 8: 2, 12: 3}[shape.out_channels] for shape in shapes}
    before = [kernel.detach().numpy() for kernel in source()]
    function = {"relu": lambda x: numpy.maximum(x, 0), "tanh": numpy.tanh, "sin": lambda x: numpy.sin(30 * x)}
    layers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in source.generator]
    for layer, (kernel, shape) in enumerate(zip(before, shapes, strict=True)):
        values = numpy.zeros(shape)
        for o, i, r, c in places(shape):
            columns = shape.out_channels // rows[shape]
            x = [(2 * (o % columns) + 1) / columns - 1]
            x = [(2 * (o // columns) + 1) / rows[shape] - 1, *x] if max(rows.values()) > 1 else x
            x = [(2 * layer + 1) / len(shapes) - 1, *x] if len(shapes) > 1 else x
            x += [(2 * i + 1) / shape.in_channels - 1] if shapes[0].in_channels > 1 else []
            if shapes[0].height > 1:
                x += [(2 * r + 1) / shape.height - 1, (2 * c + 1) / shape.width - 1]
            for weight, bias in layers[:-1]:
                x = function[activation](weight @ x + bias)
            values[o, i, r, c] = (layers[-1][0] @ x + layers[-1][1]).item()
        deviation = math.sqrt(2 / shape.fan_in)
        agree(torch.as_tensor(kernel), (values - values.mean()) / values.std() * deviation)


def test_coordinate_constants_stay_when_the_network_learns():
    source = build_source(Coordinate(5), SHAPES)
    first = [kernel.detach() for kernel in source()]
    with torch.no_grad():
        source.generator[-1].weight *= 3
        source.generator[-1].bias.zero_()
    centred = [kernel.detach() - kernel.detach().mean() for kernel in source()]
    for kernel, other in zip(first, centred, strict=True):
        agree(other, 3 * kernel)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sin"])
@pytest.mark.parametrize("size", [(1, 1), (4, 1), (25, 2), (64, 4)])
def test_coordinate_kernels_have_exactly_their_he_deviation(activation, size):
    for _ in range(10):
        for kernel, shape in zip(build_source(Coordinate(*size, activation), SHAPES)(), SHAPES, strict=True):
            if kernel.std() > 0:  # a relu network this narrow may be constant
                assert kernel.mean().item() == pytest.approx(0, abs=1e-9)
                assert kernel.std(correction=0).item() == pytest.approx(math.sqrt(2 / shape.fan_in))
            else:
                assert size[0] <= 4


def test_a_kernel_of_one_weight_is_finite():
    (kernel,) = build_source(Coordinate(), [KernelShape(1, 1, 1, 1)])()
    assert kernel.item() == 0


@pytest.mark.parametrize(
    ("family", "shape"),
    [(Coordinate(output_layout="grid"), KernelShape(256, 1, 28, 28)), (Coordinate(), KernelShape(16, 16, 7, 7))],
)
def test_coordinate_network_of_appendix_a1(family, shape):
    """4-25-25-1: 801 parameters; so has the one for the 7 x 7 x 16 x 16 kernel of the MNIST net of section 4.1."""
    assert sum(p.numel() for p in CoordinateNetwork(4, 25, 2, "relu").parameters()) == 801
    assert family.widths([shape]) == [4, 25, 25, 1]
    assert sum(p.numel() for p in build_source(family, [shape]).parameters()) == 801


def test_units_of_appendix_a1_stand_on_a_grid_of_16_x_16():
    """Row and column of the hidden unit, row and column of the pixel, in this order."""
    source = build_source(Coordinate(output_layout="grid"), [KernelShape(256, 1, 28, 28)])
    assert source.coordinates.shape == (200_704, 4)
    units = source.coordinates.view(16, 16, 28, 28, 4)
    for axis, size in enumerate([16, 16, 28, 28]):
        values = units.movedim(axis, 0)[..., axis]
        assert torch.equal(values, ((2 * torch.arange(size) + 1) / size - 1).view(-1, 1, 1, 1).expand_as(values))


@pytest.mark.parametrize(
    ("shapes", "line", "grid"),
    [
        ([KernelShape(16, 16, 7, 7)], (2, 3, 4, 5), (1, 2, 3, 4, 5)),
        ([KernelShape(256, 1, 28, 28)], (2, 4, 5), (1, 2, 4, 5)),
        ([KernelShape(7, 1, 28, 28)], (2, 4, 5), (2, 4, 5)),
        ([KernelShape(7, 2, 1, 1), KernelShape(9, 1, 1, 1)], (0, 2, 3), (0, 1, 2, 3)),
        ([KernelShape(1, 1, 1, 1)], (2,), (2,)),
    ],
)
def test_coordinates_that_would_be_constant_are_left_out(shapes, line, grid):
    assert Coordinate().axes(shapes) == line
    assert Coordinate(output_layout="grid").axes(shapes) == grid


@pytest.mark.parametrize(("channels", "rows"), [(1, 1), (2, 1), (4, 2), (12, 3), (48, 6), (97, 1), (256, 16)])
def test_grids_are_as_square_as_can_be(channels, rows):
    assert Coordinate(output_layout="grid").output_rows(KernelShape(channels, 3, 1, 1)) == rows


def mix_in_integers(x: int) -> int:
    """fmix32 as printed in MurmurHash3.cpp."""
    x ^= x >> 16
    x = x * 0x85EBCA6B % 2**32
    x ^= x >> 13
    x = x * 0xC2B2AE35 % 2**32
    return x ^ x >> 16


def test_hash_is_murmurs_finaliser():
    numbers = [0, 1, 2, 3, 1000, 2**31 - 1, 2**31, 2**32 - 1, *range(10**6, 10**6 + 50)]
    assert mix(torch.tensor(numbers)).tolist() == [mix_in_integers(number) for number in numbers]
    assert mix(torch.tensor([1, 2, 3])).tolist() == [0x514E28B7, 0x30F4C306, 0x85F0B427]


def test_hashed_is_a_bucket_and_a_sign_for_every_weight():
    buckets = 37
    source = build_source(Hashed(buckets), SHAPES)
    weights = sum(shape.weights for shape in SHAPES)
    deviation = math.sqrt(sum(shape.weights * 2 / shape.fan_in for shape in SHAPES) / weights)
    number = 0
    for kernel, shape in zip(source(), SHAPES, strict=True):
        reference = numpy.zeros(shape)
        for place in places(shape):
            sign = -1 if mix_in_integers(number ^ SIGN_KEY) % 2 else 1
            bucket = source.buckets[mix_in_integers(number) % buckets].item()
            reference[place] = sign * bucket * math.sqrt(2 / shape.fan_in) / deviation
            number += 1
        agree(kernel, reference)


def test_the_hash_spreads_weights_evenly():
    """Buckets and signs as from independent draws: chi-squared within 5 deviations, signs balanced in each bucket."""
    source = build_source(Hashed(500), [KernelShape(64, 64, 3, 3)] * 4)
    counts = torch.bincount(source.index, minlength=500).double()
    expected = len(source.index) / 500
    assert abs((counts - expected).square().sum() / expected - 499) < 5 * math.sqrt(2 * 499)
    signs = torch.zeros(500).index_add(0, source.index, source.factor.sign())
    assert abs(signs.square().sum() / expected - 500) < 5 * math.sqrt(2 * 500)


def test_the_hash_is_the_same_in_another_process():
    program = (
        "from hyperbudget.nn.sources import build_source; from hyperbudget.nn.spec import Hashed, KernelShape\n"
        "print(build_source(Hashed(100), [KernelShape(4, 4, 3, 3)]).index.tolist())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {f"{build_source(Hashed(100), [KernelShape(4, 4, 3, 3)]).index.tolist()}\n"}


@pytest.mark.parametrize("scope", ["shape", "group", "all"])
def test_shared_is_the_largest_kernel_of_its_scope(scope):
    source = build_source(Shared(scope), SHAPES)
    key = {"shape": lambda s: s, "group": lambda s: s.out_channels, "all": lambda s: None}[scope]
    basics = {key(KernelShape(*w.shape)): w.detach().numpy() for w in source.weights}
    assert len(basics) == len(source.weights) == len({key(shape) for shape in SHAPES})
    for kernel, shape in zip(source(), SHAPES, strict=True):
        basic = basics[key(shape)]
        out, into, height, width = basic.shape
        assert basic.size == max(other.weights for other in SHAPES if key(other) == key(shape))
        reference = numpy.zeros(shape)
        for o, i, r, c in places(shape):
            row, column = (r - shape.height // 2 + height // 2) % height, (c - shape.width // 2 + width // 2) % width
            reference[o, i, r, c] = basic[o % out, i % into, row, column]
        agree(kernel, reference * math.sqrt(into * height * width / shape.fan_in))


def test_scopes_of_a_residual_network():
    """Three groups of two blocks: a basic kernel for each of 16-16, 16-32, 32-32, 32-64, 64-64; a group; for all."""
    shapes = ResNet(depth=12, width=16, groups=3).kernel_shapes()
    basics = {scope: list(Shared(scope).tied(shapes)) for scope in ("shape", "group", "all")}
    assert len(basics["shape"]) == 5
    assert basics["group"] == [KernelShape(width, width, 3, 3) for width in (16, 32, 64)]
    assert basics["all"] == [KernelShape(64, 64, 3, 3)]
    kernels = build_source(Shared("all"), shapes)()
    assert kernels[-1] is kernels[-2]
    assert torch.equal(kernels[0], kernels[-1][:16, :16] * 2)


@pytest.mark.parametrize(
    ("family", "shapes", "words"),
    [
        (LowRank(5), SHAPES, "rank: 5 is too much for a 3 x 3 x 3 x 4 kernel, a 4 x 27 matrix"),
        (LowRank(3), [KernelShape(8, 2, 1, 1)], "rank: 3 is too much for a 1 x 1 x 2 x 8 kernel, a 8 x 2 matrix"),
        (Hashed(73), [KernelShape(8, 1, 3, 3)], "buckets: 73 are more than the 72 weights of all kernels"),
    ],
)
def test_sizes_that_cannot_be_are_named(family, shapes, words):
    with pytest.raises(SpecError) as caught:
        build_source(family, shapes)
    assert str(caught.value) == words
    assert caught.value.field == words.partition(":")[0]


@pytest.mark.parametrize(
    "family",
    [
        Shared("group"), Shared("all"), LowRank(1), LowRank(2), LowRank(16), Dct(1e-4), Dct(0.02), Dct(0.9),
        Coordinate(1, 1, "sin"), Coordinate(16, 3), Coordinate(16, output_layout="grid"), Hashed(10), Hashed(3_000),
    ],
    ids=str,
)  # fmt: skip
def test_he_deviation_of_every_size(family):
    """Over 60 draws, the mean square of each kernel of a network with four fan-ins is within 4 standard errors."""
    shapes = [KernelShape(16, 16, 3, 3), KernelShape(16, 24, 3, 3), KernelShape(32, 32, 1, 1), KernelShape(16, 8, 5, 5)]
    draws = torch.stack(
        [torch.stack([k.detach().square().mean() for k in build_source(family, shapes)()]) for _ in range(60)]
    )
    for column, shape in zip(draws.T, shapes, strict=True):
        error = 4 * column.std().item() / math.sqrt(len(column))
        assert column.mean().item() == pytest.approx(2 / shape.fan_in, abs=error + 1e-12)
