"""A finished run, found by its name or its folder, with its model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperbudget.errors import UserError
from hyperbudget.study.folder import RunFolder, StudyFolder, read_json

if TYPE_CHECKING:
    from hyperbudget.nn.export import Form, Metadata
    from hyperbudget.nn.image_model import ImageModel
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

    def model(self) -> ImageModel:
        """The selected model, trained, on the CPU, in evaluation mode.

        Raises UserError when its file is missing or damaged, or is another model's.
        """
        import torch

        from hyperbudget.data.tasks import TASKS
        from hyperbudget.nn.build import build
        from hyperbudget.nn.export import StateMismatch, fill
        from hyperbudget.train import checkpoint

        file, task = self.folder.model, TASKS[self.spec.task]
        again = f"delete {self.folder.path} and train it again with: hyperbudget run STUDY"
        state = checkpoint.load(file, torch.device("cpu"))
        if not isinstance(state, dict):
            raise UserError(f"{file}: {'damaged' if file.exists() else 'missing'}; {again}")
        with torch.random.fork_rng(devices=[]):
            model = build(self.spec.model, channels=task.channels, size=task.size, classes=task.classes)
        try:
            fill(model, state)
        except StateMismatch as error:
            raise UserError(f"{file}: the checkpoint of another model than spec.json says: {error}; {again}") from None
        return model.eval()

    def metadata(self, form: Form) -> Metadata:
        """What an exported file says about this run. Reads the data of a task whose images are normalised.

        Raises UserError as `hyperbudget.data.load.load` does.
        """
        from hyperbudget.data.load import digest, load
        from hyperbudget.data.tasks import TASKS
        from hyperbudget.nn.export import Metadata

        task, fields = TASKS[self.spec.task], self.spec.fields()
        data = load(task.name) if task.normalise else None
        mean, deviation = (None, None) if data is None else (data.mean, data.deviation)
        return Metadata(
            form=form, model=fields["model"], channels=task.channels, size=task.size, classes=task.classes,
            mean=None if mean is None else tuple(mean.tolist()),
            deviation=None if deviation is None else tuple(deviation.tolist()),
            task=task.name, run=self.name, training=fields["training"], seed=self.spec.seed,
            validation_error=self.result.get("validation_error"), test_error=self.result.get("test_error"),
            data_digest=digest(task.name) if data is None else data.digest,
        )  # fmt: skip
