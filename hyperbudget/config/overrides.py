"""``--set a.b=c``: values from the command line, put into the study file's data before it is validated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hyperbudget.config.problems import Key, Place, Problems, dotted, show
from hyperbudget.config.yaml_reader import Document, YamlSyntaxError

_AFTER_THE_FILE = 1_000_000_000


def override(data: dict[str, Any], overrides: Sequence[str], problems: Problems) -> None:
    """Put each of `overrides` into `data`; later problems with these values are placed at the override."""
    for index, text in enumerate(overrides):
        place = Place(_AFTER_THE_FILE + index, f"--set {text}")
        name, equals, value = text.partition("=")
        key: Key = tuple(name.strip().split("."))
        if not equals or "" in key:
            problems.complain(place, "", "is not KEY=VALUE, such as training.steps=500")
            continue
        try:
            document = Document(value)
        except YamlSyntaxError as error:
            problems.complain(place, dotted(key), error.what)
            continue
        for inner, _, what in document.problems:
            problems.complain(place, dotted((*key, *inner)), what)
        if (what_is_there := _put(data, key, document.data)) is not None:
            problems.complain(place, dotted(key), what_is_there)
            continue
        problems.places = {old: p for old, p in problems.places.items() if old[: len(key)] != key}
        for length in range(1, len(key)):
            problems.places.setdefault(key[:length], place)
        problems.places[key] = place


def _put(data: dict[str, Any], key: Key, value: Any) -> str | None:
    """Set the value, making the mappings on the way to it; returns what is wrong if there is something else there."""
    for length, part in enumerate(key[:-1], start=1):
        if data.get(str(part)) is None:
            data[str(part)] = {}
        below: Any = data[str(part)]
        if not isinstance(below, dict):
            return f"{dotted(key[:length])} is {show(below)} and has no keys; set it as a whole"
        data = below
    data[str(key[-1])] = value
    return None
