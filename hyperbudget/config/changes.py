"""What a study cannot become without becoming another one."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from hyperbudget.config.axis import plain
from hyperbudget.config.fields import FIELDS, HEADS
from hyperbudget.config.problems import Key, dotted, show
from hyperbudget.config.study import Study


class Change(NamedTuple):
    """A setting, by the way to it in the study file, and its values."""

    key: Key
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{dotted(self.key)}: {show(self.before)} before, {show(self.now)} now"


def changes(before: Study, now: Study) -> list[Change]:
    """How the meaning of a study differs between two states of its file; what may change is left out.

    Objectives and sampler stay what they are. In a grid every axis may have other values, more or fewer, and a field
    with one value may become an axis that has it among others: what a configuration means does not depend on which
    others there are. A sampler that learns has learnt of one space: there the axes, all other fields and the budget of
    parameters stay as well. The question, trials, seeds, other budgets, resources and report may always change.
    """
    found = [
        Change(("objectives",), before.objectives, now.objectives),
        Change(("search", "sampler"), before.search.sampler, now.search.sampler),
    ]
    if before.search.sampler == "grid":
        found += [_fixed(before, now, name) for name in FIELDS]
    else:
        found += [Change(FIELDS[name].where, _entry(before, name), _entry(now, name)) for name in FIELDS]
        found.append(Change(("search", "seed"), before.search.seed, now.search.seed))
        found.append(Change(("budget", "params"), _params(before), _params(now)))
    return [change for change in found if change.before != change.now]


def _fixed(before: Study, now: Study, name: str) -> Change:
    """What has become of the value of a field that was no axis; no change where it is still possible."""
    had, has = _possible(before, name), _possible(now, name)
    same = before.axis(name) is not None or not had or not has or any(value in has for value in had)
    return Change(FIELDS[name].where, _shown(had), _shown(had if same else has))


def _entry(study: Study, name: str) -> Any:
    """What stands for the field in a study file; None as well where no configuration has it."""
    axis = study.axis(name)
    if axis is None:
        return _shown(_possible(study, name))
    return {key: value for key, value in axis.entry().items() if key != "role"}


def _possible(study: Study, name: str) -> tuple[Any, ...]:
    """The values that the field can have in `study`: those of its axis, the one given, or the defaults."""
    if (axis := study.axis(name)) is not None:
        return axis.possible() or ()
    if name in study.fixed:
        return (study.fixed[name],)
    heads = {head: _possible(study, head) for head in HEADS}
    defaults = [version.default for version in FIELDS[name].in_use(heads)]
    return tuple(default for default in defaults if default is not dataclasses.MISSING)


def _shown(values: tuple[Any, ...]) -> Any:
    return plain(values[0] if len(values) == 1 else values)


def _params(study: Study) -> Any:
    params = study.budget.params
    return params and params.model_dump(mode="json", exclude_defaults=True)
