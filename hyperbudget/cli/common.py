"""What several commands take."""

from __future__ import annotations

import glob
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from hyperbudget.study.folder import StudyFolder


class StudyArgument(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A study file, or the name of one that ships. Becomes a `pathlib.Path`; UserError if there is none."""

    name = "study"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """See `click.ParamType`."""
        return find_study(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names of shipped studies, YAML files, and folders to look for more in."""
        from hyperbudget.config.shipped import shipped

        files = sorted(glob.glob(glob.escape(incomplete) + "*.yaml"))
        names = [name for name in shipped() if name.startswith(incomplete)]
        return [*map(CompletionItem, names + files), CompletionItem(incomplete, type="dir")]


def find_study(value: str | Path) -> Path:
    """The study file that `value` names: a path, or a shipped study without ``.yaml``. Raises UserError if none."""
    from hyperbudget.config.problems import did_you_mean
    from hyperbudget.config.shipped import shipped
    from hyperbudget.errors import UserError

    path = Path(value)
    studies = shipped()
    if path.exists() and not path.is_dir():
        return path
    if str(value) in studies:
        return studies[str(value)]
    if path.is_dir():
        raise UserError(f"{value}: is a folder, not a study file")
    raise UserError(
        f"{value}: no such file or shipped study{did_you_mean(path.stem, studies) or '; see: hyperbudget ls'}"
    )


def begun(study: Path, overrides: Sequence[str] = ()) -> StudyFolder:
    """The results of the study in the file `study`. Raises UserError when it was never run here."""
    from hyperbudget.config import load
    from hyperbudget.errors import UserError
    from hyperbudget.study.folder import StudyFolder

    folder = StudyFolder.of(load(study, overrides).name)
    if not folder.stores.exists():
        raise UserError(f"{folder.path}: no results; begin with: hyperbudget run {spelt(study)}")
    return folder


def results_of(study: str) -> str:
    """The name of the folder in the results that `study` means: the folder's own, a study file or a shipped one."""
    from hyperbudget.config import load
    from hyperbudget.study.folder import StudyFolder

    if Path(study).name == study and StudyFolder.of(study).runs.is_dir():
        return study
    return load(find_study(study)).name


def runs_of(study: str) -> Path:
    """The ``runs.parquet`` of `study`: a file, a folder with one, the name of one in the results, or a study.

    A study's is refreshed from its tracking store first. Raises UserError when there is none.
    """
    from hyperbudget.errors import UserError
    from hyperbudget.study.folder import StudyFolder
    from hyperbudget.study.results.collect import collect

    path = Path(study)
    if path.suffix == ".parquet":
        return path
    if path.is_dir():
        if not (path / "runs.parquet").is_file():
            raise UserError(
                f"{path}: holds no runs.parquet; give a study file, or a folder that 'hyperbudget run' wrote"
            )
        return path / "runs.parquet"
    if path.name == study and StudyFolder.of(study).study.is_file():
        return collect(StudyFolder.of(study).study)
    return collect(find_study(study))


def spelt(study: Path) -> str:
    """`study` as the user would give it to a command: a shipped one by its name."""
    from hyperbudget.config.shipped import shipped

    return next((name for name, path in shipped().items() if path == study), str(study))


def plural(count: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def aligned(rows: Sequence[tuple[str, ...]], right: Container[int] = ()) -> str:
    """Lines of aligned columns, those in `right` to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  " + "   ".join(cells).rstrip())
    return "\n".join(lines)


overrides = click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Replace a value of the study; may be repeated."
)
"""Decorator: ``--set a.b=c``, as `overrides: tuple[str, ...]`."""
