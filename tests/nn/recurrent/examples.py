"""Cells to run the tests over, and networks of them whose every parameter does something."""

import torch

from hyperbudget.nn.cells import Cell, HyperLstm, HyperRnn, LnHyperLstm, LnLstm, Lstm, Rnn, preset
from hyperbudget.nn.recurrent import Recurrent

SMALL = {"hyper_size": 5, "embedding_size": 3}
EXAMPLES: list[Cell] = [
    Rnn(),
    Rnn(input_initialisation="uniform"),
    Lstm(),
    Lstm(forget_bias=0.0),
    LnLstm(),
    LnLstm(norm_epsilon=1e-5, input_initialisation="uniform"),
    HyperRnn(**SMALL),
    HyperRnn(**SMALL, z_from="previous", z_initialisation="normal"),
    HyperRnn(**SMALL, form="full"),
    HyperRnn(**SMALL, form="full", z_from="previous"),
    HyperLstm(**SMALL),
    HyperLstm(5, 1, hyper_dropout=True),
    preset("paper_literal", "hyper_lstm", **SMALL),
    LnHyperLstm(**SMALL),
    LnHyperLstm(**SMALL, hyper_dropout=True, z_initialisation="normal"),
    preset("paper_literal", "ln_hyper_lstm", **SMALL),
    preset("author", "ln_hyper_lstm", **SMALL),
]
DROPPING = [spec for spec in EXAMPLES if not isinstance(spec, Rnn | HyperRnn)]
"""Those with recurrent dropout."""


def network(spec: Cell, inputs: int = 6, size: int = 4, layers: int = 2, **options) -> Recurrent:
    """One whose parameters are all drawn: as they start, many are 0 and hide what is multiplied with them."""
    built = Recurrent(spec, inputs, size, layers, **options)
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            parameter.normal_(1.0 if name.endswith("gain") else 0.0, 0.4)
    return built


def random_state(built: Recurrent, batch: int) -> tuple:
    return tuple(type(layer)(*(torch.randn_like(tensor) for tensor in layer)) for layer in built.initial_state(batch))


def tensors(state) -> list[torch.Tensor]:
    return [tensor for layer in state for tensor in layer]
