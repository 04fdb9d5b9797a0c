"""Recurrent networks with the interface of torch's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NoReturn

from torch import Tensor, nn

from hyperbudget.nn.cells import Cell, HyperLstm, HyperRnn, LnHyperLstm, LnLstm, Lstm, Rnn
from hyperbudget.nn.fields import SpecError
from hyperbudget.nn.recurrent.hyper_lstm import HyperLstmLayer
from hyperbudget.nn.recurrent.hyper_rnn import HyperRnnLayer
from hyperbudget.nn.recurrent.layer import LayerState, RecurrentLayer
from hyperbudget.nn.recurrent.lstm import LstmLayer
from hyperbudget.nn.recurrent.rnn import RnnLayer
from hyperbudget.nn.uniform import Source, uniform

State = tuple[LayerState, ...]
"""A named tuple for each layer; its tensors are of shape (batch, size)."""


def build_layer(spec: Cell, input_size: int, hidden_size: int) -> RecurrentLayer:
    """One layer of the cell `spec`, initialised from torch's global generator."""
    match spec:
        case Lstm() | LnLstm():
            return LstmLayer(input_size, hidden_size, spec)
        case Rnn():
            return RnnLayer(input_size, hidden_size, spec)
        case HyperRnn():
            return HyperRnnLayer(input_size, hidden_size, spec)
        case HyperLstm() | LnHyperLstm():
            return HyperLstmLayer(input_size, hidden_size, spec)


class Recurrent(nn.Module):
    """Layers of one cell, each on the outputs of the one below, with the interface of nn.LSTM.

    ``output, state = network(x, state)``. x is of shape (time, batch, input_size), or holds token ids below input_size
    and is of shape (time, batch); with `batch_first`, time and batch change places in x and output. Without a state the
    network starts from zeros. `recurrent_dropout` is the share of candidates that training drops in the main cell of
    each layer (and in the small one, where the spec asks for it), drawn anew for every step.

    Raises SpecError for no layers, and for recurrent dropout that is no share or of a cell that has none.
    """

    def __init__(
        self,
        spec: Cell,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        batch_first: bool = False,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise SpecError("num_layers", f"{num_layers} should be at least 1")
        if not 0 <= recurrent_dropout < 1:
            raise SpecError("recurrent_dropout", f"{recurrent_dropout} should be at least 0 and below 1")
        self.spec, self.input_size, self.hidden_size = spec, input_size, hidden_size
        self.batch_first, self.recurrent_dropout = batch_first, recurrent_dropout
        sizes = [input_size] + [hidden_size] * (num_layers - 1)
        built = [build_layer(spec, size, hidden_size) for size in sizes]
        if recurrent_dropout and not all(layer.mask_sizes for layer in built):
            raise SpecError("recurrent_dropout", f"there is none without memory loss for {spec.name} cells")
        self.layers = nn.ModuleList(built)

    def initial_state(self, batch: int) -> State:
        """Zeros, where and as the parameters are."""
        like = next(self.parameters())
        return tuple(
            layer.state_type(*(like.new_zeros(batch, size) for size in layer.state_sizes.values()))
            for layer in self._layers()
        )

    def forward(
        self, x: Tensor, state: Sequence[LayerState] | None = None, *, generator: Source = None
    ) -> tuple[Tensor, State]:
        """The last layer's outputs, shape (time, batch, hidden_size), and the state of all layers after the last step.

        generator: where the masks of recurrent dropout are drawn from, on its own device; torch's global one if none is
        given. Raises ValueError for an x or a state of another shape than the network's.
        """
        numbers = x.is_floating_point()
        if x.dim() != 2 + numbers or not x.numel() or (numbers and x.shape[2] != self.input_size):
            sides = "batch, time" if self.batch_first else "time, batch"
            raise ValueError(
                f"x: {x.dtype} of shape {tuple(x.shape)}; it should be numbers of shape ({sides}, {self.input_size}), "
                f"or token ids of shape ({sides}), and not empty"
            )
        x = x.transpose(0, 1) if self.batch_first else x
        steps, batch = x.shape[:2]
        states = self.initial_state(batch) if state is None else self._checked(state, batch)
        last = []
        for layer, before in zip(self._layers(), states, strict=True):
            masks = self._masks(layer, steps, batch, generator)
            x, after = layer(x, before, masks)
            last.append(after)
        return x.transpose(0, 1) if self.batch_first else x, tuple(last)

    def anatomy(self) -> dict[str, int]:
        """Learnable parameters by group, counted from the modules; groups without any are left out."""
        counts: Counter[str] = Counter()
        for layer in self._layers():
            for name, parameter in layer.named_parameters():
                counts[layer.groups[name]] += parameter.numel()
        return dict(counts)

    def _layers(self) -> list[RecurrentLayer]:
        return [layer for layer in self.layers if isinstance(layer, RecurrentLayer)]

    def _masks(self, layer: RecurrentLayer, steps: int, batch: int, generator: Source) -> list[Tensor]:
        """The masks of one layer for a window: 0 with the probability of dropping, else 1 / keep probability."""
        if not (self.training and self.recurrent_dropout):
            return []
        like, keep = next(layer.parameters()), 1 - self.recurrent_dropout
        masks = []
        for size in layer.mask_sizes:
            drawn = uniform((steps, batch, size), like, generator) < keep
            masks.append(drawn.to(like.device, like.dtype) / keep)
        return masks

    def _checked(self, state: Sequence[LayerState], batch: int) -> State:
        """`state` as the layers' own named tuples."""
        layers = self._layers()
        if len(state) != len(layers):
            self._refuse(f"{len(state)} layers", batch)
        for number, (layer, tensors) in enumerate(zip(layers, state, strict=True)):
            found = [tuple(tensor.shape) for tensor in tensors]
            if found != [(batch, size) for size in layer.state_sizes.values()]:
                self._refuse(f"{', '.join(map(str, found))} in layer {number}", batch)
        return tuple(layer.state_type(*tensors) for layer, tensors in zip(layers, state, strict=True))

    def _refuse(self, found: str, batch: int) -> NoReturn:
        layers = self._layers()
        shapes = ", ".join(f"{name} ({batch}, {size})" for name, size in layers[0].state_sizes.items())
        raise ValueError(
            f"state: {found}; a state of {self.spec.name} cells should have {len(layers)} layers, each of {shapes}"
        )


def detach(state: Sequence[LayerState]) -> State:
    """The same state without its history: what one window of truncated backpropagation hands to the next."""
    return tuple(type(layer)(*(tensor.detach() for tensor in layer)) for layer in state)
