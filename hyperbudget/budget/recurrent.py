"""What a recurrent network costs, in closed form: learnable parameters by group, and operations a step. No torch."""

from __future__ import annotations

from collections import Counter

from hyperbudget.nn.cells import Cell, HyperLstm, HyperRnn, LnHyperLstm, LnLstm, Lstm, Rnn

RECURRENT_GROUPS = ("recurrent", "hyper_cell", "projections", "norms", "head")
"""The groups of the anatomy: W_x, W_h and b of the main cells; the small cells; z and d; layer norms; the head."""


def recurrent_anatomy(
    cell: Cell, *, inputs: int, hidden_size: int, num_layers: int = 1, outputs: int = 0
) -> dict[str, int]:
    """Learnable parameters by group, an entry for each of `RECURRENT_GROUPS`.

    inputs: the vocabulary of one-hot inputs, or the numbers of each step; outputs: those of the linear head, which has
    a bias (the vocabulary, or the parameters of a mixture density), or 0 for no head.
    """
    counts = Counter(dict.fromkeys(RECURRENT_GROUPS, 0))
    for layer in range(num_layers):
        counts.update(_layer(cell, inputs if layer == 0 else hidden_size, hidden_size))
    counts["head"] = (hidden_size + 1) * outputs
    return dict(counts)


def plain_cell(cell: Cell) -> Cell:
    """The cell without the small one: the same main network, whose weights do not change from step to step."""
    match cell:
        case HyperRnn():
            return Rnn()
        case HyperLstm():
            return Lstm()
        case LnHyperLstm():
            return LnLstm()
        case _:
            return cell


def _layer(cell: Cell, inputs: int, size: int) -> dict[str, int]:
    match cell:
        case Rnn():
            return {"recurrent": size * (inputs + size + 1)}
        case Lstm():
            return {"recurrent": 4 * size * (inputs + size + 1)}
        case LnLstm():
            return {"recurrent": 4 * size * (inputs + size), "norms": 10 * size}
        case HyperRnn(hyper_size=hyper, embedding_size=embedding):
            full = cell.form == "full"
            return {
                "recurrent": size * ((embedding if full else 1) * (inputs + size) + 1),
                "hyper_cell": hyper * (inputs + size + hyper + 1),
                "projections": embedding * (3 * hyper + 2) + (1 if full else 3) * size * embedding,
            }
        case (
            HyperLstm(hyper_size=hyper, embedding_size=embedding)
            | LnHyperLstm(hyper_size=hyper, embedding_size=embedding)
        ):
            norm = cell.layer_norm
            bias = not isinstance(cell, LnHyperLstm) or cell.hyper_bias
            return {
                "recurrent": 4 * size * (inputs + size + 1),
                "hyper_cell": 4 * hyper * (inputs + size + hyper + bias),
                "projections": 4 * embedding * (3 * hyper + 2) + 12 * size * embedding,
                "norms": 10 * (size + hyper) * norm,
            }


def recurrent_flops(
    cell: Cell, *, inputs: int, hidden_size: int, num_layers: int = 1, outputs: int = 0, one_hot: bool = True
) -> int:
    """Floating-point operations of one step (one character) of one sequence, forward.

    A multiplication and an addition each count as one, in matrix products; biases, gates, layer norms and the scaling
    of rows are left out. The product of a matrix with a one-hot input is a look-up and free; `one_hot` says whether the
    first layer's input is one. A training step costs three times as much: the backward pass is two products for each.
    """
    total = hidden_size * outputs
    for layer in range(num_layers):
        seen = hidden_size if layer else inputs * (not one_hot)
        total += _products(cell, seen, hidden_size)
    return 2 * total


def _products(cell: Cell, inputs: int, size: int) -> int:
    """Multiplications of one step of one layer, `inputs` of whose inputs are multiplied with."""
    match cell:
        case Rnn():
            return size * (inputs + size)
        case Lstm() | LnLstm():
            return 4 * size * (inputs + size)
        case HyperRnn(hyper_size=hyper, embedding_size=embedding):
            matrices = embedding if cell.form == "full" else 1
            # In both forms each of h_t's numbers has three sums of N_z products: with z_h, z_x and z_b.
            return matrices * size * (inputs + size) + hyper * (inputs + size + hyper) + 3 * embedding * (hyper + size)
        case (
            HyperLstm(hyper_size=hyper, embedding_size=embedding)
            | LnHyperLstm(hyper_size=hyper, embedding_size=embedding)
        ):
            cells = 4 * size * (inputs + size) + 4 * hyper * (inputs + size + hyper)
            return cells + 12 * embedding * (hyper + size)
