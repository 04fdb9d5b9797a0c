"""``hyperbudget export``: a finished run's model as a file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import click

Format = Literal["safetensors", "onnx", "torch"]
Form = Literal["compact", "baked"]
ENDINGS: dict[str, Format] = {".safetensors": "safetensors", ".onnx": "onnx", ".pt": "torch", ".pth": "torch"}


@click.command("export")
@click.argument("run")
@click.option(
    "--format", "wanted", type=click.Choice(["safetensors", "onnx", "torch"]),
    help="By default what --out ends in, else safetensors.",
)  # fmt: skip
@click.option(
    "--form", type=click.Choice(["compact", "baked"]),
    help="compact: what was learnt, generator and embeddings; baked: a plain network. By default compact, onnx baked.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="File or folder; by default RUN-FORM.* here.")
@click.option("--study", help="Look for RUN in this study's results only.")
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
def command(
    run: str, wanted: Format | None, form: Form | None, out: Path | None, study: str | None, force: bool
) -> None:
    """Write the model of a finished RUN to a file; its path and its size are printed.

    RUN is a run's name (the hash that its folder in results/STUDY/runs is called), the beginning of it, or the path
    of that folder. Python reads safetensors and torch files back with hyperbudget.nn.export.load_export.

    Exit status: 0, or 2 for bad input.
    """
    from hyperbudget.cli.common import results_of
    from hyperbudget.errors import UserError
    from hyperbudget.nn.export import FORMATS, write_export
    from hyperbudget.study.results.finished import find_run

    chosen: Format = wanted or ENDINGS.get(out.suffix if out else "", "safetensors")
    form = form or ("baked" if chosen == "onnx" else "compact")
    if chosen == "onnx" and form == "compact":
        raise UserError("--form compact: onnx holds plain networks only; use --form baked, or another --format")
    found = find_run(run, results_of(study) if study else None)
    target = out or Path()
    if target.is_dir():
        target = target / f"{found.name}-{form}{FORMATS[chosen]}"
    if target.exists() and not force:
        raise UserError(f"{target}: exists; give another --out, or --force to overwrite it")
    model, metadata = found.load()
    if metadata.data_digest and found.spec.name(metadata.data_digest) != found.name:
        click.echo(
            f"warning: run {found.name} was trained by another version of hyperbudget, under which it would have "
            "another name, and perhaps another test error",
            err=True,
        )
    size = write_export(model, dataclasses.replace(metadata, form=form), target, chosen)
    click.echo(f"{target}: {size:,} bytes ({form})")
