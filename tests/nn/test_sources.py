"""The contract of every kernel source, and the static hypernetwork against eqs. 1-3 written out."""

import math

import pytest
import torch

from hyperbudget.nn.sources import FreeKernels, HyperKernels, build_source
from hyperbudget.nn.spec import (
    KERNELS,
    Coordinate,
    Dct,
    Family,
    Free,
    Hashed,
    Hyper,
    KernelShape,
    LowRank,
    Shared,
    SpecError,
)

SHAPES = [KernelShape(16, 8, 3, 3), KernelShape(16, 16, 3, 3), KernelShape(16, 16, 3, 3), KernelShape(32, 16, 3, 3)]
EXAMPLES: list[Family] = [
    Free(),
    Shared(),
    Shared("group"),
    Shared("all"),
    Hyper(embedding_size=3, basic_in=8, basic_out=8),
    Hyper(embedding_size=2, generator_hidden=5, basic_in=8, basic_out=16),
    Hyper(embedding_size=2, generator_hidden=5, basic_in=8, basic_out=16, slice_axis="out"),
    LowRank(1),
    LowRank(5),
    Dct(0.01),
    Dct(0.3),
    Dct(1.0),
    Coordinate(),
    Coordinate(8, 1, "tanh"),
    Coordinate(6, 3, "sin"),
    Coordinate(output_layout="grid"),
    Hashed(50),
    Hashed(9_000),
]


def test_every_family_has_an_example():
    assert {family.name for family in EXAMPLES} == set(KERNELS)


@pytest.mark.parametrize("family", EXAMPLES, ids=str)
class TestContract:
    @pytest.fixture
    def source(self, family):
        torch.manual_seed(0)
        return build_source(family, SHAPES)

    def test_returns_a_kernel_of_every_shape_in_order(self, source):
        assert [tuple(kernel.shape) for kernel in source()] == [tuple(shape) for shape in SHAPES]

    def test_every_parameter_has_a_group_and_receives_a_gradient(self, source):
        torch.stack([kernel.square().sum() for kernel in source()]).sum().backward()
        for name, parameter in source.named_parameters():
            assert name.partition(".")[0] in source.groups
            assert parameter.grad is not None
            assert parameter.grad.abs().sum() > 0, name

    def test_the_same_kernels_every_time(self, source):
        for first, second in zip(source(), source(), strict=True):
            assert torch.equal(first, second)

    def test_baked_kernels_are_equal_and_free(self, source):
        baked = FreeKernels.bake(source)
        for kernel, other in zip(source(), baked(), strict=True):
            assert torch.equal(kernel, other)
        assert sum(p.numel() for p in baked.parameters()) == sum(shape.weights for shape in SHAPES)

    def test_other_layouts_and_types_of_memory(self, source):
        """Training asks for channels last, the tests of formulas for float64."""
        kernels = source()
        for kernel, other in zip(kernels, source.to(memory_format=torch.channels_last)(), strict=True):
            torch.testing.assert_close(kernel, other)
        assert {kernel.dtype for kernel in source.double()()} == {torch.float64}

    def test_its_size_in_a_checkpoint_is_that_of_its_parameters(self, source):
        """Besides two numbers for each kernel at most: what follows from the shapes is not stored."""
        stored = sum(value.numel() for value in source.state_dict().values())
        assert stored <= sum(parameter.numel() for parameter in source.parameters()) + 2 * len(SHAPES)

    def test_state_dict_restores_it(self, source, family):
        other = build_source(family, SHAPES)
        other.load_state_dict(source.state_dict())
        for kernel, restored in zip(source(), other(), strict=True):
            assert torch.equal(kernel, restored)

    def test_he_deviation_at_step_0(self, family):
        """Mean square over initialisations, as many as make it sure: within 6% of 2 / fan_in for every kernel."""
        torch.manual_seed(1)
        squares: list[torch.Tensor] = []
        while len(squares) < 400:
            squares.append(torch.stack([k.detach().square().mean() for k in build_source(family, SHAPES)()]))
            if len(squares) % 20 == 0:
                drawn = torch.stack(squares)
                if (drawn.std(0) / drawn.mean(0) / math.sqrt(len(drawn))).max() < 0.01:
                    break
        for mean_square, shape in zip(torch.stack(squares).mean(0), SHAPES, strict=True):
            assert mean_square.item() == pytest.approx(2 / shape.fan_in, rel=0.06)


