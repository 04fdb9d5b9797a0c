"""Where a study's results lie, and what each file in there is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hyperbudget.errors import UserError


@dataclass(frozen=True)
class RunFolder:
    """One run's files.

    ``spec.json``: what decides its result; ``attempt``: the token of the driver that may write here; ``checkpoint.pt``:
    the state of an unfinished training, and beside it the one before; ``model.safetensors``: the selected model as a
    compact export; ``result.json``: written last, by an atomic rename that is the run's commit point.
    """

    path: Path

    @property
    def spec(self) -> Path:
        return self.path / "spec.json"

    @property
    def attempt(self) -> Path:
        return self.path / "attempt"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.pt"

    @property
    def model(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def fault(self) -> Path:
        """What kept the machine from giving the run a result; the next call tries again."""
        return self.path / "fault.json"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    def forget_checkpoints(self) -> None:
        """Delete them: the training is over."""
        for file in self.path.glob(f"{self.checkpoint.name}*"):
            file.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Delete what a process that was killed left half written."""
        for file in self.path.glob("*.part"):
            file.unlink(missing_ok=True)


@dataclass(frozen=True)
class StudyFolder:
    """One study's files: the resolved study, Optuna's and MLflow's databases, the runs, the frame and the report."""

    path: Path

    @classmethod
    def of(cls, name: str) -> StudyFolder:
        """``$HYPERBUDGET_RESULTS/NAME``, else ``results/NAME`` in the folder that the command is called in.

        Raises UserError when the variable names no folder.
        """
        where = os.environ.get("HYPERBUDGET_RESULTS") or "results"
        if "://" in where:
            raise UserError(
                f"HYPERBUDGET_RESULTS={masked(where)}: is no folder; checkpoints need one on a disk (MLflow's files "
                "may lie elsewhere: mlflow server --artifacts-destination)"
            )
        return cls(Path(where).expanduser().absolute() / name)

    @property
    def study(self) -> Path:
        return self.path / "study.yaml"

    @property
    def stores(self) -> Path:
        return self.path / "stores.json"

    @property
    def mark(self) -> Path:
        """See `hyperbudget.study.owner`."""
        return self.path / "mark"

    @property
    def call(self) -> Path:
        return self.path / "call.json"

    @property
    def scope(self) -> Path:
        return self.path / "scope.json"

    @property
    def frame(self) -> Path:
        return self.path / "runs.parquet"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    def run(self, name: str) -> RunFolder:
        return RunFolder(self.runs / name)

    def all_runs(self) -> Iterator[RunFolder]:
        """Every run that was ever begun, in the order of names."""
        if self.runs.is_dir():
            yield from (RunFolder(path) for path in sorted(self.runs.iterdir()) if path.is_dir())

    def default_storage(self) -> str:
        """Optuna's storage unless another is asked for."""
        return f"sqlite:///{self.path / 'optuna.db'}"

    def default_tracking(self) -> str:
        """MLflow's store unless another is asked for."""
        return f"sqlite:///{self.path / 'mlflow.db'}"


