"""The fields of every recurrent cell. Imports no torch.

To add a cell, write its fields here and add it to `CELLS`, its layer in `nn/recurrent/` and its closed form in
`budget/recurrent.py`; the contract tests run over every entry of the registry.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hyperbudget.nn.fields import option

GATES = ("i", "g", "f", "o")
"""The gates of every LSTM, in the order of their rows: input gate, candidate, forget gate, output gate (eq. 9)."""

SATURATED = 0.9
"""Beyond it, on either side, a unit's phi(c_t) hardly answers to c any more: the tanh has a fifth of its slope left."""
PHI_BINS = 40
"""Of equal width in [-1, 1] when phi(c_t) is counted (figure 5); `SATURATED` lies between two."""


def _input_initialisation() -> Any:
    return option(
        "orthogonal", "W_x starts orthogonal for each gate, or uniform on +-sqrt(3 / inputs) as in the author's code"
    )


def _forget_bias() -> Any:
    return option(1.0, "added to the forget gate of every cell, after its layer norm; not learnt")


def _norm_epsilon() -> Any:
    return option(1e-3, "added to the variance in every layer norm", gt=0)


@dataclass(frozen=True)
class Rnn:
    """The basic recurrent network with tanh (eq. 4)."""

    name: ClassVar[str] = "rnn"
    input_initialisation: Literal["orthogonal", "uniform"] = _input_initialisation()


@dataclass(frozen=True)
class Lstm:
    """The LSTM without peepholes (eq. 9)."""

    name: ClassVar[str] = "lstm"
    layer_norm: ClassVar[bool] = False
    forget_bias: float = _forget_bias()
    input_initialisation: Literal["orthogonal", "uniform"] = _input_initialisation()


@dataclass(frozen=True)
class LnLstm:
    """The LSTM with a layer norm of each gate, in place of its bias, and of c inside the tanh (Ba et al. 2016)."""

    name: ClassVar[str] = "ln_lstm"
    layer_norm: ClassVar[bool] = True
    forget_bias: float = _forget_bias()
    input_initialisation: Literal["orthogonal", "uniform"] = _input_initialisation()
    norm_epsilon: float = _norm_epsilon()


@dataclass(frozen=True)
class _Hyper:
    """What every dynamic hypernetwork has: a small cell, and embeddings z of its state."""

    hyper_size: int = option(128, "units of the small cell that generates", ge=1)
    embedding_size: int = option(4, "N_z: numbers in each embedding z of the small cell's state", ge=1)
    z_from: Literal["current", "previous"] = option(
        "current", "z is computed from the small cell's state of this step, or of the one before (as eqs. 6, 11 print)"
    )
    z_initialisation: Literal["zero", "normal"] = option(
        "zero",
        "weights from the small cell's state to z_h and z_x start at 0 (A.2.3; the numbers of one z then stay equal in "
        "training), or normal with deviation 0.01 as those to z_b",
    )
    initial_scale: float = option(0.1, "what every weight scaling vector starts at", gt=0)
    input_initialisation: Literal["orthogonal", "uniform"] = _input_initialisation()


@dataclass(frozen=True)
class HyperRnn(_Hyper):
    """An RNN whose weights a smaller RNN generates anew at every step, for every sample (eqs. 5-8).

    `full` is eq. 5, whose weight matrix is a sum of N_z matrices; `efficient` is eq. 8, one matrix with scaled rows.
    """

    name: ClassVar[str] = "hyper_rnn"
    form: Literal["efficient", "full"] = option(
        "efficient", "one matrix with scaled rows (eq. 8), or a sum of N_z matrices (eq. 5)"
    )


@dataclass(frozen=True)
class HyperLstm(_Hyper):
    """An LSTM whose rows a smaller LSTM scales anew at every step, for every sample (eqs. 10-13 without LN)."""

    name: ClassVar[str] = "hyper_lstm"
    layer_norm: ClassVar[bool] = False
    forget_bias: float = _forget_bias()
    hyper_dropout: bool = option(False, "recurrent dropout in the small cell as well")


@dataclass(frozen=True)
class LnHyperLstm(_Hyper):
    """A HyperLSTM with layer norms of the gates and of c, in both cells (eqs. 10-13)."""

    name: ClassVar[str] = "ln_hyper_lstm"
    layer_norm: ClassVar[bool] = True
    forget_bias: float = _forget_bias()
    hyper_dropout: bool = option(False, "recurrent dropout in the small cell as well")
    hyper_bias: bool = option(
        False, "the bias of eq. 10 in the small cell, which the offset of its layer norm replaces in the author's code"
    )
    norm_epsilon: float = _norm_epsilon()


Cell = Rnn | Lstm | LnLstm | HyperRnn | HyperLstm | LnHyperLstm

CELLS: dict[str, type[Cell]] = {cls.name: cls for cls in (Lstm, LnLstm, Rnn, HyperRnn, HyperLstm, LnHyperLstm)}

PRESETS: dict[str, dict[str, Any]] = {
    "paper_literal": {"z_from": "previous", "forget_bias": 0.0, "hyper_bias": True},
    "author": {"input_initialisation": "uniform"},
}
"""Where the paper as printed and its author's code differ from our defaults, which follow the paper's text."""


def preset(name: str, cell: str, **fields: Any) -> Cell:
    """The cell called `cell` as in ``PRESETS[name]``, as far as that concerns it, with `fields` besides."""
    owner = CELLS[cell]
    own = {field.name for field in dataclasses.fields(owner)}
    values = {field: value for field, value in PRESETS[name].items() if field in own}
    return owner(**(values | fields))
