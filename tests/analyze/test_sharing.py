import numpy as np
import pandas as pd
import pytest
import torch

from hyperbudget.analyze.configurations import configurations
from hyperbudget.analyze.sharing import sharings
from hyperbudget.nn.build import build
from hyperbudget.nn.sharing.similarity import compare
from hyperbudget.nn.spec import Free, Hyper, ModelSpec, ResNet
from hyperbudget.train.sharing import sharing
from tests.report.frames import frame, row, sharing_nets


def found_of(made):
    return {each.configuration.family: each for each in sharings(made, configurations(made))}


def test_what_a_run_stored_comes_back():
    family = Hyper(embedding_size=3, basic_in=8, basic_out=8)
    torch.manual_seed(0)
    model = build(ModelSpec(ResNet(depth=4, width=16), family), channels=1, size=8, classes=10)
    stored = {f"dynamics.{name}": value for name, value in sharing(model, family).items()}
    found = found_of(frame([row("hyper", 900, 0, 0.1) | stored]))["hyper"]
    expected = compare([kernel.detach().double().numpy() for kernel in model.source()], family, (8, 8)).found
    assert np.allclose(found.cosines, expected.measured, atol=6e-4, equal_nan=True)
    assert found.overall == pytest.approx(expected.overall, abs=1e-4)
    assert (found.of, found.parts, len(found.ranks)) == ("kernels", (1, 2, 3, 4), 4)
    assert found.embedded.places.shape == (16, 2)
    assert found.embedded.kernels == tuple((kernel, 16) for kernel in (1, 2, 3, 4) for _ in range(4))


def test_of_each_family_the_best_run_of_the_best_configuration():
    cosine = {"dynamics.sharing.of": ["kernels"], "dynamics.sharing.part": [1, 2], "dynamics.sharing.chance": 0.1}
    rows = [
        row(family, 900, seed, 0.1 * level + 0.01 * (seed != 1), label=f"{family} {level}")
        | cosine
        | {"dynamics.sharing.cosine": [level / 10 + seed / 100], "dynamics.sharing.overall": 0.5}
        for family in ("free", "hyper")
        for level in (2, 1, 3)
        for seed in (0, 1, 2)
    ]
    found = found_of(frame(rows))
    assert set(found) == {"free", "hyper"}
    assert (found["hyper"].configuration.label, found["hyper"].seed) == ("hyper 1", 1)
    assert found["hyper"].cosines[1, 0] == found["hyper"].cosines[0, 1] == pytest.approx(0.11)
    assert found["hyper"].embedded is None


def test_what_could_not_be_compared_is_nan_and_what_was_not_stored_is_absent():
    made = frame([row("free", 900, 0, 0.1), row("hyper", 900, 0, 0.1)])
    assert sharings(made, configurations(made)) == []
    stored = {"dynamics.sharing.of": ["kernels"], "dynamics.sharing.part": [1, 2, 3], "dynamics.sharing.chance": 0.1,
              "dynamics.sharing.cosine": [0.5, None, None], "dynamics.sharing.overall": 0.5}  # fmt: skip
    found = found_of(frame([row("free", 900, 0, 0.1) | stored, row("hyper", 900, 0, 0.1)]))
    assert set(found) == {"free"}
    assert np.isnan(found["free"].cosines).sum() == 7


def test_it_survives_the_file(tmp_path):
    made = sharing_nets()
    made.to_parquet(tmp_path / "runs.parquet")
    again = found_of(pd.read_parquet(tmp_path / "runs.parquet"))
    for family, each in found_of(made).items():
        assert np.array_equal(again[family].cosines, each.cosines, equal_nan=True)
        assert again[family].ranks == each.ranks
    assert Free.name in again
