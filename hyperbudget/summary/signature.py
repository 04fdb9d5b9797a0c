"""What a registered model takes and gives, in MLflow's terms."""

from __future__ import annotations

import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec
from numpy.typing import NDArray

from hyperbudget.nn.export.metadata import Metadata


def signature(metadata: Metadata) -> ModelSignature:
    """As `hyperbudget.nn.export.served.Served.forward` says: images to logits, or symbols to logits."""
    if metadata.vocabulary is not None:
        takes = TensorSpec(np.dtype("int64"), (-1, -1), "ids")
        gives = TensorSpec(np.dtype("float32"), (-1, -1, len(metadata.vocabulary)), "logits")
    else:
        shape = metadata.shape
        takes = TensorSpec(np.dtype("float32"), (-1, shape["channels"], shape["size"], shape["size"]), "images")
        gives = TensorSpec(np.dtype("float32"), (-1, shape["classes"]), "logits")
    return ModelSignature(inputs=Schema([takes]), outputs=Schema([gives]))


def example_of(metadata: Metadata) -> NDArray[np.float32] | None:
    """Two blank images, for torch to follow through the network; None for texts, whose steps make no fixed graph."""
    if metadata.vocabulary is not None:
        return None
    shape = metadata.shape
    return np.zeros((2, shape["channels"], shape["size"], shape["size"]), dtype=np.float32)
