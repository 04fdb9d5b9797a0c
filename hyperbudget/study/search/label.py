"""A configuration in a few words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hyperbudget.config import Configuration, Study

SHORT = {
    "embedding_size": "N_z",
    "generator_hidden": "d",
    "basic_in": "in",
    "basic_out": "out",
    "coefficient_share": "share",
    "coordinate_hidden": "hidden",
    "coordinate_layers": "layers",
    "coordinate_activation": "activation",
    "learning_rate": "lr",
    "batch_size": "batch",
    "num_layers": "layers",
    "initialisation": "init",
    "output_layout": "layout",
    "hidden": "units",
    "image_size": "image",
}


def label(study: Study, configuration: Configuration) -> str:
    """The family, then the value on every other axis that the configuration has: ``hyper depth 6 N_z 4 lr 0.003``."""
    return words(configuration, [axis.name for axis in study.axes])


def words(configuration: Configuration, axes: Iterable[str]) -> str:
    """The family, then the configuration's values on `axes`, where it has them."""
    parts = [configuration.model.family.name]
    for name in axes:
        if name in configuration.point and name != "model.family":
            field = name.rpartition(".")[2]
            parts.append(f"{SHORT.get(field, field.replace('_', ' '))} {show(configuration.point[name])}")
    return " ".join(parts)


def show(value: Any) -> str:
    """A value as a reader would write it."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
