"""Synthetic frames after the contract of `hyperbudget.study.results.frame`, seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

TEST, VALIDATION = 400, 300


def study(**changes: Any) -> dict[str, Any]:
    """``attrs["study"]`` of a small study."""
    values: dict[str, Any] = {
        "name": "digits-static",
        "question": "Is a generated kernel better than a narrower network?",
        "task": "digits",
        "file": "digits-static.yaml",
        "yaml": "name: digits-static\nquestion: Is a generated kernel better than a narrower network?\ntask: digits\n",
        "command": "hyperbudget run digits-static.yaml",
        "axes": [
            {"name": "model.family", "role": "science", "values": ["free", "hyper", "shared"]},
            {"name": "model.width", "role": "science", "values": [8, 16, 24]},
            {"name": "model.depth", "role": "science", "values": [2, 6]},
            {"name": "model.embedding_size", "role": "science", "values": [1, 2, 4, 8, 16]},
            {"name": "training.learning_rate", "role": "nuisance", "values": [0.01, 0.03], "log": True},
        ],
        "seeds": [0, 1, 2, 3, 4],
        "budgets": [],
        "baseline": "free",
        "budget": {},
        "refused": 0,
    }
    return values | changes


def row(
    family: str,
    parameters: int,
    seed: int,
    test: float | None,
    validation: float | None = None,
    *,
    label: str = "",
    status: str = "finished",
    reason: str | None = None,
    task: str = "digits",
    **fields: Any,
) -> dict[str, Any]:
    """One run. `fields` are columns with ``__`` for the dot: ``model__width=8``."""
    extra = {name.replace("__", "."): value for name, value in fields.items()}
    shape = " ".join(f"{key.rpartition('.')[2]} {value}" for key, value in extra.items() if key.startswith("model."))
    label = label or f"{family} {shape or parameters}"
    rate = extra.get("training.learning_rate", 0.01)
    return {
        "run": f"{label}-{rate}-{seed}",
        "configuration": f"{label}-{rate}",
        "label": label,
        "trial": 0,
        "status": status,
        "reason": reason,
        "seed": seed,
        "task": task,
        "model.network": "resnet",
        "model.family": family,
        "params.learnable": parameters,
        "compression": 2.0,
        "compact_bytes": 4 * parameters + 3_000,
        "validation_error": test if validation is None else validation,
        "test_error": test,
        "seconds": 3.0,
        "device": "cpu",
        **extra,
    }


def frame(rows: list[dict[str, Any]], **changes: Any) -> pd.DataFrame:
    """Rows to a frame with its attributes."""
    columns = ["run", "configuration", "label", "status", "seed", "task", "model.network", "model.family",
               "params.learnable", "validation_error", "test_error"]  # fmt: skip
    made = pd.DataFrame(rows, columns=None if rows else columns)
    made.attrs = {
        "study": study(**changes),
        "versions": {"hyperbudget": "0.1.0", "torch": "2.11.0", "numpy": "2.4.6", "git": "f2fbbbd"},
        "hardware": {"cpu": "2 cores", "memory": "8 GB", "platform": "Linux x86_64"},
    }
    return made


def demo(seeds: int = 5) -> pd.DataFrame:
    """A sweep of residual nets on digits: free, shared and generated kernels, some runs failed."""
    random = np.random.default_rng(7)
    rows = []
    for family, width, depth, size in _shapes():
        kernels = 9 * width * width
        source = {
            "free": depth * kernels,
            "shared": kernels,
            "hyper": 8 * (size * size + size) + 9 * 8 * size + 72 + depth * size * (width // 8) ** 2,
        }[family]
        rest = 9 * width + 2 * width * (depth + 1) + 10 * width + 10
        total, free = source + rest, depth * kernels + rest
        difficulty = {
            "free": 9.0 * total**-0.74,
            "shared": 3.0 * total**-0.6 * (1.25 if depth == 6 else 1.0),
            "hyper": 2.8 * (total * (1 + 0.6 * np.log2(1 + size))) ** -0.64 * (1.15 if depth == 6 else 1.0),
        }[family]
        for rate in (0.01, 0.03):
            level = (difficulty + 0.008) * (1.15 if rate == 0.01 else 1.0) * np.exp(random.normal(0, 0.08))
            trial = len(rows) // seeds
            for seed in range(seeds):
                noise = np.exp(random.normal(0, 0.14, size=2))
                test, validation = random.binomial((TEST, VALIDATION), np.minimum(level * noise, 0.9))
                shape = f"depth {depth} width {width}" + (f" N_z {size}" if family == "hyper" else "") + f" lr {rate}"
                bad = family == "hyper" and rate == 0.03 and size == 16 and width == 24 and seed == 3
                rows.append(
                    row(
                        family,
                        total,
                        seed,
                        None if bad else test / TEST,
                        None if bad else validation / VALIDATION,
                        label=f"{family} {shape}",
                        status="failed" if bad else "finished",
                        reason="the loss is not a number at step 212" if bad else None,
                        model__width=width,
                        model__depth=depth,
                        training__learning_rate=rate,
                        training__steps=400,
                        training__batch_size=64,
                        training__optimizer="adam",
                        training__schedule="cosine",
                    )
                    | {"model.embedding_size": size if family == "hyper" else None, "compression": free / total}
                    | {"params.source": source, "params.generated": depth * kernels, "params.free": free}
                    | {"finished": "2026-11-21T10:00:00+00:00", "host": "node-a", "data_digest": "9f2c51d07ab1"}
                    | {"curve.step": [100, 200], "curve.validation_error": [0.5, 0.2], "trial": trial}
                )
    return frame(rows, refused=4)


def mnist(seeds: int = 3) -> pd.DataFrame:
    """The paper's small convnet on MNIST: free kernels of several widths, and N_z in 1 to 16."""
    random = np.random.default_rng(11)
    rows = []
    cells = [("free", w, None, 49 * w * w, 0.0075 * (16 / w) ** 0.35) for w in (4, 6, 8, 10, 12, 16)]
    cells += [("hyper", 16, z, 784 * z + 16 * (z * z + z) + 784 + z, 0.0085 * z**-0.04) for z in (1, 2, 4, 8, 16)]
    for family, width, size, source, level in cells:
        if size == 4:
            source = 4_244
        for seed in range(seeds):
            test = random.binomial(10_000, level * np.exp(random.normal(0, 0.05))) / 10_000
            validation = random.binomial(5_000, level * np.exp(random.normal(0, 0.05))) / 5_000
            shape = f"width {width}" + (f" N_z {size}" if size else "")
            extra = {"model.embedding_size": size, "model.generator_hidden": size}
            rows.append(
                row(family, source + 50 * width + 490 * width + 10, seed, test, validation, task="mnist",
                    label=f"{family} {shape}", model__width=width, model__kernel_size=7, training__steps=2000,
                    training__batch_size=256, training__optimizer="adam", training__learning_rate=0.003,
                    training__schedule="cosine", training__augment=True)
                | {"model.network": "convnet", "params.source": source, "model.basic_in": 16 if size else None,
                   "model.basic_out": 16 if size else None, "seconds": 150.0} | extra
            )  # fmt: skip
    axes = [
        {"name": "model.width", "role": "science"},
        {"name": "model.embedding_size", "role": "science", "log": True},
    ]
    return frame(
        rows, name="mnist-kernel", task="mnist", axes=axes, question="What does N_z buy on MNIST?", seeds=[0, 1, 2]
    )


