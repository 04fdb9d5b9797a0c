import math

import numpy as np
import pytest
import torch

from hyperbudget.nn.sharing.matrices import (
    common_block,
    deviation_over_he,
    effective_rank,
    principal_axes,
    singular_values,
    tiles,
    unfold,
)
from hyperbudget.nn.sharing.spectra import spectra, tile_bound, tile_spectrum, unfolding_bound
from hyperbudget.nn.sources import build_source
from hyperbudget.nn.spec import Dct, Free, Hyper, KernelShape, LowRank, Shared


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def generated(family, *shapes):
    """Kernels of a source in float64, all of its parameters drawn anew, so that biases are not 0."""
    torch.manual_seed(0)
    source = build_source(family, shapes).double()
    for parameter in source.parameters():
        torch.nn.init.normal_(parameter)
    return [kernel.detach().numpy() for kernel in source()]


def test_he_kernels_have_deviation_one():
    assert deviation_over_he(normal(64, 32, 3, 3) * math.sqrt(2 / (32 * 9))) == pytest.approx(1, rel=0.01)
    assert deviation_over_he(np.ones((2, 2, 3, 3))) == 0


def test_unfold():
    kernel = normal(4, 3, 2, 5)
    for axis in (0, 1):
        for place in range(kernel.shape[axis]):
            assert np.array_equal(unfold(kernel, axis)[place], kernel.take(place, axis).ravel())


def test_tiles_are_the_blocks_row_by_row():
    kernel = normal(6, 4, 3, 2)
    found = tiles(kernel, 2, 3)
    blocks = [kernel[o : o + 3, i : i + 2].ravel() for i in (0, 2) for o in (0, 3)]
    assert np.array_equal(found, np.stack(blocks))
    assert np.array_equal(tiles(kernel, 4, 6), kernel.reshape(1, -1))


def test_tiles_are_in_the_order_of_the_embeddings():
    shape = KernelShape(8, 6, 3, 3)
    family = Hyper(3, basic_in=2, basic_out=4)
    torch.manual_seed(0)
    source = build_source(family, [shape])
    with torch.no_grad():
        before = tiles(source()[0].numpy(), 2, 4)
        source.embeddings[4] += 1
        after = tiles(source()[0].numpy(), 2, 4)
    assert [place for place in range(6) if not np.array_equal(before[place], after[place])] == [4]


def test_common_block():
    assert common_block([normal(16, 16, 3, 3), normal(32, 16, 3, 3), normal(64, 32, 3, 3)]) == (16, 16)
    assert common_block([normal(6, 4, 1, 1), normal(9, 6, 1, 1)]) == (2, 3)


class TestEffectiveRank:
    def test_known_cases(self):
        assert effective_rank(singular_values(np.eye(5))) == pytest.approx(5)
        assert effective_rank(singular_values(np.outer(normal(4), normal(9)))) == pytest.approx(1)
        assert effective_rank(singular_values(np.zeros((3, 4)))) == 0
        assert effective_rank(np.array([1.0, 1.0, 0.0])) == pytest.approx(2)

    def test_formula(self):
        matrix = normal(5, 8)
        energy = np.linalg.eigvalsh(matrix @ matrix.T)
        shares = energy / energy.sum()
        assert effective_rank(singular_values(matrix)) == pytest.approx(math.exp(-(shares * np.log(shares)).sum()))
        assert effective_rank(singular_values(-7 * matrix[::-1])) == pytest.approx(
            effective_rank(singular_values(matrix))
        )

    def test_singular_values_are_over_the_largest(self):
        assert singular_values(np.diag([1.0, 4.0, 2.0])) == pytest.approx([1, 0.5, 0.25])


class TestPrincipalAxes:
    def test_known_directions(self):
        """Points spread 3, 2 and 1 along three orthogonal axes."""
        basis = np.linalg.qr(normal(3, 3))[0]
        signs = np.array([[a, b, c] for a in (-3, 3) for b in (-2, 2) for c in (-1, 1)], dtype=float)
        points, shares = principal_axes(signs @ basis.T + 5)
        assert shares == pytest.approx([9 / 14, 4 / 14])
        assert np.abs(points) == pytest.approx(np.abs(signs[:, :2]))

    def test_the_largest_loading_is_positive(self):
        points, _ = principal_axes(np.array([[0.0, 0.0, 0.0], [1.0, -4.0, 1.0]]))
        assert points[1, 0] < points[0, 0]
        mirrored, _ = principal_axes(np.array([[0.0, 0.0, 0.0], [-1.0, 4.0, -1.0]]))
        assert mirrored[1, 0] > mirrored[0, 0]

    def test_few_points_or_numbers(self):
        assert principal_axes(normal(2, 7))[0].shape == (2, 1)
        assert principal_axes(normal(9, 1))[0].shape == (9, 1)
        points, shares = principal_axes(np.ones((4, 3)))
        assert not points.any()
        assert not shares.any()


