"""What is wrong with a study file: every problem with its place, the value at fault and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from hyperbudget.errors import UserError

Key = tuple[str | int, ...]
"""The way to a value: ``("model", "width", "grid", 2)``."""


class Place(NamedTuple):
    """Where something was written, as the user shall read it; places sort by `order`."""

    order: int
    text: str


class Problem(NamedTuple):
    """One mistake; as a string ``file:line: key: what is wrong``."""

    place: Place
    key: str
    what: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place.text, self.key, self.what) if part)


class StudyFileError(UserError):
    """A study file that cannot be used: all of its `problems`, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Problems:
    """The mistakes found so far in one study file."""

    def __init__(self, file: str) -> None:
        self.file = Place(0, file)
        self.places: dict[Key, Place] = {}
        self.found: list[Problem] = []

    def add(self, where: Key, what: str, key: Key | None = None) -> None:
        """Record that the value at `where` is wrong, shown under the name `key` (default: `where` itself)."""
        self.complain(self.place(where), dotted(where if key is None else key), what)

    def complain(self, place: Place, key: str, what: str) -> None:
        """Record a problem at a `place` that is known."""
        self.found.append(Problem(place, key, what))

    def place(self, where: Key) -> Place:
        """Where the value was written, or, if it was not, the nearest mapping that it belongs to."""
        return nearest(self.places, where, self.file)

    def raise_any(self) -> None:
        """Raise StudyFileError with everything found, in the order of the file, if there is anything."""
        if self.found:
            raise StudyFileError(sorted(self.found, key=lambda problem: problem.place.order))


def nearest(places: Mapping[Key, Place], key: Key, file: Place) -> Place:
    """Where the value at `key` was written, or, if it was not, the nearest mapping that it belongs to; else `file`."""
    while key not in places and key:
        key = key[:-1]
    return places.get(key, file)


def dotted(key: Key) -> str:
    """``model.width``, ``search.seeds[1]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


def did_you_mean(word: Any, options: Iterable[str]) -> str:
    """``; did you mean 'width'?``, or nothing if no option is near."""
    near = get_close_matches(word, list(options), n=1) if isinstance(word, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""


def listed(values: Iterable[Any]) -> str:
    """``8, 10, 'a'``: values separated by commas, words without quotes."""
    return ", ".join(value if isinstance(value, str) else show(value) for value in values)


def show(value: Any) -> str:
    """A value as the user wrote it, on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}: {show(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(map(show, value)) + "]"
    else:
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