def cells(seeds: int = 3, families: tuple[str, ...] = ("lstm", "ln_lstm", "hyper_lstm")) -> pd.DataFrame:
    """Recurrent cells on characters, measured in bits: LSTMs of several widths, HyperLSTMs of several N_z."""
    random = np.random.default_rng(5)
    rows = []
    shapes = [(family, width, None) for family in families if "hyper" not in family for width in (300, 450, 600, 800)]
    shapes += [(family, 400, z) for family in families if "hyper" in family for z in (2, 4, 8, 16)]
    for family, width, size in shapes:
        total = 4 * width * (50 + width + 1) + 51 * width + (0 if size is None else 330_000 + 22_000 * size)
        level = 1.20 + 0.0045 * (total / 1e7) ** -0.75 - (0.012 if "ln" in family else 0) - (0.02 if size else 0)
        shape = f"hidden size {width}" + (f" N_z {size}" if size else "")
        for seed in range(seeds):
            bad = family == "lstm" and width == 800 and seed == 1
            test, validation = (None, None) if bad else level + random.normal((0, 0.03), 0.003)
            rows.append(
                row(family, total, seed, test, validation, task="ptb", label=f"{family} {shape}",
                    status="failed" if bad else "finished", reason="diverged: the loss is nan" if bad else None,
                    model__hidden_size=width, training__learning_rate=0.002, training__steps=20_000,
                    training__batch_size=128, training__optimizer="adam")
                | {"model.network": "language", "metric": None if bad else "bpc", "compression": None}
                | {"model.embedding_size": size, "model.hyper_size": 128 if size else None}
            )  # fmt: skip
    axes = [
        {"name": "model.family", "role": "science"},
        {"name": "model.hidden_size", "role": "science", "log": True},
        {"name": "model.embedding_size", "role": "science", "log": True},
    ]
    return frame(
        rows, name="ptb-cells", task="ptb", axes=axes, question="What does a HyperLSTM buy on PTB?", seeds=[0, 1, 2],
        baseline="lstm", refused=0, yaml="name: ptb-cells\ntask: ptb\n", command="hyperbudget run ptb-cells",
    )  # fmt: skip


def mixed() -> pd.DataFrame:
    """An image task, measured by its error, and a text task, measured in bits per character."""
    made = frame([*mnist().to_dict("records"), *cells().to_dict("records")], name="both", baseline="free")
    made.attrs["study"]["axes"] = mnist().attrs["study"]["axes"] + cells().attrs["study"]["axes"][1:2]
    return made


