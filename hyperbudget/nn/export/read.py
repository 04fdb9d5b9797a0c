"""Read an exported model back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from hyperbudget.errors import UserError
from hyperbudget.nn.build import Model, build
from hyperbudget.nn.export.metadata import KEY, Metadata, NewerFormat
from hyperbudget.nn.export.state import StateMismatch, fill

AGAIN = "write it again with: hyperbudget export"


def load_export(path: str | Path) -> tuple[Model, Metadata]:
    """The model of a safetensors or torch file that `write_export` wrote, on the CPU, in evaluation mode.

    Loads tensors and words only, never code. The model of a baked file has free kernels, that of a compact one
    generates them as the trained one did; both give its logits. torch's random generators are left as they were.

    Raises UserError, one line that names the file, when it cannot be read, is damaged, is another program's or of a
    newer version, is an ONNX file, or holds another model's tensors than its metadata say.
    """
    path = Path(path)
    text, state = _content(path)
    try:
        metadata = Metadata.from_json(text)
    except NewerFormat as error:
        raise UserError(f"{path}: {error}; update hyperbudget to read it") from None
    except ValueError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}; {AGAIN}") from None
    try:
        with torch.random.fork_rng(devices=[]):
            model = build(metadata.stored_model(), **metadata.shape)
    except (TypeError, ValueError, RuntimeError) as error:  # fields that passed as words, such as a width of "16"
        raise UserError(f"{path}: its metadata are no model's ({type(error).__name__}); {AGAIN}") from None
    try:
        fill(model, state)
    except StateMismatch as error:
        raise UserError(f"{path}: its tensors are another model's than its metadata say: {error}; {AGAIN}") from None
    return model.eval(), metadata


def _content(path: Path) -> tuple[str, dict[str, Any]]:
    """Metadata and tensors, unchecked."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if start[8:] == b"{":
        found = _safetensors(path)
    elif start.startswith(b"PK"):
        found = _torch(path)
    elif path.suffix == ".onnx":
        raise UserError(f"{path}: an ONNX file is not read back; export as safetensors or torch, or use onnxruntime")
    else:
        raise UserError(f"{path}: neither a safetensors nor a torch file, or damaged; {AGAIN}")
    text, state = found
    if not isinstance(text, str):
        raise UserError(f"{path}: has no metadata of hyperbudget export; {AGAIN}")
    return text, state


def _safetensors(path: Path) -> tuple[str | None, dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(KEY)
            return text, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path}: damaged: {' '.join(str(error).split())}; {AGAIN}") from None


def _torch(path: Path) -> tuple[Any, dict[str, Any]]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged file can fail in any way inside zipfile, pickle or torch
        raise UserError(f"{path}: damaged, or no file of hyperbudget export; {AGAIN}") from None
    text, state = (content.get(part) if isinstance(content, dict) else None for part in (KEY, "state"))
    return (text, state) if isinstance(state, dict) else (None, {})