@pytest.mark.parametrize("embedding", [1, 2, 16, 64])
@pytest.mark.parametrize("hidden", [1, 4, 64])
@pytest.mark.parametrize("basic", [(8, 8), (16, 16), (4, 16), (16, 32)])
@pytest.mark.parametrize("axis", ["in", "out"])
def test_hyper_kernels_start_with_the_he_deviation(embedding, hidden, basic, axis):
    """Over sizes, N_z, d and both slicings: the deviation over draws is He's, and no single kernel is far from it."""
    torch.manual_seed(2)
    shapes = [KernelShape(32, 16, 3, 3), KernelShape(64, 32, 3, 3)]
    family = Hyper(embedding, hidden, *basic, slice_axis=axis)
    deviations = torch.stack(
        [torch.stack([k.detach().square().mean() for k in build_source(family, shapes)()]) for _ in range(60)]
    )
    for column, shape in zip(deviations.T, shapes, strict=True):
        expected = 2 / shape.fan_in
        # The mean square of one draw varies by about sqrt(2 / slices + 2 / d + ...): 4 standard errors of 60 draws.
        error = 4 * column.std().item() / math.sqrt(60)
        assert abs(column.mean().item() - expected) < max(error, 0.02 * expected)
        assert column.max() < 12 * expected
        assert column.min() > expected / 12


def second_moments(initialisation):
    """Of a generator's weights and of the embeddings; in `unit` of z - 2 j, where a normal |z| is in [2 j, 2 j + 2].

    The integral from a to b of (z - a)^2 phi(z), with Phi' = phi and phi' = -z phi, twice (both signs).
    """
    if initialisation == "small":
        return 0.01**2, 1.0
    total = 0.0
    for a in range(0, 10, 2):
        phi_a, phi_b = (math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) for z in (a, a + 2))
        mass = (math.erf((a + 2) / math.sqrt(2)) - math.erf(a / math.sqrt(2))) / 2
        total += 2 * ((1 + a**2) * mass - a * phi_a - (2 - a) * phi_b)
    return total, total


def mean_square(initialisation, hidden, embedding):
    """Of a kernel's weights: products of two generator weights and one number of z, summed over d and N_z."""
    weights, embeddings = second_moments(initialisation)
    return hidden * embedding * weights**2 * embeddings


@pytest.mark.parametrize("initialisation", ["small", "unit"])
@pytest.mark.parametrize("embedding", [1, 4, 64])
@pytest.mark.parametrize("hidden", [1, 8, 64])
@pytest.mark.parametrize("basic", [(8, 8), (16, 32)])
@pytest.mark.parametrize("axis", ["in", "out"])
def test_hyper_kernels_of_public_initialisations(initialisation, embedding, hidden, basic, axis):
    """A product of three numbers, summed over d and N_z: far from He, and as far as the sizes say."""
    torch.manual_seed(4)
    shapes = [KernelShape(32, 16, 3, 3), KernelShape(64, 32, 3, 3)]
    family = Hyper(embedding, hidden, *basic, slice_axis=axis, initialisation=initialisation)
    draws = torch.stack(
        [torch.stack([k.detach().square().mean() for k in build_source(family, shapes)()]) for _ in range(200)]
    )
    expected = mean_square(initialisation, hidden, embedding)
    for column, shape in zip(draws.T / expected, shapes, strict=True):
        assert column.mean().item() == pytest.approx(1, abs=4 * column.std().item() / math.sqrt(200))
        relative_to_he = math.sqrt(expected * shape.fan_in / 2)
        assert relative_to_he < 0.15 if initialisation == "small" else relative_to_he > 5


@pytest.mark.parametrize(
    ("shape", "size", "initialisation", "factor"),
    [
        (KernelShape(16, 16, 7, 7), 4, "small", 1 / 126),
        (KernelShape(16, 16, 3, 3), 64, "unit", 353),
    ],
)
def test_how_far_public_initialisations_are_off(shape, size, initialisation, factor):
    """What the docstring of `HyperKernels` says."""
    deviation = math.sqrt(mean_square(initialisation, size, size))
    assert deviation / math.sqrt(2 / shape.fan_in) == pytest.approx(factor, rel=5e-3)


