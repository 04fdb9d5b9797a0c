"""``hyperbudget bench``: what the design costs and saves on this machine, as ratios against a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperbudget.cli.common import aligned, plural

if TYPE_CHECKING:
    from hyperbudget.bench.comparison import Comparison


@click.group("bench")
def command() -> None:
    """Measure on this machine what the design costs and saves.

    Variants take turns in every round, and a ratio is one of two times of the same round: honest on a busy machine.
    """


def measured(function: Callable[..., None]) -> Callable[..., None]:
    """Decorator: the options that every benchmark has."""
    file, many = click.Path(path_type=Path, dir_okay=False), click.IntRange(min=1)
    for option in (  # the last one is the first in --help
        click.option("--out", type=file, help="Write the text there as well."),
        click.option("--json", "json_file", type=file, help="Write all times there."),
        click.option("--device", "device_name", type=click.Choice(["cpu", "cuda"]), help="By default cuda, if any."),
        click.option("--threads", default=1, show_default=True, type=many, help="CPU threads of torch."),
        click.option("--repetitions", default=15, show_default=True, type=many, help="Rounds."),
    ):
        function = option(function)
    return function


@command.command("static", short_help="Generated kernels, precision, compilation.")
@click.option("--depth", default=40, show_default=True, help="d of WRN-d-k, 6N + 4.")
@click.option("--width", default=1, show_default=True, type=click.IntRange(min=1), help="k of WRN-d-k.")
@click.option("--batch", "batches", multiple=True, default=(128, 32), show_default=True, type=click.IntRange(min=1),
              help="Images a step; may be repeated. Comparisons of kernels take all, others the first.")  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME", help="kernels, precision, compile; may be repeated.")
@measured
def static(depth: int, width: int, batches: tuple[int, ...], repetitions: int, threads: int, device_name: str | None,
           only: tuple[str, ...], json_file: Path | None, out: Path | None) -> None:  # fmt: skip
    """Time training steps of a Wide ResNet with free and with generated kernels, on random images.

    \b
    kernels    generated / free (N_z 64, basic size 16 x 16); tile by tile, as public ports do, / free
    precision  bf16 / fp32, for free and for generated kernels
    compile    torch.compile / eager, for both

    The defaults take some ten minutes on one core: WRN-40-1 of the paper's Table 2. --depth 10 is a quick look.
    """
    import torch

    from hyperbudget.bench.interleaved import STEPS, WARMUP
    from hyperbudget.bench.machine import check_compile, find_device, machine
    from hyperbudget.bench.static import COMPARISONS, GENERATED, TASK, compare
    from hyperbudget.cli.describe import describe
    from hyperbudget.config.words import not_one_of
    from hyperbudget.errors import UserError
    from hyperbudget.nn.spec import ModelSpec, SpecError, WideResNet
    from hyperbudget.train import memory

    for name in only:
        if name not in COMPARISONS:
            raise UserError(f"--only: {not_one_of(name, list(COMPARISONS))}")
    try:
        model = ModelSpec(network := WideResNet(depth, width), GENERATED)
    except SpecError as error:
        raise UserError(f"--{error}") from None
    _check_folders(json_file, out)
    device = find_device(device_name)
    torch.set_num_threads(threads)
    memory.keep()
    if "compile" in (wanted := only or tuple(COMPARISONS)):
        check_compile(device)

    about: dict[str, Any] = {
        "benchmark": "static",
        "machine": machine(device),
        "task": TASK,
        "model": model.fields(),
        "warmup_steps": WARMUP,
        "steps_per_turn": STEPS,
        "repetitions": repetitions,
    }
    lines = [
        machine_words(about["machine"]),
        f"training steps on random images of {TASK}'s shape: {describe(model)}, or the same with free kernels",
        f"{plural(repetitions, 'round')} of turns of {plural(STEPS, 'step')}; ratios are taken within a round",
    ]
    show(lines, about, compare(network, device, batches=batches, repetitions=repetitions, only=wanted), json_file, out)


@command.command("recurrent", short_help="Recurrent cells, and a backward pass written by hand.")
@click.option("--size", "sizes", multiple=True, default=(1000, 256), show_default=True, type=click.IntRange(min=1),
              help="Units of the main cell; may be repeated.")  # fmt: skip
@measured
def recurrent(sizes: tuple[int, ...], repetitions: int, threads: int, device_name: str | None, json_file: Path | None,
              out: Path | None) -> None:  # fmt: skip
    """Time forward and backward passes of one layer of each LSTM, against torch's nn.LSTM of the same size.

    \b
    ... loop      a loop over the steps, and autograd's gradients
    ... PyTorch   a function of a whole window, whose backward pass is written by hand
    ... C++       the same in C++, where there is a compiler
    ... Triton    the same on a CUDA device, in kernels of Triton
    ... bf16      the same with products in bfloat16

    "By operations" is the ratio of the additions and multiplications in matrix products; nn.LSTM multiplies with
    one-hot inputs, which the others look up. The defaults take some six minutes on one core. --size 64 is a quick
    look.
    """
    import torch

    from hyperbudget.bench.machine import find_device, machine
    from hyperbudget.bench.recurrent import BATCH, EMBEDDING_SIZE, STEPS, SYMBOLS, TIME, WARMUP, compare, variants
    from hyperbudget.train import memory

    _check_folders(json_file, out)
    device = find_device(device_name)
    torch.set_num_threads(threads)
    memory.keep()

    about: dict[str, Any] = {
        "benchmark": "recurrent",
        "machine": machine(device),
        "time": TIME,
        "symbols": SYMBOLS,
        "operations_per_symbol": {
            size: {str(variant): variant.operations(size) for variant in variants(device)} for size in sizes
        },
        "warmup_steps": WARMUP,
        "steps_per_turn": STEPS,
        "repetitions": repetitions,
    }
    lines = [
        machine_words(about["machine"]),
        f"forward and backward pass of one layer over {TIME} symbols of {SYMBOLS}, {BATCH} sequences side by side; "
        f"N_z {EMBEDDING_SIZE}",
        f"{plural(repetitions, 'round')} of turns of {plural(STEPS, 'step')}; ratios are taken within a round",
    ]
    show(lines, about, compare(sizes, device, repetitions=repetitions), json_file, out)


@command.command("packs", short_help="Many small runs as one program.")
@click.option("--runs", type=click.IntRange(min=1), help="Runs of the pack.  [default: 32 on a GPU, else 8]")
@click.option("--cell", "cell_name", default="hyper_lstm", show_default=True, help="The recurrent cell.")
@click.option("--size", default=64, show_default=True, type=click.IntRange(min=1), help="Units of the main cell.")
@click.option("--batch", default=32, show_default=True, type=click.IntRange(min=1), help="Streams of each run.")
@click.option("--length", default=100, show_default=True, type=click.IntRange(min=1), help="Symbols of a window.")
@click.option("--steps", default=2, show_default=True, type=click.IntRange(min=1), help="Steps of a turn.")
@measured
def packs(runs: int | None, cell_name: str, size: int, batch: int, length: int, steps: int, repetitions: int,
          threads: int, device_name: str | None, json_file: Path | None, out: Path | None) -> None:  # fmt: skip
    """Time training steps and evaluations of runs in a pack, against the same runs one after another.

    Each run alone is as fast as it gets here: in C++ on a CPU with a compiler, in Triton and as a CUDA graph on a GPU.
    A ratio of 0.2 is a pack that is five times as fast. --runs 2 --size 8 is a quick look.
    """
    import torch

    from hyperbudget.bench.machine import find_device, machine
    from hyperbudget.bench.packs import RUNS, WARMUP, Packs, compare
    from hyperbudget.config.words import not_one_of
    from hyperbudget.errors import UserError
    from hyperbudget.nn.cells import CELLS
    from hyperbudget.train import memory

    if cell_name not in CELLS:
        raise UserError(f"--cell: {not_one_of(cell_name, list(CELLS))}")
    _check_folders(json_file, out)
    device = find_device(device_name)
    torch.set_num_threads(threads)
    memory.keep()
    measured_packs = Packs(runs or RUNS[device.type], cell_name, size, batch, length)

    about: dict[str, Any] = {
        "benchmark": "packs",
        "machine": machine(device),
        "model": measured_packs.specs()[0].model.fields(),
        "runs": measured_packs.runs,
        "streams": batch,
        "length": length,
        "warmup_steps": WARMUP,
        "steps_per_turn": steps,
        "repetitions": repetitions,
    }
    lines = [
        machine_words(about["machine"]),
        f"{measured_packs.runs} runs at once, each of {batch} streams of {length} symbols a step",
        f"{plural(repetitions, 'round')} of turns of {plural(steps, 'step')}; ratios are taken within a round",
    ]
    show(lines, about, compare(measured_packs, device, steps=steps, repetitions=repetitions), json_file, out)


@command.command("engine", short_help="What a study costs besides its trainings.")
@click.option("--runs", default=200, show_default=True, type=click.IntRange(min=1), help="Runs that train nothing.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(min=1), help="Runs of each configuration.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(min=1), help="Runs at once.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the numbers there.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the text there as well.")
def engine(runs: int, seeds: int, workers: int, json_file: Path | None, out: Path | None) -> None:
    """Time a study of runs that train nothing, with Ray, Optuna and MLflow in a temporary folder.

    The baseline is the same jobs on the same workers, nothing recorded but their result files. Memory is that of the
    driver, after a tenth of the runs and after all. --runs 20 is a quick look.
    """
    import json

    import torch

    from hyperbudget.bench.engine import measure
    from hyperbudget.bench.machine import machine
    from hyperbudget.study.folder import write_text
    from hyperbudget.study.provenance import versions

    _check_folders(json_file, out)
    cost = measure(runs, workers, seeds)
    about: dict[str, Any] = {"benchmark": "engine", "machine": machine(torch.device("cpu")), "versions": versions()}
    packages = ", ".join(f"{name} {about['versions'][name]}" for name in ("ray", "optuna", "mlflow"))
    rows = [
        ("a run of the study", f"{1000 * cost.engine_seconds:,.1f} ms"),
        ("of these the driver's processor", f"{1000 * cost.engine_cpu_seconds:,.1f} ms"),
        ("... without its thread for MLflow", f"{1000 * cost.loop_cpu_seconds:,.1f} ms"),
        ("the same job alone", f"{1000 * cost.bare_seconds:,.1f} ms"),
        ("with the engine / alone", f"{cost.ratio:,.2f}"),
        ("memory after a tenth", f"{cost.early_memory / 2**20:,.1f} MiB"),
        ("memory after all", f"{cost.late_memory / 2**20:,.1f} MiB"),
        ("growth a run", f"{cost.growth / 2**10:,.1f} KiB"),
    ]
    each = plural(cost.seeds, "seed")
    head = f"{plural(cost.runs, 'run')} that train nothing, {each} a configuration, {cost.workers} at once; {packages}"
    text = "\n".join([machine_words(about["machine"]), head, "", aligned(rows, right=(1,))])
    click.echo(text)
    if out:
        write_text(out, text + "\n")
    if json_file:
        write_text(json_file, json.dumps({**about, **cost.fields()}, indent=1) + "\n")


def show(
    head: list[str], about: dict[str, Any], comparisons: Iterable[Comparison], json_file: Path | None, out: Path | None
) -> None:
    """Print the `head` and each comparison as soon as it is measured; write the files at the end."""
    import json

    from hyperbudget.study.folder import write_text

    texts, fields = ["\n".join(head) + "\n"], []
    click.echo(texts[0])
    for comparison in comparisons:
        texts.append(text(comparison))
        fields.append(comparison.fields())
        click.echo(texts[-1])
    if out:
        write_text(out, "\n".join(texts))
    if json_file:
        write_text(json_file, json.dumps({**about, "comparisons": fields}, indent=1) + "\n")


def text(comparison: Comparison) -> str:
    """The tables of a comparison below its name."""
    times = aligned(comparison.time_rows(), right=(1, 2, 3))
    return f"{comparison.name}, batch {comparison.batch}\n{times}\n\n{aligned(comparison.ratio_rows(), right=(1, 2))}\n"


def machine_words(machine: dict[str, Any]) -> str:
    """``AMD EPYC (avx512_bf16), 1 thread, torch 2.13.0, device cpu``."""
    instructions = ", ".join(machine["bf16_instructions"]) or "no bf16 instructions"
    threads = plural(machine["threads"], "thread")
    return f"{machine['processor']} ({instructions}), {threads}, torch {machine['torch']}, device {machine['device']}"


def _check_folders(json_file: Path | None, out: Path | None) -> None:
    """Raise UserError, before anything is measured, when a file could not be written after it."""
    from hyperbudget.errors import UserError

    for option, file in (("--json", json_file), ("--out", out)):
        if file and not file.parent.is_dir():
            raise UserError(f"{option} {file}: there is no folder {file.parent}")
