"""``hyperbudget sample``: text that a finished run's language model writes, and pictures of what it does meanwhile."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hyperbudget.cli.pictures import Format, check_folder, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from hyperbudget.nn.language_model import LanguageModelNet
    from hyperbudget.study.results.finished import FinishedRun


@click.command("sample")
@click.argument("run")
@click.option("--length", default=400, show_default=True, help="Symbols (bytes) to write.")
@click.option("--temperature", default=1.0, show_default=True,
              help="Below 1 the likely symbols become likelier; at 0 it is always the most likely one.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same text.")
@click.option("--prompt", help="Text that the model reads first; by default a newline, as before the first line.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for pictures; without it none are drawn.")
@click.option("--format", "ending", type=click.Choice(["png", "svg", "pdf"]), default="png", show_default=True)
@click.option("--study", help="Look for the run in this study's results only.")
def command(
    run: str, length: int, temperature: float, seed: int, prompt: str | None, out: Path | None, ending: Format,
    study: str | None,
) -> None:  # fmt: skip
    """Let the language model of a finished RUN write; its text is printed, after the prompt.

    RUN is a run's name (the hash that its folder in results/STUDY/runs is called), the beginning of it, or the path
    of that folder. The pictures, whose paths are written to stderr, are those of the paper's figures 4 to 6: how much
    each character changed the weights of a cell with dynamic weights, how far its units saturate, and how the run
    learned. Of several layers they show the last one. Bytes that are no UTF-8 are printed as U+FFFD.

    Exit status: 0, or 2 for bad input.
    """
    from hyperbudget.cli.common import results_of
    from hyperbudget.data.text import decode
    from hyperbudget.errors import UserError
    from hyperbudget.nn.generate import generate
    from hyperbudget.study.results.finished import find_run
    from hyperbudget.train.streams import stream

    if length < 1:
        raise UserError(f"--length {length}: should be at least 1")
    if not 0 <= temperature < math.inf:
        raise UserError(f"--temperature {temperature:g}: should be 0 or more, and finite")
    if out is not None:
        check_folder(out)
    found = find_run(run, results_of(study) if study else None)
    model, vocabulary = load(found)
    first = read(prompt, vocabulary)
    ids = generate(model, first, length, temperature, stream(seed, "sample"))
    whole = first.new_tensor([*first.tolist(), *ids.tolist()])
    click.echo(decode(ids if prompt is None else whole, vocabulary))
    if out is not None:
        words = f"{length:,} characters written at temperature {temperature:g} with seed {seed}, after the pale prompt."
        for said in written(draw(found, model, whole, vocabulary, len(first), words), out, ending):
            click.echo(said, err=True)


def load(run: FinishedRun) -> tuple[LanguageModelNet, bytes]:
    """The model and its vocabulary. Raises UserError as `FinishedRun.load` does, and for a network of images."""
    from hyperbudget.errors import UserError
    from hyperbudget.nn.language_model import LanguageModelNet
    from hyperbudget.nn.spec import LanguageModel

    name = run.spec.model.network.name
    if not isinstance(run.spec.model.network, LanguageModel):
        raise UserError(f"{run.name}: a {name} writes no text; give a run of a {LanguageModel.name}")
    model, metadata = run.load()
    assert isinstance(model, LanguageModelNet)
    assert metadata.vocabulary is not None
    return model, bytes(metadata.vocabulary)


def read(prompt: str | None, vocabulary: bytes) -> Tensor:
    """The prompt's ids: int64, shape (symbols,). Without one: a newline, else a space, else the first symbol.

    Raises UserError for an empty prompt, and one with other symbols than the vocabulary's.
    """
    import torch

    from hyperbudget.data.text import encode
    from hyperbudget.errors import UserError

    if prompt == "":
        raise UserError("--prompt: is empty; give at least one character, or leave it out")
    if prompt is None:
        return torch.tensor([next((place for symbol in b"\n " if (place := vocabulary.find(symbol)) >= 0), 0)])
    return encode(prompt, vocabulary, "--prompt").long()


def draw(
    run: FinishedRun, model: LanguageModelNet, ids: Tensor, vocabulary: bytes, given: int, words: str
) -> dict[str, Figure | str]:
    """The pictures by name, or why there is none."""
    from hyperbudget.analyze.dynamics import Saturation, WeightChanges
    from hyperbudget.analyze.learning import LearningCurve
    from hyperbudget.cli.describe import describe_run
    from hyperbudget.figures.learning import learning
    from hyperbudget.figures.saturation import saturation
    from hyperbudget.figures.weight_changes import weight_changes
    from hyperbudget.study.results.metrics import metric_named
    from hyperbudget.train.dynamics import dynamics

    found = dynamics(model, ids[:, None], vocabulary, 0)
    changes, units = WeightChanges.of(found), Saturation.of(found)
    family, about = run.spec.model.family.name, describe_run(run)
    curve = run.result["curve"]
    learned = LearningCurve.of(family, family, [(curve["step"], curve["validation_error"])])
    metric = metric_named(run.result.get("metric"))
    return {
        "weights": weight_changes(changes, given, [about, words]) or f"no vectors scale the weights of this {family}",
        "units": saturation({family: units} if units else {}, [about, words]) or f"a {family} has no c",
        "learning": learning([learned] if learned else [], metric, [about]) or "the run was evaluated once only",
    }
