"""Language models: counted exactly, dropped out as asked, stored and read back."""

import random

import pytest
import torch

from hyperbudget.budget.closed_form import GROUPS, anatomy
from hyperbudget.budget.recurrent import plain_cell
from hyperbudget.errors import UserError
from hyperbudget.nn.build import build
from hyperbudget.nn.cells import CELLS, HyperLstm, LnHyperLstm, Lstm
from hyperbudget.nn.export import Metadata, load_export, write_export
from hyperbudget.nn.spec import LanguageModel, ModelSpec, SpecError


def examples():
    draw = random.Random(7)
    for name, cell in CELLS.items():
        for _ in range(3):
            sizes = {"hyper_size": draw.randint(1, 9), "embedding_size": draw.randint(1, 5)}
            own = {k: v for k, v in sizes.items() if k in cell.__dataclass_fields__}
            network = LanguageModel(draw.randint(1, 12), draw.randint(1, 3))
            yield pytest.param(ModelSpec(network, cell(**own)), draw.randint(2, 30), id=f"{name}-{network}")


@pytest.mark.parametrize(("spec", "symbols"), list(examples()))
def test_the_closed_form_is_the_module(spec, symbols):
    counts = anatomy(spec, symbols=symbols)
    model = build(spec, symbols=symbols)
    assert {group: n for group, n in counts.groups.items() if n} == {k: n for k, n in model.anatomy().items() if n}
    assert counts.learnable == sum(parameter.numel() for parameter in model.parameters())
    assert set(counts.groups) == set(GROUPS)
    plain = build(ModelSpec(spec.network, plain_cell(spec.family)), symbols=symbols)
    assert counts.free == sum(parameter.numel() for parameter in plain.parameters())
    weights = [p for name, p in plain.named_parameters() if "weight_x" in name or "weight_h" in name]
    assert counts.generated == sum(weight.numel() for weight in weights)


def test_ids_are_one_hot_vectors():
    torch.manual_seed(0)
    model = build(ModelSpec(LanguageModel(8), HyperLstm(4, 2)), symbols=11).double()
    ids = torch.randint(11, (6, 3))
    hot, _ = model.recurrent(torch.nn.functional.one_hot(ids, 11).double())
    torch.testing.assert_close(model(ids)[0], model.head(hot), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("where", ["input_dropout", "output_dropout", "recurrent_dropout"])
def test_dropout_is_for_training_only_and_follows_its_generator(where):
    torch.manual_seed(0)
    model = build(ModelSpec(LanguageModel(8, **{where: 0.5}), Lstm()), symbols=11)
    ids = torch.randint(11, (6, 3))

    def logits(seed):
        return model(ids, generator=torch.Generator().manual_seed(seed))[0]

    assert torch.equal(logits(1), logits(1))
    assert not torch.equal(logits(1), logits(2))
    model.eval()
    assert torch.equal(logits(1), logits(2))
    plain = build(ModelSpec(LanguageModel(8), Lstm()), symbols=11)
    plain.load_state_dict(model.state_dict())
    assert torch.equal(logits(1), plain.eval()(ids)[0])


@pytest.mark.parametrize("where", ["input_dropout", "output_dropout"])
def test_dropout_keeps_the_expectation(where):
    """With a head of ones on what is dropped, the mean over many masks."""
    torch.manual_seed(0)
    model = build(ModelSpec(LanguageModel(4, **{where: 0.3}), Lstm()), symbols=5)
    ids = torch.zeros(1, 20_000, dtype=torch.int64)
    model.recurrent.layers[0].weight_h.data.zero_()
    with torch.no_grad():
        model.recurrent.layers[0].weight_x.mul_(1e-3)  # where the cell is linear in its input
        dropped = model(ids)[0].mean(1)
        model.eval()
        whole = model(ids)[0].mean(1)
    torch.testing.assert_close(dropped, whole, rtol=0.03, atol=1e-4)


@pytest.mark.parametrize("format", ["safetensors", "torch"])
def test_stored_and_read_back(format, tmp_path):
    spec = ModelSpec(LanguageModel(8, 2), LnHyperLstm(4, 2))
    vocabulary = tuple(range(32, 43))
    model = build(spec, symbols=11).eval()
    metadata = Metadata(form="compact", model=spec.fields(), vocabulary=vocabulary, task="pydocs")
    write_export(model, metadata, tmp_path / "model", format)
    read, told = load_export(tmp_path / "model")
    assert told == metadata
    ids = torch.randint(11, (6, 3))
    assert torch.equal(read(ids)[0], model(ids)[0])


def test_there_is_nothing_to_bake(tmp_path):
    spec = ModelSpec(LanguageModel(8), Lstm())
    metadata = Metadata(form="baked", model=spec.fields(), vocabulary=(1, 2, 3))
    with pytest.raises(UserError, match="no kernels"):
        write_export(build(spec, symbols=3), metadata, tmp_path / "x")


def test_other_data_and_other_families_are_refused():
    with pytest.raises(SpecError, match="takes a text"):
        build(ModelSpec(LanguageModel(8), Lstm()), channels=1, size=8, classes=10)
    from hyperbudget.nn.families import Free

    with pytest.raises(SpecError, match="free is none of a language_model"):
        ModelSpec(LanguageModel(8), Free())
