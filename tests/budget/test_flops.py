"""What a training step computes, against what PyTorch counts."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from hyperbudget.budget.flops import forward_flops, training_step
from hyperbudget.data.tasks import TASKS
from hyperbudget.nn.build import build
from hyperbudget.nn.cells import CELLS
from hyperbudget.nn.recurrent.fused.switch import plain_loops
from hyperbudget.nn.spec import (
    ConvNet,
    Coordinate,
    Dct,
    Free,
    Hashed,
    Hyper,
    LanguageModel,
    LowRank,
    Mlp,
    ModelSpec,
    ResNet,
    Shared,
    WideResNet,
)
from hyperbudget.train.spec import TrainingSpec

FAMILIES = [
    Free(), Shared(), LowRank(rank=3), Dct(coefficient_share=0.05), Dct(coefficient_share=0.6), Hashed(buckets=50),
    Hyper(embedding_size=3, generator_hidden=5, basic_in=8, basic_out=16),
    Hyper(embedding_size=3, generator_hidden=5, basic_in=8, basic_out=16, slice_axis="out"),
    Coordinate(coordinate_hidden=6), Coordinate(coordinate_hidden=4, coordinate_layers=3, output_layout="grid"),
]  # fmt: skip
NETWORKS = [ConvNet(16, 5), ResNet(depth=4, width=16, groups=2), WideResNet(), WideResNet(accounting="standard")]
STEP = TrainingSpec(batch_size=3, length=6)


def counted(model, loss):
    with FlopCounterMode(display=False) as counter:
        loss(model).backward()
    return counter.get_total_flops()


def of_images(spec, size, channels):
    model = build(spec, channels=channels, size=size, classes=10)
    images = torch.randn(STEP.batch_size, channels, size, size)
    return counted(model, lambda m: F.cross_entropy(m(images), torch.zeros(STEP.batch_size, dtype=torch.long)))


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_images_as_pytorch_counts_them(network, family):
    spec, shape = ModelSpec(network, family), {"channels": 3, "size": 10, "classes": 10}
    assert training_step(spec, shape, STEP) == of_images(spec, 10, 3)


@pytest.mark.parametrize("family", [Free(), LowRank(2), Dct(0.2), Coordinate(5), Hashed(20)], ids=str)
def test_a_matrix_on_the_pixels(family):
    """The gradient of the images is no part of it, whatever the matrix is made of."""
    spec = ModelSpec(Mlp(hidden=12, image_size=8), family)
    assert training_step(spec, TASKS["digits"].shape, STEP) == of_images(spec, 8, 1)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_cells_as_pytorch_counts_them(name, layers):
    """With a gradient of the state before the window, too: one step's of `length`, which training does not take."""
    spec = ModelSpec(LanguageModel(12, layers), CELLS[name](**({"hyper_size": 5} if "hyper" in name else {})))
    ids = torch.randint(7, (STEP.length, STEP.batch_size))

    def loss(model):
        state = model.recurrent.initial_state(STEP.batch_size)
        state = [type(layer)(*(tensor.requires_grad_() for tensor in layer)) for layer in state]
        return F.cross_entropy(model(ids, state)[0].flatten(0, 1), ids.flatten())

    with plain_loops():
        found = counted(build(spec, symbols=7), loss)
    assert training_step(spec, {"symbols": 7}, STEP) == found == 3 * 18 * forward_flops(spec, symbols=7)
