"""Pictures that commands write into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["png", "svg", "pdf"]


def check_folder(folder: Path) -> None:
    """Raise UserError when pictures cannot go into `folder` because it is a file."""
    from hyperbudget.errors import UserError

    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file; give --out a folder")


def written(pictures: Mapping[str, Figure | str], folder: Path, ending: Format) -> Iterator[str]:
    """Write each of `pictures`, by name, into `folder`, made where there is none; what to say of it: its path.

    A text in place of a picture is the reason why there is none. Raises UserError when one cannot be written.
    """
    from hyperbudget.errors import UserError
    from hyperbudget.figures.picture import save

    for name, figure in pictures.items():
        path = folder / f"{name}.{ending}"
        if isinstance(figure, str):
            yield f"no {path}: {figure}"
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save(figure, path)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from None
        yield str(path)
