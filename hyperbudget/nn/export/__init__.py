"""Trained models as files for other machines and programs: compact (what was learnt) or baked (plain kernels).

``model, metadata = load_export("run.safetensors")`` is all that reading one back takes; `Metadata` says how images must
be normalised for it.
"""

from hyperbudget.nn.export.bake import bake
from hyperbudget.nn.export.metadata import Form, Metadata
from hyperbudget.nn.export.read import load_export
from hyperbudget.nn.export.state import StateMismatch, fill
from hyperbudget.nn.export.write import FORMATS, Format, write_export

__all__ = ["FORMATS", "Form", "Format", "Metadata", "StateMismatch", "bake", "fill", "load_export", "write_export"]
