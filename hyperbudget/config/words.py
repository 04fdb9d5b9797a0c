"""pydantic's errors in plain words that name the value."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from hyperbudget.config.problems import Key, Problems, did_you_mean, listed, show

INVALID: Any = object()
"""Stands for a value that was refused, and whose problems have been recorded."""

_WORDS: dict[str, str] = {
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "finite_number": "is not a finite number",
    "bool_type": "is not true or false",
    "string_type": "is not a text",
    "list_type": "is not a list",
    "tuple_type": "is not a list",
    "dict_type": "is not a mapping",
    "model_type": "is not a mapping",
    "too_short": "is empty; give at least one",
    "greater_than": "is not greater than {gt}",
    "less_than": "is not less than {lt}",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is greater than {le}",
}

_TRUTH = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def wrong(what: str) -> PydanticCustomError:
    """An error for a validator to raise; `what` is shown as it stands."""
    return PydanticCustomError("plain", "{what}", {"what": what})


def checked(adapter: TypeAdapter[Any], raw: Any, where: Key, problems: Problems, key: Key | None = None) -> Any:
    """The typed value, or `INVALID` with every problem recorded (shown under the name `key`, if given)."""
    try:
        return adapter.validate_python(raw)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            problems.add((*where, *details["loc"]), words(details), key)
        return INVALID


def checked_model(model: type[BaseModel], raw: Any, where: Key, problems: Problems) -> Any:
    """A section of the study file as a `model`, or `INVALID`. A section left empty has its defaults."""
    try:
        return model.model_validate({} if raw is None else raw)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            problems.add((*where, *details["loc"]), words(details, model))
        return INVALID


def words(error: ErrorDetails, model: type[BaseModel] | None = None) -> str:
    """One error, of `model` if it is a model's, as a sentence without its place."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return "required"
    if kind == "extra_forbidden" and model is not None:
        return unknown_key(str(error["loc"][-1]), _keys(model, error["loc"]))
    if kind == "literal_error":
        return not_one_of(value, re.findall(r"'([^']*)'", context["expected"]))
    if kind == "plain":
        return str(context["what"])
    if kind == "bool_type" and isinstance(value, str) and value in _TRUTH:
        return f"{show(value)} is a text in YAML 1.2; write {_TRUTH[value]}"
    bounds = {name: f"{bound:g}" for name, bound in context.items() if isinstance(bound, int | float)}
    return f"{show(value)} {_WORDS[kind].format(**bounds)}" if kind in _WORDS else f"{show(value)}: {error['msg']}"


def unknown_key(name: str, options: list[str]) -> str:
    """``unknown key; did you mean 'width'?``, or the keys there are."""
    return "unknown key" + (did_you_mean(name, options) or f"; the keys here are {listed(options)}")


def not_one_of(value: Any, options: list[str]) -> str:
    """``'gird' is not one of grid, random; did you mean 'grid'?``"""
    return f"{show(value)} is not one of {listed(options)}{did_you_mean(value, options)}"


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A validator of lists: no item twice."""
    if twice := first_repeated(values):
        raise wrong(f"{show(twice[0])} stands in the list twice")
    return values


def filled(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A validator of lists: at least one item, and none twice."""
    if not values:
        raise wrong("[] is empty; give at least one")
    return distinct(values)


def first_repeated(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first value that stands in `values` a second time, as a tuple of one; else ``()``."""
    for index, value in enumerate(values):
        if value in values[:index]:
            return (value,)
    return ()


def _keys(model: type[BaseModel], loc: Key) -> list[str]:
    """The keys of the (sub)model that the last part of `loc` was looked for in."""
    for part in loc[:-1]:
        annotation = model.model_fields[str(part)].annotation
        model = next(kind for kind in (annotation, *get_args(annotation)) if hasattr(kind, "model_fields"))
    return list(model.model_fields)