@dataclass(frozen=True)
class Stores:
    """Where a study's trials and runs are recorded. Passwords are kept here only, for the next call."""

    storage: str = field(repr=False)
    tracking: str = field(repr=False)

    def write(self, folder: StudyFolder) -> None:
        """Keep them for the study's later calls; files in its folder by their place there, as it may be moved."""
        uris = {"storage": relative(self.storage, folder.path), "tracking": relative(self.tracking, folder.path)}
        write_json(folder.stores, uris, private=any(masked(uri) != uri for uri in uris.values()))

    @classmethod
    def of(cls, folder: StudyFolder, storage: str | None = None, tracking: str | None = None) -> Stores:
        """The given ones, else those of the study's earlier calls, else databases in its folder.

        Raises UserError when the study has runs and was begun with other ones: its trials would not be found there. A
        password may change.
        """
        begun = {key: _kept(uri, folder.path) for key, uri in (read_json(folder.stores) or {}).items()}
        storage, tracking = absolute(storage), absolute(tracking)
        has_runs = any(folder.all_runs())
        for option, given, key in (("--storage", storage, "storage"), ("--tracking-uri", tracking, "tracking")):
            if given == "":
                raise UserError(f"{option}: is empty; give a URI, or leave the option out")
            if given and has_runs and masked(begun.get(key, given)) != masked(given):
                raise UserError(
                    f"{option} {masked(given)}: this study was begun with {masked(begun[key])}; leave the option out "
                    "to go on there, or start anew with --fresh"
                )
        storage = storage or begun.get("storage") or folder.default_storage()
        tracking = tracking or begun.get("tracking") or folder.default_tracking()
        if storage == tracking:
            raise UserError(f"--tracking-uri {masked(tracking)}: is --storage, too; Optuna and MLflow need one each")
        return cls(storage, tracking)


def absolute(uri: str | None, base: Path | None = None) -> str | None:
    """`uri`, the path of its file counted from the root, not from `base` (default: the folder that the command is
    called in): the next call may be in another folder.
    """
    match = _FILE.fullmatch(uri or "")
    if match is None or match["path"].startswith(("/", "~")):
        return uri
    return f"{match['scheme']}{(base or Path.cwd()) / match['path']}{match['query']}"


def relative(uri: str, base: Path) -> str:
    """`uri`, the path of its file counted from `base` if it is in there."""
    match = _FILE.fullmatch(uri)
    if match is None or not Path(match["path"]).is_relative_to(base):
        return uri
    return f"{match['scheme']}{Path(match['path']).relative_to(base)}{match['query']}"


def _kept(uri: str, base: Path) -> str:
    """What `Stores.write` kept as `uri` in the folder `base`. Earlier versions kept whole paths: what has none of its
    files any more, but one of the same name in `base`, was moved with it.
    """
    match = _FILE.fullmatch(uri)
    if match and match["path"].startswith("/") and not Path(match["path"]).exists():
        moved = base / Path(match["path"]).name
        if moved.exists():
            return f"{match['scheme']}{moved}{match['query']}"
    return absolute(uri, base) or uri


_FILE = re.compile(r"(?P<scheme>sqlite:///|journal:)(?P<path>[^:?][^?]*)(?P<query>.*)")
"""A store that is a file, not one in memory. Its path may begin at the root."""


def masked(text: str) -> str:
    """`text`, such as a URI or what an error says of one, fit to be shown: without the passwords of the URIs in it."""
    return _IN_QUERY.sub(r"\1***", _BEFORE_HOST.sub(r"\1:***@", text))


_BEFORE_HOST = re.compile(r"(://[^\s:/@]*):\S*@")
_IN_QUERY = re.compile(r"(?i)([?&][\w-]*(?:password|passwd|pwd|token|secret)=)[^&\s'\"]+")


def write_text(path: Path, text: str, *, private: bool = False, durable: bool = False) -> None:
    """As `write_bytes`."""
    write_bytes(path, text.encode("utf-8"), private=private, durable=durable)


def write_bytes(path: Path, data: bytes, *, private: bool = False, durable: bool = False) -> None:
    """Write `data` to `path`, whole or not at all; `private`: nobody else may read it; `durable`: on the disk, too."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    if private:
        partial.touch(mode=0o600)
    with partial.open("wb") as file:
        file.write(data)
        if durable:  # or a power cut might leave the new name with nothing in it
            file.flush()
            os.fsync(file.fileno())
    partial.replace(path)


def write_json(path: Path, value: Any, *, private: bool = False, durable: bool = False) -> None:
    """As `write_text`."""
    write_text(path, json.dumps(value, indent=1) + "\n", private=private, durable=durable)


def read_json(path: Path) -> Any | None:
    """What `write_json` wrote, or None when there is no such file. Raises UserError when it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"{path}: damaged ({error}); delete this file and run the command again") from None
