"""Read a study file: everything that is wrong with it is found in one go."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hyperbudget.config.include import check_include, read_include
from hyperbudget.config.overrides import override
from hyperbudget.config.problems import Place, Problems, dotted, listed, show
from hyperbudget.config.sections import NAME, OBJECTIVES, QUESTION, SECTIONS, Budget, Report, Resources, Search
from hyperbudget.config.space import SPACE_SECTIONS, Space
from hyperbudget.config.study import Refused, Study
from hyperbudget.config.words import INVALID, checked, checked_model, unknown_key
from hyperbudget.config.yaml_reader import Document, YamlSyntaxError

KEYS = ("question", "name", "task", *SPACE_SECTIONS, "objectives", *SECTIONS)
CHECKED_CONFIGURATIONS = 20_000
"""Spaces up to this size are searched for one configuration that can be built."""


def load(path: str | Path, overrides: Sequence[str] = ()) -> Study:
    """The study in the file at `path`, with ``a.b=c`` `overrides` put into it before it is validated.

    Raises StudyFileError with every problem of the file and the overrides.
    """
    path = Path(path)
    problems = Problems(str(path))
    data = _read(path, problems)
    override(data, overrides, problems)
    for name in data:
        if name not in KEYS:
            problems.add((name,), unknown_key(name, list(KEYS)))
    settings = _settings(data, path, problems)
    space = Space(data, problems)
    if settings["search"] is not INVALID:
        settings["search"] = read_include(settings["search"], space, problems)
    _search(settings["search"], space, problems)
    _report(settings["report"], space, problems)
    _pruner(settings["search"], space, problems)
    _runs(settings["budget"], settings["search"], problems)
    _iso_budget(settings["budget"], settings["search"], problems)
    _pack(settings["resources"], space, problems)
    problems.raise_any()
    axes = tuple(space.axes.values())
    study = Study(path=path.absolute(), axes=axes, fixed=space.fixed, places=problems.places, **settings)
    _buildable(study, problems)
    check_include(study, problems)
    problems.raise_any()
    return study


def _read(path: Path, problems: Problems) -> dict[str, Any]:
    """The file's data. Raises StudyFileError when there is no mapping to go on with."""
    try:
        document = Document(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        problems.add((), "no such file")
    except OSError as error:
        problems.add((), f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problems.complain(Place(line, f"{path}:{line}"), "", f"not UTF-8 text: byte 0x{error.object[error.start]:02x}")
    except YamlSyntaxError as error:
        problems.complain(Place(error.line, f"{path}:{error.line}"), "", error.what)
    else:
        if document.empty:
            problems.add((), "empty; a study file has at least a question, a task and a model")
        problems.places = {key: Place(line, f"{path}:{line}") for key, line in document.lines.items()}
        for key, line, what in document.problems:
            problems.complain(Place(line, f"{path}:{line}"), dotted(key), what)
        if isinstance(document.data, dict):
            return document.data
        if not problems.found:
            problems.add((), f"{show(document.data)} is not a mapping that begins like 'question: ...'")
    problems.raise_any()
    raise AssertionError("unreachable")


def _settings(data: Mapping[str, Any], path: Path, problems: Problems) -> dict[str, Any]:
    """Everything but the search space, each typed or `INVALID`."""
    settings: dict[str, Any] = {
        section: checked_model(model, data.get(section), (section,), problems) for section, model in SECTIONS.items()
    }
    if "question" in data:
        settings["question"] = checked(QUESTION, data["question"], ("question",), problems)
    else:
        problems.add(("question",), "required; say what the study asks")
    if "name" in data:
        settings["name"] = checked(NAME, data["name"], ("name",), problems)
    elif (name := checked(NAME, path.stem, ("name",), Problems(""))) is INVALID:
        problems.add(("name",), f"the file's name, {path.stem!r}, is none for a study; give one with name: ...")
    else:
        settings["name"] = name
    objectives = data.get("objectives", ["validation_error", "learnable_parameters"])
    settings["objectives"] = checked(OBJECTIVES, objectives, ("objectives",), problems)
    return settings


def _search(search: Search, space: Space, problems: Problems) -> None:
    """Whether the sampler can do with the axes."""
    if search is INVALID:
        return
    if search.sampler == "grid":
        for axis in space.axes.values():
            if axis.kind == "between":
                others = "random, tpe, nsga2 or gp"
                what = f"a grid search has no place for between; give a grid, or set search.sampler to {others}"
                problems.add((*axis.name.split("."), "between"), what, tuple(axis.name.split(".")))
        if search.trials is not None:
            what = f"{search.trials} is of no use to the sampler grid, which tries everything; remove it"
            problems.add(("search", "trials"), what)
    elif search.trials is None:
        problems.add(("search", "trials"), f"required by the sampler {search.sampler}: how many configurations to try")
    elif search.trials < len(search.include):
        what = f"{search.trials} is less than the {len(search.include)} configurations of search.include; raise it"
        problems.add(("search", "trials"), what)


def _pruner(search: Search, space: Space, problems: Problems) -> None:
    """Whether the pruner has evaluations to judge trainings by."""
    if search is INVALID or search.pruner in ("none", "wilcoxon"):
        return
    steps, every = space.ends("training.steps"), space.ends("training.evaluate_every")
    if steps and every and every[0] >= steps[1]:
        what = (
            f"{search.pruner} judges a training at its evaluations before the last, and there are none: "
            f"training.evaluate_every is {every[0]:g}, of {steps[1]:g} steps; lower it, or take another pruner"
        )
        problems.add(("search", "pruner"), what)


def _runs(budget: Budget, search: Search, problems: Problems) -> None:
    """Whether the budget of runs is enough for one configuration."""
    if INVALID in (budget, search) or budget.runs is None or budget.runs >= len(search.at_first):
        return
    first = len(search.at_first)
    what = f"{budget.runs} is less than the {first} seeds of one configuration, so nothing would be trained; raise it"
    problems.add(("budget", "runs"), what)


def _pack(resources: Resources, space: Space, problems: Problems) -> None:
    """Whether there is anything that packs are for."""
    if resources is INVALID or not isinstance(resources.pack, int):
        return
    networks = space.domain("model.network")
    if resources.pack > 1 and networks and "language_model" not in networks:
        what = f"{resources.pack}: packs are of language models, and this study has {listed(networks)}; remove it"
        problems.add(("resources", "pack"), what)


def _iso_budget(budget: Budget, search: Search, problems: Problems) -> None:
    """Whether the budgets to land on go with the sampler."""
    if INVALID in (budget, search) or budget.params is None or not budget.params.at:
        return
    if search.sampler != "grid":
        what = (
            f"needs the sampler grid, which tries all that lands on a budget; {search.sampler} would look for it in "
            "vain: give budget.params.min and max, or set search.sampler to grid"
        )
        problems.add(("budget", "params", "at"), what)


def _report(report: Report, space: Space, problems: Problems) -> None:
    families = space.domain("model.family")
    if report is not INVALID and report.baseline is not None and families and report.baseline not in families:
        problems.add(
            ("report", "baseline"), f"{report.baseline!r} is no family of this study, which has {listed(families)}"
        )


def _buildable(study: Study, problems: Problems) -> None:
    """Record a problem if no configuration can be built. One that cannot is no mistake: it is refused in its turn.

    Axes between two numbers stand at their lower end here, so what they have a part in gets the benefit of the doubt.
    """
    ranges = {axis.name.partition(".")[0] for axis in study.axes if axis.values is None}
    refusals: list[Refused] = []
    for point in itertools.islice(study.corners(), CHECKED_CONFIGURATIONS + 1):
        try:
            study.configure(lambda axis, point=point: point[axis.name])  # type: ignore[misc]
            return
        except Refused as refused:
            refusals.append(refused)
            if refused.field.partition(".")[0] in ranges:
                return
    if len(refusals) <= CHECKED_CONFIGURATIONS:
        first, count = refusals[0], len(refusals)
        what = (
            f"none of the {count} configurations can be built; the first: {first.problem}"
            if count > 1
            else first.problem
        )
        problems.add(tuple(first.field.split(".")), what)
