"""A finished run, found by its name or its folder, with its model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperbudget.errors import UserError
from hyperbudget.study.folder import RunFolder, StudyFolder, read_json

if TYPE_CHECKING:
    from hyperbudget.nn.build import Model
    from hyperbudget.nn.export import Metadata
    from hyperbudget.train.spec import RunSpec

SHOWN = 4
"""So many of several runs that a name may mean are named in the error."""


def find_run(name: str, study: str | None = None) -> FinishedRun:
    """The run that `name` means: the path of its folder, or its hash or the beginning of it.

    Hashes are looked up in all results, or in those of `study` (a folder's name there). Raises UserError when there is
    no such run, or several, or when it has not finished.
    """
    path = Path(name)
    if (path / "spec.json").is_file():
        return _finished(RunFolder(path))
    root = StudyFolder.of(study or "x").path.parent
    where = root / study if study else root
    if path.name != name:
        raise UserError(f"{name}: no run's folder: it holds no spec.json; give a run's folder or its name")
    found = [folder for folder in _runs(root, study) if folder.path.name.startswith(name)] if name else []
    exact = [folder for folder in found if folder.path.name == name]
    if not found:
        raise UserError(f"{name}: no run of this name in {where}; a run is named as its folder in results/STUDY/runs")
    if len(exact or found) > 1:
        some = ", ".join(f"{folder.path.parents[1].name}/{folder.path.name}" for folder in (exact or found)[:SHOWN])
        more = f" and {len(exact or found) - SHOWN} more" if len(exact or found) > SHOWN else ""
        way = "say which --study" if exact else "give more of its name"
        raise UserError(f"{name}: may be {some}{more}; {way}")
    return _finished((exact or found)[0])


def _runs(root: Path, study: str | None) -> Iterator[RunFolder]:
    if study is not None:
        yield from StudyFolder(root / study).all_runs()
    elif root.is_dir():
        for path in sorted(root.iterdir()):
            yield from StudyFolder(path).all_runs()


def _finished(folder: RunFolder) -> FinishedRun:
    from hyperbudget.train.spec import RunSpec

    result = read_json(folder.result)
    if result is None:
        raise UserError(f"{folder.path}: this run has not finished; go on with: hyperbudget run STUDY")
    if result.get("status") != "finished":
        raise UserError(f"{folder.path}: this run failed ({result.get('reason')}) and left no model")
    fields: Any = read_json(folder.spec)
    try:
        name = str(fields.pop("run"))
        return FinishedRun(folder, name, RunSpec.from_fields(fields), result)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder.spec}: no run of this version of hyperbudget ({type(error).__name__}: {error}); "
            "use the version that trained it, or train it again"
        ) from None


@dataclass(frozen=True)
class FinishedRun:
    """A run with a result: its files, its name (the hash), what decided its result, and that."""

    folder: RunFolder
    name: str
    spec: RunSpec
    result: dict[str, Any]

    def load(self) -> tuple[Model, Metadata]:
        """The selected model, trained, on the CPU, in evaluation mode; and what its file says about it.

        Raises UserError when its file is missing or damaged, or is another model's.
        """
        from hyperbudget.nn.export import load_export
        from hyperbudget.nn.spec import ModelSpec

        again = f"delete {self.folder.path} and train it again with: hyperbudget run STUDY"
        try:
            model, metadata = load_export(self.folder.model)
        except UserError:
            found = "damaged" if self.folder.model.exists() else "missing"
            raise UserError(f"{self.folder.model}: {found}; {again}") from None
        if ModelSpec.from_fields(metadata.model) != self.spec.model:
            raise UserError(f"{self.folder.model}: holds another model than spec.json says; {again}")
        return model, metadata
