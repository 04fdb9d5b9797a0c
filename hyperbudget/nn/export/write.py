"""Write a trained model to a file."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from hyperbudget.errors import UserError
from hyperbudget.nn.build import Model
from hyperbudget.nn.export.bake import bake
from hyperbudget.nn.export.metadata import KEY, Metadata
from hyperbudget.nn.export.state import tensors
from hyperbudget.nn.image_model import ImageModel

Format = Literal["safetensors", "onnx", "torch"]

FORMATS: dict[Format, str] = {"safetensors": ".safetensors", "onnx": ".onnx", "torch": ".pt"}
"""Every format and how its files end."""


def write_export(model: Model, metadata: Metadata, path: Path, format: Format = "safetensors") -> int:
    """Write `model` to `path` in the form that `metadata` says; returns the size in bytes.

    `model` is the trained one, as it was trained (it is baked here when ``metadata.form`` is ``baked``), and is not
    changed. The file is there whole or not at all. The metadata are one JSON text named
    ``hyperbudget``: in safetensors' ``__metadata__``, in ONNX's ``metadata_props``, and in a torch file, which is
    ``{"hyperbudget": ..., "state": ...}``. Except for ONNX, the same model gives the same bytes.

    Raises UserError for a baked language model and a compact ONNX file, when a package that a format needs is not
    installed, and when `path` cannot be written.
    """
    if format == "onnx" and metadata.form == "compact":
        raise UserError(
            "onnx: holds plain networks only; use the form baked, or the format safetensors or torch for compact"
        )
    stored = model
    if metadata.form == "baked":
        if not isinstance(model, ImageModel):
            raise UserError("baked: a language model has no kernels, and its weights change at every step; use compact")
        stored = bake(model)
    match format:
        case "safetensors":
            content = _safetensors(stored, metadata)
        case "torch":
            content = _torch(stored, metadata)
        case "onnx":
            from hyperbudget.nn.export.onnx_graph import onnx_bytes

            assert isinstance(stored, ImageModel)  # it is baked
            content = onnx_bytes(stored, metadata)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    return len(content)


def _safetensors(model: nn.Module, metadata: Metadata) -> bytes:
    from safetensors.torch import save

    return save(tensors(model), {KEY: metadata.to_json()})


def _torch(model: nn.Module, metadata: Metadata) -> bytes:
    file = io.BytesIO()
    torch.save({KEY: metadata.to_json(), "state": tensors(model)}, file)
    return file.getvalue()
