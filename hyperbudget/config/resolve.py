"""From a `Study` back to a study file that leaves nothing to defaults."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from hyperbudget.config.axis import plain
from hyperbudget.config.fields import FIELDS, HEADS
from hyperbudget.config.sections import SECTIONS, Section

if TYPE_CHECKING:
    from hyperbudget.config.study import Study


def resolve(study: Study) -> dict[str, Any]:
    """Plain data that loads to an equal study."""
    entries = {name: plain(study.fixed[name]) for name in FIELDS if name in study.fixed}
    entries |= {axis.name: axis.entry() for axis in study.axes}
    order = dict.fromkeys((*(name for name in HEADS if name in entries), *entries))
    resolved: dict[str, Any] = {"name": study.name, "question": study.question}
    for name in order:
        section, _, field = name.partition(".")
        if field:
            resolved.setdefault(section, {})[field] = entries[name]
        else:
            resolved[section] = entries[name]
    resolved["objectives"] = list(study.objectives)
    for section in SECTIONS:
        resolved[section] = _plain(getattr(study, section))
    del resolved["search"]["include"]
    if study.search.include:
        points = [{name: plain(value) for name, value in point.items()} for point in study.search.include]
        resolved["search"]["include"] = points
    return resolved


def _plain(section: Section) -> dict[str, Any]:
    """A section's settings, without what is not set."""
    dumped = section.model_dump(mode="json", exclude_none=True)
    if "params" in dumped:  # lists that are empty stand for nothing there
        dumped["params"] = {name: value for name, value in dumped["params"].items() if value != []}
    return dumped


def to_yaml(data: dict[str, Any]) -> str:
    """`data` as YAML 1.2, short lists and mappings on one line."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 1_000_000
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
