"""What an MLflow run is still to be told: made by the driver, merged while it waits, written by one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Number:
    """A value of a metric. `stamp`: when it was, in milliseconds; None: `after` seconds behind the start of its run.

    `told_once`: it belongs to an evaluation, and MLflow hears of an evaluation once.
    """

    name: str
    value: float
    step: int = 0
    stamp: int | None = None
    after: float = 0.0
    told_once: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """How an MLflow run is made where there is none.

    `key` is the tag that finds it, ``hyperbudget.run=NAME``; `label` names it for its readers; `parent` is the run of
    its configuration, which is made before.
    """

    key: str
    label: str
    tags: Mapping[str, str]
    began: int
    """In milliseconds."""
    parent: Origin | None = None
    file: Path | None = None
    """Attached to it."""
    data: tuple[str, str] | None = None
    """Name and checksum of what it trains on."""


@dataclass(frozen=True, slots=True)
class End:
    """How an MLflow run ends: ``FINISHED``, ``FAILED`` or ``KILLED``; `stamp` is when, in milliseconds."""

    status: str
    stamp: int


@dataclass(slots=True)
class Change:
    """What is to be written to the MLflow run `key`. Writing it twice is the same as writing it once.

    With an `origin` the run is under way from here on; without one there is a run. `rest` is what else there is to say,
    made when it is written: so a queue of thousands of runs does not hold their parameters and their results.
    """

    key: str
    origin: Origin | None = None
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    numbers: list[Number] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    end: End | None = None
    rest: tuple[Callable[[], Change], ...] = ()

    @property
    def label(self) -> str:
        """For messages."""
        return self.origin.label if self.origin else self.key.partition("=")[2]

    def merge(self, later: Change) -> None:
        """Say what `later` says, too."""
        self.tags |= later.tags
        self.params |= later.params
        self.numbers += later.numbers
        self.files += [file for file in later.files if file not in self.files]
        if later.origin or later.end:
            self.rest = (*self.rest, *later.rest) if later.end else later.rest
            self.origin, self.end = later.origin or self.origin, later.end

    def whole(self) -> Change:
        """All that there is to say."""
        said = Change(
            self.key, self.origin, dict(self.tags), dict(self.params), [*self.numbers], [*self.files], self.end
        )
        for more in self.rest:
            said.merge(more())
        return said
