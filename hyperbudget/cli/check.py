"""``hyperbudget check``."""

from __future__ import annotations

from pathlib import Path

import click

from hyperbudget.cli.common import StudyArgument, overrides


@click.command(name="check")
@click.argument("study", type=StudyArgument())
@overrides
def command(study: Path, overrides: tuple[str, ...]) -> None:
    """Validate STUDY: a study file, or the name of one that ships.

    Every mistake is told at once, with its line: file:line: key: what is wrong. Exit code 2 if there is one.
    """
    from hyperbudget.config import load

    loaded = load(study, overrides)
    parts = [_count(len(loaded.axes), "axis", "axes")]
    if (size := loaded.size()) is not None:
        parts.append(_count(size, "configuration") + (" to choose from" if loaded.iso_budget else ""))
    if loaded.search.trials is not None:
        parts.append(_count(loaded.search.trials, "trial"))
    parts.append(_count(len(loaded.search.seeds), "seed"))
    click.echo(f"{loaded.name}: valid; {', '.join(parts)}")


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
