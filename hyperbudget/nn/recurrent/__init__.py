"""Recurrent networks, one module a cell, all behind the interface of nn.LSTM (`Recurrent`)."""

from hyperbudget.nn.recurrent.hyper_lstm import HyperLstmLayer, HyperLstmState
from hyperbudget.nn.recurrent.hyper_rnn import HyperRnnLayer, HyperRnnState
from hyperbudget.nn.recurrent.layer import LayerState, RecurrentLayer
from hyperbudget.nn.recurrent.lstm import LstmLayer, LstmState
from hyperbudget.nn.recurrent.rnn import RnnLayer, RnnState
from hyperbudget.nn.recurrent.stack import Recurrent, State, build_layer, detach

__all__ = [
    "HyperLstmLayer",
    "HyperLstmState",
    "HyperRnnLayer",
    "HyperRnnState",
    "LayerState",
    "LstmLayer",
    "LstmState",
    "Recurrent",
    "RecurrentLayer",
    "RnnLayer",
    "RnnState",
    "State",
    "build_layer",
    "detach",
]