@pytest.mark.parametrize("initialisation", ["small", "unit"])
def test_a_public_initialisation_knows_no_sizes(initialisation):
    """With the moments, and in `unit` the bound, of the distribution; biases are 0."""
    torch.manual_seed(6)
    source = build_source(Hyper(64, basic_in=8, basic_out=8, initialisation=initialisation), SHAPES)
    weights, embeddings = second_moments(initialisation)
    assert not source.generator["slice_bias"].any()
    assert not source.generator["kernel_bias"].any()
    for numbers, moment in (
        (source.generator["slice_weight"], weights),
        (source.generator["kernel_weight"], weights),
        (source.embeddings, embeddings),
    ):
        error = 4 * numbers.square().std().item() / math.sqrt(numbers.numel())
        assert numbers.square().mean().item() == pytest.approx(moment, abs=error)
        assert numbers.mean().item() == pytest.approx(0, abs=4 * math.sqrt(moment / numbers.numel()))
        assert initialisation == "small" or numbers.abs().max() < 2


@pytest.mark.parametrize("axis", ["in", "out"])
def test_hyper_kernels_are_equations_1_to_3(axis):
    """One slice, one tile, one kernel at a time, in float64, against the batched computation."""
    torch.manual_seed(3)
    basic_in, basic_out, hidden, embedding = 4, 8, 5, 3
    shapes = [KernelShape(8, 4, 3, 3), KernelShape(16, 12, 3, 3), KernelShape(16, 12, 3, 3)]
    spec = Hyper(embedding, hidden, basic_in, basic_out, slice_axis=axis)
    source = HyperKernels(shapes, spec).double()
    for parameter in source.parameters():  # biases are 0 at step 0: give them something to do
        torch.nn.init.normal_(parameter)
    w, b = source.generator["slice_weight"], source.generator["slice_bias"]
    w_out, b_out = source.generator["kernel_weight"], source.generator["kernel_bias"]

    tile = 0
    for kernel, shape in zip(source(), shapes, strict=True):
        for row in range(shape.in_channels // basic_in):
            for column in range(shape.out_channels // basic_out):
                z = source.embeddings[tile]
                tile += 1
                block = kernel[column * basic_out :, row * basic_in :][:basic_out, :basic_in]
                for i in range(basic_in if axis == "in" else basic_out):
                    a = w[i] @ z + b[i]  # eq. 2, its first line
                    k = (w_out @ a + b_out).view(-1, 3, 3)  # eq. 2, its second line: one slice
                    torch.testing.assert_close(block[:, i] if axis == "in" else block[i], k, rtol=1e-12, atol=1e-12)
    assert tile == len(source.embeddings)


def test_shared_hands_one_kernel_out_for_every_shape():
    torch.manual_seed(0)
    first, second, third, last = build_source(Shared(), SHAPES)()
    assert second is third
    assert first is not second
    assert last is not second


def test_paper_count_of_the_mnist_kernel():
    """Section 4.1: 12,544 weights from 4,240 parameters and an embedding of 4."""
    source = build_source(Hyper(embedding_size=4), [KernelShape(16, 16, 7, 7)])
    assert sum(p.numel() for p in source.generator.values()) == 4_240
    assert source.embeddings.numel() == 4
    assert source()[0].numel() == 12_544


@pytest.mark.parametrize(
    ("family", "field", "words"),
    [
        (Hyper(basic_in=6), "basic_in", "6 does not divide the 8 input channels of a 3 x 3 x 8 x 16 kernel"),
        (Hyper(basic_in=8, basic_out=5), "basic_out", "5 does not divide the 16 output channels"),
    ],
)
def test_a_basic_size_that_does_not_divide_is_named(family, field, words):
    with pytest.raises(SpecError, match=words) as caught:
        build_source(family, SHAPES)
    assert caught.value.field == field


def test_kernels_of_two_spatial_sizes_are_refused():
    with pytest.raises(SpecError, match="one spatial size"):
        build_source(Hyper(basic_in=8, basic_out=8), [KernelShape(8, 8, 3, 3), KernelShape(8, 8, 1, 1)])
