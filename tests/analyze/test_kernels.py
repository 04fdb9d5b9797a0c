import numpy as np

from hyperbudget.analyze.kernels import gallery, mosaic


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


class TestMosaic:
    def test_every_weight_is_in_its_place(self):
        kernel = normal(4, 3, 2, 5)
        image = mosaic(kernel.swapaxes(0, 1), zoom=3, gap=2)
        assert image.shape == (3 * (2 * 3 + 2) - 2, 4 * (5 * 3 + 2) - 2)
        for (o, i, r, c), weight in np.ndenumerate(kernel):
            y, x = i * 8 + r * 3, o * 17 + c * 3
            assert (image[y : y + 3, x : x + 3] == weight).all()
        assert np.isnan(image).sum() == image.size - 9 * kernel.size

    def test_one_image_has_no_gaps(self):
        assert np.array_equal(mosaic(normal(1, 1, 2, 3)), normal(1, 1, 2, 3)[0, 0])

    def test_gallery(self):
        images = normal(5, 2, 3)
        rows = gallery(images, 4)
        assert rows.shape == (2, 4, 2, 3)
        assert np.array_equal(rows.reshape(8, 2, 3)[:5], images)
        assert np.isnan(rows[1, 1:]).all()
        assert gallery(images, 5).shape == (1, 5, 2, 3)
