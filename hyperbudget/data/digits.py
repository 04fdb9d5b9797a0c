"""`digits`: 1,797 handwritten digits of 8 x 8 pixels, part of scikit-learn, so there is nothing to download.

Source: the test set of "Optical Recognition of Handwritten Digits" (Alpaydin & Kaynak 1998), UCI repository.
"""

from __future__ import annotations

import numpy as np

from hyperbudget.data.splits import ImageData, RawImages, split
from hyperbudget.data.tasks import TASKS
from hyperbudget.errors import UserError


def load_digits() -> ImageData:
    """The data set, split by `SPLIT_SEED`; pixel values 0 ... 16 become [0, 1].

    Raises UserError when scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise UserError(f"digits: scikit-learn cannot be imported ({error}); pip install scikit-learn") from error
    bunch = datasets.load_digits()
    samples = RawImages(bunch.images.astype(np.uint8), bunch.target.astype(np.uint8))
    return split(TASKS["digits"], samples, maximum=16)
