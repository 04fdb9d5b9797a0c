"""What a study's runs and configurations say in MLflow: their tags, parameters and numbers, from specs and results."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hyperbudget.data.load import digest
from hyperbudget.errors import UserError
from hyperbudget.study.folder import StudyFolder, masked, read_json
from hyperbudget.study.provenance import versions
from hyperbudget.study.search.candidates import Candidate
from hyperbudget.study.tracking.bands import band
from hyperbudget.study.tracking.changes import Change, End, Number, Origin
from hyperbudget.study.tracking.tracker import (
    CONFIGURATION_TAG,
    RUN_TAG,
    STATUS_TAG,
    TRIAL_TAG,
    Tracker,
    flat,
    milliseconds,
)  # fmt: skip
from hyperbudget.study.tracking.writer import Writer
from hyperbudget.train.spec import RunSpec

if TYPE_CHECKING:
    from hyperbudget.study.workers.job import Evaluation

NUMBERS = ("validation_error", "test_error", "best_step", "seconds", "compact_bytes", "validation_error_so_far")
TAGS = ("metric", "device", "host", "finished")
MEANS = ("validation_error", "test_error")
ENDS = {"finished": "FINISHED", "failed": "FAILED", "pruned": "KILLED"}
"""MLflow's word for each of ours, which stands in the tag ``status``; ``KILLED`` is also what was interrupted."""


class Record:
    """The engine's account of a study in MLflow. Nothing waits for MLflow: what is said here is queued, merged while it
    waits, and written by a thread (`hyperbudget.study.tracking.writer`) that an outage of the store only delays.

    Every method may be called again with the same arguments: what is written then is what is there. A driver that dies
    loses its queue; the next one finds in `complete` and `configuration_complete` what it has to say again.
    """

    def __init__(self, tracker: Tracker, folder: StudyFolder, patience: float | None = None) -> None:
        self.tracker, self.folder = tracker, folder
        self._found = tracker.found
        self.configurations = {
            int(found.tags[TRIAL_TAG]): found.tags[CONFIGURATION_TAG]
            for key, found in self._found.items()
            if key.startswith(f"{RUN_TAG}=")
        }
        """Trial -> name of its configuration, of all whose runs were begun before."""
        self._open = {key for key, found in self._found.items() if found.status == "RUNNING"}
        self._versions = {f"version.{name}": version for name, version in versions().items()}
        self._writer = Writer(tracker.write, f"MLflow's store {masked(tracker.uri)}", patience)

    # -- what was there when the study was opened -----------------------------------------------------------------

    def complete(self, name: str) -> bool:
        """Whether MLflow had all of run `name`, which has a result, when the study was opened."""
        found = self._found.get(f"{RUN_TAG}={name}")
        if found is None or "host" not in found.tags:  # only results say it, not the faults of machines
            return False
        status = found.tags.get(STATUS_TAG, found.status.lower())
        if ENDS.get(status) != found.status:
            return False
        return status != "finished" or "validation_error" in found.numbers

    def configuration_complete(self, key: str, seeds: int) -> bool:
        """Whether MLflow had all of configuration `key`, over so many seeds, when the study was opened."""
        found = self._found.get(f"{CONFIGURATION_TAG}={key}")
        if found is None or found.numbers.get("seeds") != seeds or f"{CONFIGURATION_TAG}={key}" in self._open:
            return False
        return ENDS.get(found.tags.get(STATUS_TAG, "")) == found.status

    # -- what happens ---------------------------------------------------------------------------------------------

    def run_begun(self, name: str, spec: RunSpec, chosen: Candidate, trial: int) -> None:
        """Run `name` of configuration `chosen` is under way, as part of Optuna's `trial`."""
        tags = {
            "family": spec.model.family.name,
            "task": spec.task,
            "hyperbudget.label": chosen.label,
            "budget_band": band(chosen.anatomy.learnable, self.tracker.study),
        }
        running, now = {STATUS_TAG: "running"}, int(1000 * time.time())
        parent = Origin(f"{CONFIGURATION_TAG}={chosen.name}", chosen.label, tags, now, file=self.folder.study)
        if parent.key not in self._open:
            self._open.add(parent.key)
            settings = partial(_settings, parent.key, spec, chosen)
            self._writer.put(Change(parent.key, parent, dict(running), rest=(settings,)), last=True)
        checksum = digest(spec.task)
        own = tags | {CONFIGURATION_TAG: chosen.name, TRIAL_TAG: str(trial), "data_digest": checksum}
        origin = Origin(
            f"{RUN_TAG}={name}", f"{chosen.label} seed {spec.seed}", own, now, parent, data=(spec.task, checksum)
        )
        self._open.add(origin.key)
        seed = {"seed": str(spec.seed)}
        self._writer.put(
            Change(origin.key, origin, running, seed, rest=(partial(_settings, origin.key, spec, chosen),))
        )

    def evaluated(self, name: str, evaluation: Evaluation) -> None:
        """Run `name` was evaluated while it trains."""
        values = {"train_loss": evaluation.train_loss, "validation_error": evaluation.validation_error}
        key = f"{RUN_TAG}={name}"
        numbers = _evaluation(evaluation.step, evaluation.seconds, values)
        for name, value in (evaluation.usage or {}).items():
            numbers.append(Number(name, value, evaluation.step, None, evaluation.seconds, told_once=True))
        self._writer.put(Change(key, numbers=numbers))

    def run_ended(self, name: str, result: Mapping[str, Any]) -> None:
        """Run `name` gave `result`, which is read again from its file where it has one, when MLflow is told."""
        key, status = f"{RUN_TAG}={name}", result["status"]
        folder = self.folder.run(name)
        given = None if folder.result.exists() else result  # of a fault of the machine, of which there is no file
        self._open.discard(key)
        self._writer.put(
            Change(
                key,
                files=[folder.model] if status == "finished" else [],
                end=End(ENDS[status], milliseconds(result["finished"])),
                rest=(lambda: self._told(key, given or read_json(folder.result) or {}),),
            )
        )

    def _told(self, key: str, result: Mapping[str, Any]) -> Change:
        """What MLflow's run `key` is told of its `result`; nothing of one that is gone, as when its run goes on."""
        if not result:
            return Change(key)
        stamp = milliseconds(result["finished"])
        numbers = {key: result[key] for key in NUMBERS if result.get(key) is not None}
        dynamics = flat("dynamics", result.get("dynamics") or {})  # an older result has none
        numbers |= {key: value for key, value in dynamics.items() if not isinstance(value, list)}
        tags = {key: str(result[key]) for key in TAGS if result.get(key)}
        tags |= {key: str(value) for key, value in flat("hardware", result.get("hardware", {})).items()}
        tags |= {key: json.dumps(value) for key, value in dynamics.items() if isinstance(value, list)}
        tags |= self._versions | {STATUS_TAG: result["status"], "reason": result.get("reason") or ""}
        told = [Number(metric, float(value), 0, stamp) for metric, value in numbers.items()]
        return Change(key, tags=tags, numbers=_curve(result) + told)

    def configuration_ended(self, key: str, results: Sequence[Mapping[str, Any]]) -> None:
        """All runs of configuration `key` that the study wants by now have ended, with `results`."""
        statuses = {result["status"] for result in results}
        status = next(status for status in ("failed", "pruned", "finished") if status in statuses)
        means = {
            name: statistics.fmean(result[name] for result in results) for name in MEANS if statuses == {"finished"}
        }
        stamp = max(milliseconds(result["finished"]) for result in results)
        numbers = [Number(name, value, 0, stamp) for name, value in (means | {"seeds": len(results)}).items()]
        found = f"{CONFIGURATION_TAG}={key}"
        self._open.discard(found)
        end = End(ENDS[status], stamp)
        self._writer.put(Change(found, tags={STATUS_TAG: status}, numbers=numbers, end=end), last=True)

    # -- the end --------------------------------------------------------------------------------------------------

    def interrupt(self, limit: float | None = None) -> None:
        """End whatever is still open as KILLED (a later call takes it up again), and wait until all is written.

        `limit`: so many seconds at most. Raises UserError when MLflow's store was down for too long.
        """
        now = int(1000 * time.time())
        for key in sorted(self._open):
            self._writer.put(Change(key, tags={STATUS_TAG: "interrupted"}, end=End("KILLED", now)), last=True)
        self._open.clear()
        self._writer.flush(limit)

    def behind(self) -> float:
        """Seconds since MLflow's store first failed to answer; 0 while it answers."""
        return self._writer.behind()

    def lost(self) -> UserError | None:
        """What to tell the user when the store was down for too long, or refuses what it is told; else None."""
        return self._writer.lost()

    def close(self, limit: float | None = None) -> None:
        """Wait until all is written, `limit` seconds at most, and end the thread. Raises UserError as `interrupt`."""
        self._writer.close(limit)


