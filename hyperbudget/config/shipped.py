"""The studies that ship with the package."""

from __future__ import annotations

from pathlib import Path

from hyperbudget.config.yaml_reader import Document

PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Where they lie: inside an installed package, or beside it in a checkout."""
    installed = PACKAGE / "_studies"
    return installed if installed.is_dir() else PACKAGE.parent / "studies"


def shipped() -> dict[str, Path]:
    """Their files by name."""
    return {path.stem: path for path in sorted(folder().glob("*.yaml"))}


def question(path: Path) -> str:
    """What the study in the file at `path` asks, without validating the rest of it."""
    data = Document(path.read_text(encoding="utf-8")).data
    return " ".join(str(data.get("question", "")).split()) if isinstance(data, dict) else ""
