import math

import numpy as np
import pytest

from hyperbudget.nn.sharing.similarity import MOST, compare, parts, similarity
from hyperbudget.nn.spec import Free, Hyper, LowRank


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def rotation(size, seed):
    """Uniform over all of them: the Q of a Gaussian matrix with R's diagonal positive."""
    q, r = np.linalg.qr(normal(size, size, seed=seed))
    return q * np.sign(np.diag(r))


def of(*sets):
    """The similarity of two sets."""
    found = similarity(sets)
    assert found.measured[0, 1] == found.measured[1, 0]
    assert np.isnan(np.diag(found.measured)).all()
    return found.measured[0, 1]


class TestMeasured:
    def test_is_the_cosine_of_single_vectors(self):
        x, y = normal(1, 20), normal(1, 20, seed=1)
        cosine = abs((x @ y.T).item()) / (np.linalg.norm(x) * np.linalg.norm(y))
        assert of(x, y) == pytest.approx(cosine)

    def test_brute_force(self):
        """By the second moments themselves."""
        x, y = normal(3, 12), normal(5, 12, seed=1)
        a, b = x.T @ x, y.T @ y
        assert of(x, y) == pytest.approx(math.sqrt((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b))))
        assert of(normal(30, 4), normal(20, 4, seed=1)) < 1

    def test_one_for_the_same(self):
        x = normal(4, 30)
        assert of(x, x) == pytest.approx(1)
        assert of(x, -3 * x) == pytest.approx(1)
        assert of(x, x[::-1]) == pytest.approx(1)
        assert of(x, rotation(4, 1) @ x) == pytest.approx(1)
        assert of(x, np.concatenate([x, x])) == pytest.approx(1)

    def test_nought_for_orthogonal_ones(self):
        basis = rotation(9, 0)
        assert of(basis[:4], basis[4:]) == pytest.approx(0, abs=1e-12)

    def test_a_part_of_a_set(self):
        basis = rotation(20, 0)
        assert of(basis[:1], basis[:16]) == pytest.approx(16**-0.25)

    def test_only_what_is_comparable(self):
        found = similarity([normal(2, 8), normal(3, 9), normal(1, 8, seed=1), np.zeros((1, 8))])
        assert np.argwhere(~np.isnan(found.measured)).tolist() == [[0, 2], [2, 0]]
        assert np.isnan(found.expected).sum() == 14
        assert found.dimensions is None
        assert found.chance_within(3) is None
        assert similarity([normal(1, 8)]).overall is None


class TestExpected:
    def test_is_the_root_mean_square_over_rotations(self):
        x, y = normal(3, 10) * np.array([[3.0], [1.0], [0.5]]), normal(2, 10, seed=1)
        squares = [of(x, y @ rotation(10, seed)) ** 2 for seed in range(4000)]
        expected = similarity([x, y]).expected[0, 1]
        assert expected == pytest.approx(math.sqrt(np.mean(squares)), rel=0.02)

    def test_of_single_vectors(self):
        assert similarity([normal(1, 25), normal(1, 25, seed=1)]).expected[0, 1] == pytest.approx(1 / 5)

    def test_independent_kernels_are_at_the_level_of_chance(self):
        """36 kernels as in a Wide ResNet, cut into tiles: the root mean squares agree to a few percent."""
        found = similarity([normal(tiles, 16 * 16 * 9, seed=10 * tiles + n) for tiles in (1, 4, 16) for n in range(12)])
        assert found.overall == pytest.approx(found.chance, rel=0.04)

    def test_within_a_subspace(self):
        subspace = rotation(40, 0)[:5]
        found = similarity([normal(1, 5, seed=n) @ subspace for n in range(200)])
        assert found.dimensions == 40
        assert found.chance == pytest.approx(1 / math.sqrt(40))
        assert found.overall == pytest.approx(found.chance_within(5), rel=0.02)
        assert found.chance_within(5) == pytest.approx(1 / math.sqrt(5))
        assert found.chance_within(99) == found.chance


class TestParts:
    def test_of_kernels_of_several_shapes(self):
        kernels = [normal(4, 4, 3, 3), normal(8, 4, 3, 3), normal(8, 8, 3, 3)]
        found = parts(kernels)
        assert found.name == "kernels"
        assert [x.shape for x in found.sets] == [(1, 144), (2, 144), (4, 144)]
        assert [x.shape for x in parts(kernels, (4, 2)).sets] == [(2, 72), (4, 72), (8, 72)]

    def test_kernels_of_several_sizes_are_not_compared(self):
        found = compare([normal(4, 4, 3, 3), normal(4, 4, 1, 1)], Free())
        assert found.found.overall is None

    def test_of_a_single_kernel(self):
        kernel = normal(6, 4, 3, 3)
        assert parts([kernel], (2, 3)).name == "tiles"
        assert len(parts([kernel], (2, 3)).sets) == 4
        slices = parts([kernel])
        assert slices.name == "input slices"
        assert np.array_equal(slices.sets[2], kernel[:, 2].reshape(1, -1))
        filters = parts([normal(100, 1, 5, 5)])
        assert filters.name == "filters"
        assert len(filters.sets) == MOST
        assert filters.sets[7].shape == (1, 25)

    def test_what_the_family_confines_them_to(self):
        kernels = [normal(16, 16, 3, 3), normal(16, 16, 3, 3, seed=1)]
        assert compare(kernels, Hyper(6), (16, 16)).dimensions == 7
        assert compare(kernels, Free()).dimensions is None
        assert compare(kernels, Free()).chance_within is None
        single = compare(kernels[:1], Hyper(6, 3), (16, 16))
        assert (single.of, single.dimensions) == ("input slices", 4)
        assert single.chance_within == pytest.approx(1 / 2)
        assert compare([normal(20, 1, 5, 5)], LowRank(3)).dimensions == 3
