from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hyperbudget.config import Study, StudyFileError, load

Load = Callable[..., Study]
Complain = Callable[..., list[str]]


@pytest.fixture
def study(tmp_path: Path) -> Load:
    """Loads the study in a text."""

    def read(text: str, *overrides: str, name: str = "x.yaml") -> Study:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return load(path, overrides)

    return read


@pytest.fixture
def complaints(study: Load, tmp_path: Path) -> Complain:
    """The lines of the error that loading a text raises, with file names relative to its folder."""

    def read(text: str, *overrides: str, name: str = "x.yaml") -> list[str]:
        with pytest.raises(StudyFileError) as caught:
            study(text, *overrides, name=name)
        assert str(caught.value) == "\n".join(map(str, caught.value.problems))
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return read