class TestRankBounds:
    """Against the ranks of generated kernels whose parameters, biases included, are drawn at random."""

    @pytest.mark.parametrize("slice_axis", ["in", "out"])
    @pytest.mark.parametrize(("embedding", "hidden"), [(1, 1), (2, 3), (5, 2), (7, 1)])
    @pytest.mark.parametrize(("basic_in", "basic_out", "pixels"), [(4, 4, 3), (2, 4, 1), (8, 4, 1), (1, 4, 3)])
    def test_are_never_exceeded(self, slice_axis, embedding, hidden, basic_in, basic_out, pixels):
        family = Hyper(embedding, hidden, basic_in, basic_out, slice_axis)
        shape = KernelShape(8, 8, pixels, pixels)
        kernels = generated(family, shape, shape, shape)
        for axis in (0, 1):
            rank = np.linalg.matrix_rank(unfold(kernels[0], axis))
            assert rank <= (unfolding_bound(family, shape, axis) or min(8, 8 * pixels**2))
        together = np.concatenate([tiles(kernel, basic_in, basic_out) for kernel in kernels])
        assert np.linalg.matrix_rank(together) <= tile_bound(family)

    @pytest.mark.parametrize(
        ("family", "shape", "axis", "bound"),
        [
            (Hyper(8, 4), KernelShape(16, 16, 7, 7), 1, 5),  # d + 1: the paper's kernel of one tile
            (Hyper(8, 4), KernelShape(16, 16, 7, 7), 0, None),
            (Hyper(8, 4, slice_axis="out"), KernelShape(16, 16, 7, 7), 0, 5),
            (Hyper(8, 4, slice_axis="out"), KernelShape(16, 16, 7, 7), 1, None),
            (Hyper(8, 4, 16, 8), KernelShape(16, 16, 7, 7), 1, 9),  # 2 d + 1
            (Hyper(8, 2), KernelShape(16, 16, 1, 1), 0, 3),
            (Hyper(3, 3, 1, 16), KernelShape(128, 1, 5, 5), 0, None),
            (Hyper(3, 3, 1, 4), KernelShape(24, 1, 5, 5), 0, 16),  # basic_out (N_z + 1)
            (LowRank(3), KernelShape(8, 8, 3, 3), 0, 3),
        ],
    )
    def test_are_reached(self, family, shape, axis, bound):
        assert unfolding_bound(family, shape, axis) == bound
        (kernel,) = generated(family, shape)
        matrix = unfold(kernel, axis)
        assert np.linalg.matrix_rank(matrix) == (bound or min(matrix.shape))

    def test_of_all_tiles(self):
        shape = KernelShape(16, 16, 3, 3)
        family = Hyper(6, basic_in=4, basic_out=4)
        kernels = generated(family, shape, shape)
        found = tile_spectrum(kernels, family, (4, 4))
        assert (found.bound, found.most, len(found.values)) == (7, 7, 32)
        assert found.values[6] > 1e-3
        assert found.values[7] < 1e-12
        assert tile_bound(Hyper(20, 1, 4, 4)) == 5
        assert tile_bound(Free()) is None

    def test_other_families_have_none(self):
        shape = KernelShape(8, 8, 3, 3)
        for family in (Free(), Shared(), Dct()):
            assert unfolding_bound(family, shape, 0) is None
        assert unfolding_bound(LowRank(8), shape, 0) is None
        assert unfolding_bound(LowRank(3), shape, 1) is None


def test_spectra():
    kernel = np.zeros((4, 3, 1, 1))
    kernel[0, 0], kernel[1, 1] = 2, 1
    (found,) = spectra([kernel], Free(), 0)
    assert found.values == pytest.approx([1, 0.5, 0])
    assert (found.bound, found.most) == (None, 3)
    assert found.rank == pytest.approx(math.exp(-(0.8 * math.log(0.8) + 0.2 * math.log(0.2))))
    assert len(spectra([kernel, kernel], LowRank(2), 1)) == 2


def test_the_tiles_spectrum_counts_tiles_alike():
    small, large = np.zeros((1, 1, 1, 2)), np.zeros((1, 1, 1, 2))
    small[..., 0], large[..., 1] = 1e-3, 1e3
    assert tile_spectrum([small, large], Free(), None).rank == pytest.approx(2)
    assert tile_spectrum([small], Free(), None) is None
    assert tile_spectrum([small, np.ones((1, 1, 3, 3))], Free(), None) is None
    kernel = normal(4, 4, 3, 3)
    assert tile_spectrum([kernel, 3 * kernel, -kernel], Free(), None).rank == pytest.approx(1)