def _shapes() -> list[tuple[str, int, int, int]]:
    shapes = [(family, width, depth, 0) for family in ("free", "shared") for width in (8, 16, 24) for depth in (2, 6)]
    return shapes + [("hyper", w, d, z) for w in (8, 16, 24) for d in (2, 6) for z in (1, 2, 4, 8, 16)]


TEXT = b"the cat \xc3\xa9\n\tsat\x00 on_the [[mat]] " * 8


def moving(seeds: int = 3, families: tuple[str, ...] = ("lstm", "ln_lstm", "hyper_lstm")) -> pd.DataFrame:
    """`cells`, with what their runs store of their learning and of what they do."""
    random, made = np.random.default_rng(3), cells(seeds, families)
    rows = []
    for record in made.to_dict("records"):
        family = record["model.family"]
        if record["status"] == "finished":
            record["curve.step"] = [2_000, 8_000, 14_000, 20_000]
            record["curve.validation_error"] = [record["validation_error"] + x for x in (0.9, 0.3, 0.08, 0.0)]
            counts = random.integers(50, 200, 40)
            counts[[0, 1, -2, -1]] += 4_000 if family == "lstm" else 700
            saturated = float(counts[[0, 1, -2, -1]].sum() / counts.sum())
            record |= {"dynamics.phi": counts.tolist(), "dynamics.saturated": saturated}
            record |= {"dynamics.symbols": list(TEXT)}
            if "hyper" in family:
                record |= {f"dynamics.change.{g}": random.gamma(1.0, k + 1, len(TEXT)) for k, g in enumerate("igfo")}
                record |= {f"dynamics.spread.{v}": random.random(4).tolist() for v in "hxb"}
        rows.append(record)
    attrs, made = made.attrs, pd.DataFrame(rows)
    made.attrs = attrs
    return made


def sharing_nets(seeds: int = 2) -> pd.DataFrame:
    """Residual nets with free, tied and generated kernels, and what their runs store of how much these share."""
    random, layers, tiles = np.random.default_rng(9), 6, 24
    rows = []
    for family, level in (("free", 0.05), ("shared", 1.0), ("hyper", 0.7)):
        for width in (8, 16):
            for seed in range(seeds):
                cosine = np.clip(random.normal(level, 0.02, layers * (layers - 1) // 2), 0, 1).round(3)
                record = row(family, 100 * width, seed, 0.8 / width + 0.01 * seed, label=f"{family} width {width}")
                record |= {"params.stem": 20 * width, "params.head": 80 * width, "params.generated": 1_000}
                record |= {
                    "dynamics.sharing.of": ["kernels"], "dynamics.sharing.part": list(range(1, layers + 1)),
                    "dynamics.sharing.channels": [width] * layers, "dynamics.sharing.cosine": cosine.tolist(),
                    "dynamics.sharing.overall": level, "dynamics.sharing.chance": 0.02,
                    "dynamics.sharing.rank": random.uniform(4, 8, layers).round(2).tolist(),
                    "dynamics.sharing.most": [8] * layers,
                    "dynamics.sharing.tile_rank": 3.4, "dynamics.sharing.tile_most": 5,
                }  # fmt: skip
                if family == "hyper":
                    record |= {
                        **{f"dynamics.sharing.{axis}": random.uniform(-1, 1, tiles).round(3).tolist() for axis in "xy"},
                        "dynamics.sharing.kernel": [1 + n // 4 for n in range(tiles)],
                        "dynamics.sharing.axes": [0.52, 0.31],
                    }
                rows.append(record)
    return frame(rows, seeds=list(range(seeds)))


def odd() -> dict[str, pd.DataFrame]:
    """Small studies of which little can be said, by what is odd about them."""

    def level(family: str, parameters: int, errors: tuple[float, ...]) -> list[dict[str, Any]]:
        return [row(family, parameters, seed, error) for seed, error in enumerate(errors)]

    near, far = (0.050, 0.051, 0.052), (0.030, 0.031, 0.032)
    return {
        "ties": frame([run for family in ("free", "hyper", "shared") for run in level(family, 900, near)]),
        "one seed beside five": frame(level("hyper", 900, far[:1]) + level("free", 910, (*near, 0.053, 0.054))),
        "huge intervals": frame(level("hyper", 900, (0.01, 0.3)) + level("free", 910, (0.02, 0.5))),
        "no baseline among several": frame(level("hyper", 900, near) + level("shared", 910, far)),
        "errors of 0 and of 1": frame(level("hyper", 900, (0.0, 0.0)) + level("free", 910, (1.0, 1.0))),
        "all diverged but one": frame(
            level("hyper", 900, near[:1])
            + [row("free", 910, seed, None, status="failed", reason="diverged at step 9") for seed in range(3)]
        ),
        "nothing but running": frame([row("free", 900, 0, None, status="running")]),
        "targets that the rival never reaches": frame(
            level("free", 900, near) + level("free", 1_900, far) + level("hyper", 910, (0.4, 0.41, 0.42))
        ),
        "no question, no axes": frame(level("free", 900, near), question="", axes=[], command="", yaml="", seeds=[]),
    }