def _settings(key: str, spec: RunSpec, chosen: Candidate) -> Change:
    """What MLflow's run `key` is told of its configuration."""
    fields = {"task": spec.task, **flat("model", spec.model.fields()), **flat("training", spec.fields()["training"])}
    numbers = [Number(metric, float(value)) for metric, value in chosen.metrics().items()]
    return Change(key, params={field: str(value) for field, value in fields.items()}, numbers=numbers)


def _curve(result: Mapping[str, Any]) -> list[Number]:
    """All evaluations of a run; those of an older result are not timed, and count as made at its end."""
    curve = result.get("curve") or {"step": []}
    untimed = result.get("seconds") or 0.0
    numbers: list[Number] = []
    for index, step in enumerate(curve["step"]):
        seconds = curve["seconds"][index] if "seconds" in curve else None
        values = {name: curve[name][index] for name in curve if name not in ("step", "seconds")}
        numbers += _evaluation(step, seconds, values, untimed)
    return numbers


def _evaluation(step: int, seconds: float | None, values: Mapping[str, float], untimed: float = 0.0) -> list[Number]:
    """The numbers of an evaluation, `seconds` after the start of its training."""
    after = untimed if seconds is None else seconds
    timed = values if seconds is None else {**values, "seconds": seconds}
    return [Number(f"curve.{name}", float(value), step, None, after, True) for name, value in timed.items()]
